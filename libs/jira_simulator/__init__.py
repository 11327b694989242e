"""A Jira Cloud that runs on loopback: the demo and the tests talk to it as they would to Atlassian's.

It serves the platform v3 and agile endpoints that an integrator calls, over a data set made from a seed, with Basic
auth, token paging, page and inline caps, an index that may lag, latency, and faults on demand. Every change of the data
is an entry of an append-only change log, the initial data included, so that a test can compare what was synced with
what was there.

Start one in the process (``libs.jira_simulator.server.serve``) or as ``python -m libs.jira_simulator``. It keeps
everything in memory, sends nothing anywhere, and is imported by no service.

=====================  ================================================================================================
``entities``           what a Jira holds: users, projects, boards, sprints, issues, comments, worklogs
``catalogue``          what is the same on every simulated site: statuses, priorities, issue types, fields
``adf`` ``generate``   a data set made from a seed
``dataset``            the state: lookups, the clock, the change log, ``Dataset.generate``
``mutations``          the acts that change the state, each bumping what Jira would bump
``changes``            the change log
``render``             entities to Jira's JSON
``index``              what search sees of it, which may lag
``jql`` ``search``     the query language; pages and tokens
``api`` ``agile``      the endpoints of the platform and of the boards
``control``            ``/simulator/*``: mutations, faults, latency, index lag, requests, changes, state
``faults`` ``server``  what goes wrong on demand; auth, latency, compression, the request log, ``serve``
=====================  ================================================================================================
"""
