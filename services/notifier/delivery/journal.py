"""The notifier's place in the log and its state, kept as marks beside the log.

Every save names the one it follows and is stored once under it: of two processes that both believe to lead, the second
finds that out before it sends anything it has just decided.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from libs.events import TOPIC_OF, Append, Change, Event, EventStore, NotificationRedriven, Recorded, waiting_seconds
from services.notifier.state import FOLDS, VERSION, Alert, Pending, State, recalled

NAME: Final = "notifier"
BATCH: Final = 500
STRIDE: Final = 20_000
"""So many positions without anything of interest are saved as read, so that a restart does not look at them again."""
TOPICS: Final = tuple(TOPIC_OF[event_type] for event_type in FOLDS)

_alert = msgspec.json.Decoder(Alert)
_pending = msgspec.json.Decoder(Pending)
_rest = msgspec.json.Decoder(State)


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """Where the saved state stands."""

    version: int
    position: int = 0
    revision: int = 0


class Journal:
    """Reads and saves. Synchronous, as the store is; not to be used by two threads at once, but for `record`."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._head = Head(version=VERSION)
        self._saved: dict[str, bytes] = {}
        self._position = 0

    @property
    def position(self) -> int:
        """Up to here everything of its topics has been read."""
        return self._position

    def waiting(self) -> float:
        """Seconds that the oldest event which has not been read yet has waited."""
        return waiting_seconds(self._store, self._position, TOPICS)

    def load(self) -> State:
        """Go back to what is saved; a state of another version is made again from the log."""
        stored = self._store.checkpoint(f"{NAME}/head")
        self._head = msgspec.json.decode(stored, type=Head) if stored else Head(version=VERSION)
        self._saved = {}
        if self._head.version != VERSION:
            self._head = Head(version=VERSION, revision=self._head.revision)
        else:
            prefix = f"{NAME}/part/"
            self._saved = {name.removeprefix(prefix): raw for name, raw in self._store.checkpoints(prefix).items()}
        self._position = self._head.position
        return _state_of(self._saved)

    def read(self) -> list[Recorded]:
        """The next events; nothing at the end of the log."""
        # The end is noted before the read: what comes in between lies behind it.
        end = self._store.head()
        batch = self._store.read(self._position, BATCH, TOPICS)
        self._position = batch[-1].position if batch else max(self._position, end)
        return batch

    def recall(self, state: State, redriven: NotificationRedriven) -> State:
        """With the dead letter that is to be tried again, also where it is too old to be kept."""
        if redriven.notification_id in state.outbox:
            return state
        story = self._store.stream(redriven.stream_id)[: redriven.stream_version - 1]
        return recalled(state, redriven.notification_id, story)

    def save(self, state: State) -> bool:
        """Store a state that all events read so far led to. False: another process has gone on from here; `load`."""
        parts = _parts_of(state)
        changed = {name: raw for name, raw in parts.items() if self._saved.get(name) != raw}
        gone = self._saved.keys() - parts.keys()
        if not changed and not gone and self._position - self._head.position < STRIDE:
            return True
        head = Head(version=VERSION, position=self._position, revision=self._head.revision + 1)
        # Parts of another version are unknown here: with the first save all of them go.
        forget = [f"{NAME}/part/*"] if not self._saved else [f"{NAME}/part/{name}" for name in gone]
        checkpoints = {f"{NAME}/part/{name}": raw for name, raw in changed.items()}
        done = self._store.append(
            Append(
                checkpoints={**checkpoints, f"{NAME}/head": msgspec.json.encode(head)},
                forget=forget,
                idempotency_key=f"{NAME}:{self._head.revision}",
            )
        )
        if done.repeated:
            return False
        self._head, self._saved = head, parts
        return True

    def record(self, event: Event, idempotency_key: str) -> None:
        """Append the outcome of an attempt, once. What follows from it is read from the log."""
        self._store.append(Append(changes=(Change(event=event),), idempotency_key=idempotency_key))


def _parts_of(state: State) -> dict[str, bytes]:
    parts = {f"alert/{key}": msgspec.json.encode(alert) for key, alert in state.alerts.items()}
    parts |= {f"notice/{key}": msgspec.json.encode(pending) for key, pending in state.outbox.items()}
    rest = msgspec.structs.replace(state, alerts={}, outbox={})
    return {**parts, "rest": msgspec.json.encode(rest)}


def _state_of(parts: Mapping[str, bytes]) -> State:
    rest = _rest.decode(parts["rest"]) if "rest" in parts else State()
    alerts = (_alert.decode(raw) for name, raw in parts.items() if name.startswith("alert/"))
    outbox = (_pending.decode(raw) for name, raw in parts.items() if name.startswith("notice/"))
    return msgspec.structs.replace(
        rest,
        alerts={alert.alert_id: alert for alert in alerts},
        outbox={pending.notice.notification_id: pending for pending in outbox},
    )
