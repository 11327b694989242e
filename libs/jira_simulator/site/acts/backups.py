"""Backups of the site: its state of an earlier moment, and the site brought back to it."""

from __future__ import annotations

from typing import Any, NamedTuple

from libs.jira_simulator.site.acts.acting import Acts, MutationError
from libs.jira_simulator.site.changes import described
from libs.jira_simulator.site.entities import IssueRecord, Project, Sprint, User
from libs.jira_simulator.site.render import Directory


class Backup(NamedTuple):
    """A site at one moment; its entities never change. The field list is not part of it."""

    issues: dict[int, IssueRecord]
    directory: Directory
    deleted_worklogs: list[tuple[int, int]]


class BackupActs(Acts):
    """Acts on the whole site."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._backups: dict[str, Backup] = {}

    def keep_backup(self, name: str) -> None:
        """Keep the site as it is, for `restore_backup`."""
        dataset = self._dataset
        self._backups[name] = Backup(dict(dataset.issues), dataset.directory.copy(), [*dataset.deleted_worklogs])

    def restore_backup(self, name: str) -> None:
        """Bring the site back to what a backup holds, permissions of the account apart.

        What was made since is gone, what was deleted is there, what was changed is as it was, `updated` included; and
        ids and keys that were given since are given again, to other things.
        """
        if name not in self._backups:
            raise MutationError(f"there is no backup {name!r}")
        backup, dataset, at = self._backups[name], self._dataset, self._dataset.clock.tick()
        touched = [*dict.fromkeys((*dataset.issues, *backup.issues))]
        before, people = self._seen(touched), self._names()
        dataset.go_back(backup.issues, backup.directory, backup.deleted_worklogs)
        self._deleted_issues.clear()
        self._deleted_children.clear()
        self._count_ids()
        self._log_sight(at, before, touched, lost="lost", back="restored")
        for entity in self._names() - people:
            kind, id_, after = described(entity, None, dataset.renderer)
            dataset.log.append(at, f"{kind}_restored", kind, id_, after, project=None, issue_id=None)

    def _names(self) -> set[Project | User | Sprint]:
        directory = self._dataset.directory
        return {*directory.projects.values(), *directory.users.values(), *directory.sprints.values()}
