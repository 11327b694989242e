"""The acts that change the site: each changes one thing, bumps what Jira bumps, and writes the change log.

A change of an issue, of its comments, worklogs or sprints bumps the issue's ``updated``, unless an act is told that it
is not ``touched``. Renaming a user, and starting, closing or renaming a sprint, does not. Nor does a change of the
site's fields, which has no entry in the log, or of what the account may see. Arguments come as the control endpoints
give them: ids and keys as text, names of statuses as people see them, texts as plain text or as ADF documents.
"""

from __future__ import annotations

from libs.jira_simulator.site.acts.access import AccessActs
from libs.jira_simulator.site.acts.acting import MutationError
from libs.jira_simulator.site.acts.backups import BackupActs
from libs.jira_simulator.site.acts.children import ChildActs
from libs.jira_simulator.site.acts.directory import DirectoryActs
from libs.jira_simulator.site.acts.fields import FieldActs
from libs.jira_simulator.site.acts.issues import IssueActs

__all__ = ["MutationError", "Mutations"]


class Mutations(IssueActs, ChildActs, AccessActs, DirectoryActs, FieldActs, BackupActs):
    """Acts on a data set. Every method is one change and returns what it changed."""
