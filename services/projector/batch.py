"""What a batch of events changes, collected in memory before anything is written.

Facts are last-write-wins per entity: only the newest version of each key in the batch is kept, which also spares the
database a second write of the same row. Rows that several streams write (`project`, `sync_job`, `sync_state`, …)
cannot be made that way: the events that touch them are kept in order and folded over the stored rows
(`project/state.py`).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from libs.events import Recorded
from services.projector.tables.rows import Key, Row


class Absence(NamedTuple):
    """Why an entity is not there any more."""

    reason: str
    project_key: str
    at: str
    """When it was found."""
    key: str | None = None
    """Of an issue that lives on in another project: its key there, where that is known."""
    former_key: str | None = None
    """Of an issue: under which it was shown, where the event says that."""
    doubtful: bool = False
    """Whether it may as well be deleted where it is called hidden, and the other way round."""


class Entity(NamedTuple):
    """The newest that the batch says of one entity."""

    version: int
    content: Row | Absence


class Held(NamedTuple):
    """A key that an issue has or had."""

    key: str
    updated: str
    """The issue's own time, as it was seen under this key."""
    version: int


class Membership(NamedTuple):
    """One entry of an issue's sprint field."""

    sprint_id: str
    state: str | None


class Changes:
    """The effect of a batch: filled by `projections.collect`, written by `write.write`."""

    def __init__(self) -> None:
        self.entities: defaultdict[str, dict[Key, Entity]] = defaultdict(dict)
        """Table -> key -> newest row or absence."""
        self.memberships: dict[Key, tuple[Membership, ...]] = {}
        """Sprint fields of the newest issue rows."""
        self.held: list[tuple[Key, Held]] = []
        """Keys of those rows of issues that a newer one, or an absence, has replaced within the batch."""
        self.accounts: set[Key] = set()
        """Users that rows of this batch name."""
        self.people: dict[Key, tuple[str, bool | None]] = {}
        """Users with name and whether active, as the last record of this batch that names them shows it."""
        self.nicknames: dict[Key, Row] = {}
        """Users without an account of whom it shows only a name to log in with: counts until it shows more."""
        self.sprints: dict[Key, Mapping[str, Any]] = {}
        """Sprints that issues of this batch name, as the last of them shows each."""
        self.sprint_projects: set[tuple[str, str, str]] = set()
        """Site, project and sprint, where a sprint was found to belong to a project."""
        self.of_projects: list[Recorded] = []
        """Events to fold over the stored rows of their project."""
        self.of_notifications: list[Recorded] = []
        """Events to fold over the stored row of their notification."""
        self.of_quarantine: list[Recorded] = []
        """Events to fold over the stored row of their record."""
        self.history: defaultdict[str, list[Row]] = defaultdict(list)
        """Table -> rows, one per event, that are never changed."""
        self.dead: list[Row] = []
        """Events that are set aside, a row of `dead_letter` each."""
        self.healed: dict[str, int] = {}
        """Stream -> position of the whole fact that replaces what was parked of the stream before."""

    def put(self, table: str, key: Key, version: int, content: Row | Absence) -> bool:
        """Note a row or an absence, unless the batch has a newer one; True when it was noted."""
        known = self.entities[table].get(key)
        if known is not None and known.version >= version:
            return False
        self.entities[table][key] = Entity(version, content)
        return True

    def heal(self, stream: str, position: int) -> None:
        """Note that what is parked of a stream counts no more."""
        self.dead = [row for row in self.dead if row["stream_id"] != stream]
        self.healed[stream] = position

    def name_account(self, site: str, account: str | None) -> None:
        if account is not None:
            self.accounts.add((site, account))


class Folded(NamedTuple):
    """What the events of a part of the log change, where nothing is parked before them."""

    changes: Changes
    position: int
    """Of the last of them; 0 where there is none."""
    streams: bytes
    """The ids of their streams, one after the other."""
