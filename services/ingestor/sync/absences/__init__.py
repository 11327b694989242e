"""What Jira does not show any more of the issues that a run reads, and how it is proved.

What lives here: comments and worklogs that are gone, and those that are only hidden; the feed of deleted worklogs; the
turns in which issues are read that nothing changes; issues that have left the watch list. What never does: issues that
are deleted, moved or hidden, which a census finds.
"""
