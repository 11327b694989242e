"""The one loop: keep the read tables up to date until told to stop, whatever fails on the way."""

from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from libs.events import EventStore, StoreError, log_trouble
from libs.runtime import Stop
from services.projector.apply import Projection
from services.projector.mending import Mender
from services.projector.rebuild import RebuildError, rebuild
from services.projector.tables.progress import MissingError, MovedError, NewerTablesError, OlderTablesError
from services.projector.tables.writable import Writing

log = structlog.get_logger(__name__)

RETRY_SECONDS: Final = 1.0
"""After a failure of the database. The log keeps what comes meanwhile."""

Report = Callable[[str | None], None]
"""Called with None when all is well, else with the reason why not."""


def keep_projecting(
    store: EventStore, engine: Engine, stop: Stop, report: Report, writing: Writing | None = None
) -> None:
    """Apply events as they come. Tables of an older version, and damaged ones, are rebuilt first."""
    mender = Mender(engine, store.url)
    while not stop.is_set():
        try:
            _project(store, engine, mender, stop, report, writing)
        except SQLAlchemyError as error:
            _mend(mender, error, stop, report)
        except StoreError as error:
            _report(report, log_trouble(store.url, error))
            stop.wait_blocking(RETRY_SECONDS)
        except Exception as error:
            log.exception("projecting failed; trying again")
            _report(report, _line(error))
            stop.wait_blocking(RETRY_SECONDS)


def _project(
    store: EventStore, engine: Engine, mender: Mender, stop: Stop, report: Report, writing: Writing | None
) -> None:
    def on_progress(_position: int) -> None:
        mender.went_well()
        report(None)

    try:
        mender.look()
        Projection(store, engine, on_progress=on_progress, writing=writing).follow(mender.until_due(stop))
    except MovedError as error:
        log.debug("position moved", why=str(error))
    except (OlderTablesError, MissingError) as error:
        _report(report, f"rebuilding: {error}")
        _rebuild(store, engine, stop)
    except NewerTablesError as error:
        _report(report, str(error))
        stop.wait_blocking(RETRY_SECONDS)


def _mend(mender: Mender, error: SQLAlchemyError, stop: Stop, report: Report) -> None:
    """Have the tables made anew where that helps, or wait a moment: the log keeps what comes meanwhile."""
    _report(report, f"the read tables cannot be used: {_line(error)}")
    try:
        pause = mender.pause() if mender.after(error) else RETRY_SECONDS
    except (SQLAlchemyError, OSError) as again:
        _report(report, f"the read tables cannot be made anew: {_line(again)}")
        pause = RETRY_SECONDS
    stop.wait_blocking(pause)


def _rebuild(store: EventStore, engine: Engine, stop: Stop) -> None:
    try:
        rebuild(store, engine, stop)
    except RebuildError as error:
        log.info("rebuild ended early", why=str(error))


def _line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _report(report: Report, reason: str) -> None:
    log.warning("not projecting", why=reason)
    report(reason)
