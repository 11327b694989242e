"""The whole system on one machine, for a laptop, a demo and the tests: Temporal, NATS and the services as children.

Knows programs, ports and process ids; knows neither events nor Jira. `stack` says what is started, `supervisor` keeps
it alive, `stack_file` tells other commands where it is.
"""
