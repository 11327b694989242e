"""A site that answers oddly, by a seed, until it heals.

Some of its records, lists, look-ups, statuses and headers are of shapes that public bug reports tell of, or that a
fuzzer makes.

Which record is odd, and how, follows from the seed, its kind and its id alone, so that it is odd in the same way
wherever and whenever it is shown; only noise and strays differ from read to read. Nothing here changes the site: its
data, its search and its change log stay as they are, and what is changed is each answer on its way out.

=============  ========================================================================================================
``kinds``      what a kind of oddity is, and what a reader may lose by it at most
``values``     extremes, values of another type, and the fuzzer that puts them into a record
``documents``  rich text that is broken
``noise``      what differs from read to read though nothing has changed
``issues``     kinds of issues
``children``   kinds of comments and worklogs, and of their lists
``look_ups``   kinds of users, sprints, boards, fields, projects, and of the answers that list them
``strays``     answers that are wrong once: statuses, headers, bodies
``choice``     which record is odd, and how, by a seed
``showing``    the records of right answers, as odd as they are
``world``      ``Odd``: all of it on the answers of one site
=============  ========================================================================================================
"""
