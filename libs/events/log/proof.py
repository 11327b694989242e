"""Does the log take what is appended? A check for `/readyz`: it writes only where nothing was written of late."""

import time
from typing import Final

from libs.events.log.store import EventStore

FRESH_SECONDS: Final = 1.0
"""An append of this process that is not older proves as much as one made for the purpose."""
MARKS: Final = "@proof/"


def append_trouble(store: EventStore, who: str) -> str | None:
    """Why nothing can be appended now; None when it can. Blocks for a second where the log is locked.

    Args:
        store: the log.
        who: the process that asks. Each writes a mark of its own, `@proof/<who>`, which nobody reads.
    """
    if time.monotonic() - store.appended_at < FRESH_SECONDS:
        return None
    try:
        store.prove_append(f"{MARKS}{who}")
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own
        said = str(error).strip().splitlines()
        return f"nothing can be appended to the event log: {said[0] if said else type(error).__name__}"
    return None
