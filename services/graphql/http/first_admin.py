"""What must be so before anybody can sign in: the tables of access, and somebody who may use them."""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from libs.access import NotCopiedError, TokenStore, migrate, move_over
from libs.runtime import Reported

RETRY_SECONDS: Final = 2.0

log = structlog.get_logger(__name__)


async def prepare_access(
    tables: Engine,
    tokens: TokenStore,
    health: Reported,
    show: Callable[[str], None] | None,
    earlier: Engine | None = None,
) -> None:
    """Create the tables that are missing, and a first administrator where there is none.

    A database that does not answer yet is asked again; `health` says so meanwhile.

    Args:
        tables: may be written.
        tokens: the store on them.
        health: of this preparation.
        show: gets the first administrator's token, which is not stored; None: none is made.
        earlier: where an earlier version may have left tokens, which are moved from there.
    """
    while True:
        try:
            await asyncio.to_thread(migrate, tables)
            if earlier is not None:
                await asyncio.to_thread(move_over, earlier, tables)
            secret = await asyncio.to_thread(tokens.first_admin) if show is not None else None
        except (SQLAlchemyError, NotCopiedError) as error:
            why = f"the tables of API tokens cannot be made ({type(error).__name__}); is the database there?"
            if health.reason != why:
                log.warning("nobody can sign in yet", why=str(error))
            health.report(why)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        if secret is not None and show is not None:
            show(secret)
        health.report(None)
        return
