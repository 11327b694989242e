"""Takes alerts to people.

Owns the durable consumer `notifier` of the NATS stream; reads the alert events of the control streams; writes log
lines, the one channel there is so far.
"""
