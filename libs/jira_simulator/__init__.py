"""A Jira Cloud that runs on loopback: the demo and the tests talk to it as they would to Atlassian's.

It serves the platform v3 and agile endpoints that an integrator calls, over a data set made from a seed, with Basic
auth or OAuth 2.0, token paging, page and inline caps, an index that may lag, latency, and faults on demand. Every
change of the data is an entry of an append-only change log, the initial data included, so that a test can compare what
was synced with what was there.

Start one in the process (``libs.jira_simulator.server.serve``) or as ``python -m libs.jira_simulator``. It keeps
everything in memory, sends nothing anywhere, and is imported by no service.

=============================  ========================================================================================
``site.entities``              what a Jira holds: users, projects, boards, sprints, issues, comments, worklogs
``site.catalogue``             what is the same on every simulated site: statuses, priorities, issue types, fields
``site.field_catalogue``       the fields of one site, which may be added, removed and changed
``site.adf`` ``.generate``     a data set made from a seed
``site.dataset``               the state: lookups, the clock, the change log, ``Dataset.generate``
``site.mutations``             the acts that change the state, each bumping what Jira would bump
``site.random_acts``           many such acts, chosen by a seed
``site.changes``               the change log
``site.render``                entities to Jira's JSON
``search.index``               what search sees of the site, which may lag
``search.jql`` ``.pages``      the query language; pages and tokens
``api.answers``                what all endpoints share: arguments, pages, refusals
``api.platform`` ``.agile``    the endpoints of the platform and of the boards
``api.oauth`` ``.webhooks``    access tokens and the gateway; the webhooks that an app registers
``control``                    ``/simulator/*``: mutations, faults, latency, index lag, requests, changes, state
``requests``                   the request log
``faults``                     what goes wrong on demand
``odd``                        records, lists, look-ups and answers of odd shapes, by a seed, until the site heals
``server``                     auth, latency, faults and compression around the endpoints; ``serve``
=============================  ========================================================================================
"""
