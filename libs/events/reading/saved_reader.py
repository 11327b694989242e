"""Read the log from where one stood, with what one has made of it so far saved beside it.

What a reader derives (its parts), the events that it adds, and its position are stored in one transaction. Each save
names the position it goes on from and is stored once under it, so of two readers that went on from the same position
the first wins and the other begins again from there: what is derived is derived exactly once.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from libs.events.log.batches import Append, Change, Recorded
from libs.events.log.store import EventStore

BATCH: Final = 500
STRIDE: Final = 20_000
"""So many positions without anything of interest are saved as read, so that a restart does not look at them again."""


class SavedReader:
    """A reader of some topics. Synchronous, as the store is; not to be used by two threads at once."""

    def __init__(self, store: EventStore, name: str, topics: Sequence[str]) -> None:
        self._store, self._name, self._topics = store, name, topics
        self._saved = 0
        self.position = 0
        """Everything of its topics up to here has been read and saved."""

    def load(self) -> dict[str, bytes]:
        """Go back to what is saved: the parts, by name."""
        # Parts may be newer than the position read before them: then the next save is refused, and this comes again.
        self._saved = self.position = int(self._store.checkpoint(self._position_key) or b"0")
        prefix = self._part_key("")
        return {name.removeprefix(prefix): value for name, value in self._store.checkpoints(prefix).items()}

    def read(self, limit: int = BATCH) -> list[Recorded]:
        """What comes next; nothing when it is at the end of the log."""
        # The end is noted before the read: what comes in between lies behind it.
        head = self._store.head()
        batch = self._store.read(self.position, limit, self._topics)
        if not batch:
            self.position = max(self.position, head)
            if self.position - self._saved > STRIDE:
                self._save(self.position, (), {}, ())
        return batch

    def save(
        self,
        batch: Sequence[Recorded],
        *,
        changes: Sequence[Change] = (),
        parts: Mapping[str, bytes] | None = None,
        forget: Sequence[str] = (),
    ) -> bool:
        """Store what became of a batch that was read: events to add, parts that are other now, parts to drop.

        False: another reader has gone on from the same position. Nothing is stored; `load`, and begin again.
        """
        return self._save(batch[-1].position, changes, parts or {}, forget)

    def _save(
        self, position: int, changes: Sequence[Change], parts: Mapping[str, bytes], forget: Sequence[str]
    ) -> bool:
        checkpoints = {self._part_key(part): value for part, value in parts.items()}
        done = self._store.append(
            Append(
                changes=changes,
                checkpoints={**checkpoints, self._position_key: str(position).encode()},
                forget=[self._part_key(part) for part in forget],
                idempotency_key=f"{self._name}:{self._saved}",
            )
        )
        if done.repeated:
            return False
        self._saved = self.position = position
        return True

    @property
    def _position_key(self) -> str:
        return f"{self._name}/position"

    def _part_key(self, part: str) -> str:
        return f"{self._name}/part/{part}"
