"""The one loop: keep the read tables up to date until told to stop, whatever fails on the way."""

from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine

from libs.events import EventStore
from libs.runtime import Stop
from services.projector.apply import Projection
from services.projector.rebuild import RebuildError, rebuild
from services.projector.tables.progress import MovedError, NewerTablesError, OlderTablesError
from services.projector.writing import Writing

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 1.0
"""After a failure of the database. The log keeps what comes meanwhile."""

Report = Callable[[str | None], None]
"""Called with None when all is well, else with the reason why not."""


def keep_projecting(
    store: EventStore, engine: Engine, stop: Stop, report: Report, writing: Writing | None = None
) -> None:
    """Apply events as they come. Tables of an older version are rebuilt first, while readers keep them."""
    projection = Projection(store, engine, on_progress=lambda _position: report(None), writing=writing)
    while not stop.is_set():
        try:
            projection.follow(stop)
        except MovedError as error:
            log.debug("position moved", why=str(error))
        except OlderTablesError as error:
            _report(report, f"rebuilding: {error}")
            _rebuild(store, engine, stop)
        except NewerTablesError as error:
            _report(report, str(error))
            stop.wait_blocking(RETRY_SECONDS)
        except Exception as error:
            log.exception("projecting failed; trying again")
            _report(report, f"{type(error).__name__}: {error}".splitlines()[0])
            stop.wait_blocking(RETRY_SECONDS)


def _rebuild(store: EventStore, engine: Engine, stop: Stop) -> None:
    try:
        rebuild(store, engine, stop)
    except RebuildError as error:
        log.info("rebuild ended early", why=str(error))


def _report(report: Report, reason: str) -> None:
    log.warning("not projecting", why=reason)
    report(reason)
