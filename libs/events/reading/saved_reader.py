"""Read the log from where one stood, with what one has made of it so far saved beside it.

What a reader derives (its parts), the events that it adds, and its position are stored in one transaction. Each save
names the one that it follows and is stored once under it, so of two readers that went on from the same save the first
wins and the other begins again from there: what is derived is derived exactly once.

Stored are the checkpoints `<name>/head` and `<name>/part/<part>`, each save under the idempotency key
`<name>:<revision>`. An earlier version kept `<name>/position` in place of the head, and its keys were the positions
from which it went on: the first revision after it is its last position, so that a key neither comes again nor is
missing while both versions run.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from libs.events.log.batches import Append, Change, Recorded
from libs.events.log.store import EventStore

BATCH: Final = 500
STRIDE: Final = 20_000
"""So many positions without anything of interest are saved as read, so that a restart does not look at them again."""


class SavedHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a saved state stands; stored as JSON."""

    version: int
    """Of the parts."""
    position: int = 0
    revision: int = 0
    """Of the save that comes next."""


class SavedReader:
    """A reader of some topics. Synchronous, as the store is; not to be used by two threads at once.

    Args:
        store: the log.
        name: under which it is saved.
        topics: what it reads; everything else is passed over.
        version: of its parts. Parts of another version are forgotten, and the log is read from its beginning.
    """

    def __init__(self, store: EventStore, name: str, topics: Sequence[str], *, version: int = 1) -> None:
        self._store, self._name, self._topics, self._version = store, name, topics, version
        self._head = SavedHead(version=version)
        self._parts: dict[str, bytes] = {}
        self._superseded: tuple[str, ...] = ()
        """Checkpoints of earlier versions, which the next save removes."""
        self._unsaved = False
        """Whether events were read that no save covers."""
        self.position = 0
        """Everything of its topics up to here has been read."""

    def load(self) -> dict[str, bytes]:
        """Go back to what is saved: the parts, by name. To be called first, and after every save that failed."""
        # Parts may be newer than the head read before them: then the next save is refused, and this comes again.
        self._head, self._superseded = self._stored_head()
        prefix, self._parts = self._key("part/"), {}
        if self._head.version == self._version:
            self._parts = {name.removeprefix(prefix): value for name, value in self._store.checkpoints(prefix).items()}
        else:
            self._head = SavedHead(version=self._version, revision=self._head.revision)
            self._superseded = (f"{prefix}*",)
        self.position, self._unsaved = self._head.position, False
        return dict(self._parts)

    def read(self, limit: int = BATCH) -> list[Recorded]:
        """What comes next; nothing when it is at the end of the log. What is read and not saved is lost at a `load`."""
        # The end is noted before the read: what comes in between lies behind it.
        end = self._store.head()
        batch = self._store.read(self.position, limit, self._topics)
        if batch:
            self.position, self._unsaved = batch[-1].position, True
        else:
            self.position = max(self.position, end)
            if not self._unsaved:
                self.save()
        return batch

    def save(
        self,
        *,
        changes: Sequence[Change] = (),
        parts: Mapping[str, bytes] | None = None,
        forget: Iterable[str] = (),
    ) -> bool:
        """Store what became of everything that was read: events to add, parts that may be other now, parts to drop.

        Nothing is stored where nothing is new, and no more than `STRIDE` positions were passed over.

        False: another reader has gone on from the same save. Nothing is stored; `load`, and begin again.
        """
        changed = {name: value for name, value in (parts or {}).items() if self._parts.get(name) != value}
        dropped = self._parts.keys() & set(forget)
        passed_over = self.position - self._head.position
        if not (self._unsaved or changes or changed or dropped or passed_over > STRIDE):
            return True
        head = SavedHead(version=self._version, position=self.position, revision=self._head.revision + 1)
        done = self._store.append(
            Append(
                changes=changes,
                checkpoints={
                    **{self._key(f"part/{name}"): value for name, value in changed.items()},
                    self._key("head"): msgspec.json.encode(head),
                },
                forget=[*self._superseded, *(self._key(f"part/{name}") for name in sorted(dropped))],
                idempotency_key=f"{self._name}:{self._head.revision}",
            )
        )
        if done.repeated:
            return False
        self._head, self._superseded, self._unsaved = head, (), False
        self._parts = {name: value for name, value in self._parts.items() if name not in dropped} | changed
        return True

    def save_all(self, parts: Mapping[str, bytes]) -> bool:
        """Store a state that is given whole: parts that are not among these are dropped. Else as `save`."""
        return self.save(parts=parts, forget=self._parts.keys() - parts.keys())

    def _stored_head(self) -> tuple[SavedHead, tuple[str, ...]]:
        """The head, and the checkpoints that it supersedes."""
        if stored := self._store.checkpoint(self._key("head")):
            return msgspec.json.decode(stored, type=SavedHead), ()
        if stored := self._store.checkpoint(self._key("position")):
            position = int(stored)
            return SavedHead(version=self._version, position=position, revision=position), (self._key("position"),)
        return SavedHead(version=self._version), ()

    def _key(self, name: str) -> str:
        return f"{self._name}/{name}"
