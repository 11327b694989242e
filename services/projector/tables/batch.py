"""What a batch of events changes, collected in memory before anything is written.

Facts are last-write-wins per entity: only the newest version of each key in the batch is kept, which also spares the
database a second write of the same row. Rows that several streams write (`sync_job`, `sync_state`, `project`) cannot be
made that way: the events that touch them are kept in order and folded over the stored rows (`standing.py`).
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from libs.events import Recorded
from services.projector.issues.payloads import Membership

Row = dict[str, Any]
Key = tuple[str, str]
"""Site and the entity's id."""


class Absence(NamedTuple):
    """The entity is gone."""

    reason: str
    project_key: str
    at: str
    """When it was found."""


class Entity(NamedTuple):
    """The newest that the batch says of one entity."""

    version: int
    content: Row | Absence


class Changes:
    """The effect of a batch: filled by handlers, written by `writing.write`."""

    def __init__(self) -> None:
        self.entities: defaultdict[str, dict[Key, Entity]] = defaultdict(dict)
        """Table -> key -> newest row or absence."""
        self.memberships: dict[Key, tuple[Membership, ...]] = {}
        """Sprint fields of the newest issue rows."""
        self.accounts: set[Key] = set()
        """Users that rows of this batch name."""
        self.standing: list[Recorded] = []
        """Events to fold over the stored rows of their project."""
        self.notices: list[Recorded] = []
        """Events to fold over the stored rows of their notices."""
        self.drifts: list[Row] = []
        """Fields of Jira's answers that changed."""
        self.log: list[Row] = []
        """Lines of `sync_log`."""
        self.decided: list[Row] = []
        """What was decided, a row of `project_change` each."""
        self.dead: list[Row] = []

    def put(self, table: str, key: Key, version: int, content: Row | Absence) -> bool:
        """Note a row or an absence, unless the batch has a newer one; True when it was noted."""
        known = self.entities[table].get(key)
        if known is not None and known.version >= version:
            return False
        self.entities[table][key] = Entity(version, content)
        return True

    def name_accounts(self, site: str, accounts: Iterable[str | None]) -> None:
        self.accounts.update((site, account) for account in accounts if account is not None)
