"""The notifier's state as parts that a `SavedReader` keeps beside the log: one an alert, one a notification."""

from collections.abc import Mapping
from typing import Final

import msgspec

from libs.events import TOPIC_OF, EventStore, SavedReader
from services.notifier.fold import FOLDS
from services.notifier.state import VERSION, Alert, Pending, State

NAME: Final = "notifier"
"""Of the reader, of its lock and of its NATS consumer."""
TOPICS: Final = tuple(TOPIC_OF[event_type] for event_type in FOLDS)

_ALERT: Final = "alert/"
_NOTIFICATION: Final = "notice/"
_REST: Final = "rest"

_alert = msgspec.json.Decoder(Alert)
_pending = msgspec.json.Decoder(Pending)
_rest = msgspec.json.Decoder(State)


def saved_reader(store: EventStore) -> SavedReader:
    """The notifier's reader of the log."""
    return SavedReader(store, NAME, TOPICS, version=VERSION)


def parts_of(state: State) -> dict[str, bytes]:
    parts = {f"{_ALERT}{key}": msgspec.json.encode(alert) for key, alert in state.alerts.items()}
    parts |= {f"{_NOTIFICATION}{key}": msgspec.json.encode(pending) for key, pending in state.outbox.items()}
    rest = msgspec.structs.replace(state, alerts={}, outbox={})
    return {**parts, _REST: msgspec.json.encode(rest)}


def state_of(parts: Mapping[str, bytes]) -> State:
    """The state that was saved as these parts; the empty one where there are none."""
    rest = _rest.decode(parts[_REST]) if _REST in parts else State()
    alerts = (_alert.decode(raw) for name, raw in parts.items() if name.startswith(_ALERT))
    outbox = (_pending.decode(raw) for name, raw in parts.items() if name.startswith(_NOTIFICATION))
    return msgspec.structs.replace(
        rest,
        alerts={alert.alert_id: alert for alert in alerts},
        outbox={pending.notification.notification_id: pending for pending in outbox},
    )
