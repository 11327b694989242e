"""Several pages in one step, one after the other. Each stays a transaction of its own with a key of its own.

So a step that is taken again finds the pages that are stored, and asks for the others alone. A page that fails is left
to the next step, which begins with it: whether it is tried again, and how the run fails by it, is as if each page were
a step.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from temporalio import activity

from libs.jira_client import seconds_left
from libs.temporal.messages import MAX_WARNINGS, FetchPage, FetchPages, PageResult, PageSource, PagesResult
from services.ingestor.sync.step import STEP_SECONDS

ENOUGH_SECONDS: Final = STEP_SECONDS / 2
"""A further page is begun while so much of the step's time is left; a slow one comes in parts that fit its time."""

log = structlog.get_logger()


async def recorded(message: FetchPages, one: Callable[[FetchPage], Awaitable[PageResult]]) -> PagesResult:
    """Store the pages of a step as far as its time allows.

    Args:
        message: which pages; the first of them may have parts that are stored already.
        one: stores a page, or a part of one, and answers for it.

    Raises:
        Exception: as `one` does for the first.
    """
    done = PagesResult(token=message.token, part=message.part)
    first = True
    while first or (_is_more(message, done) and _may_go_on()):
        try:
            result = await one(_next(message, done))
        except Exception as error:
            if first:
                raise
            log.info("a page is left to the next step", page=message.page + done.pages, why=str(error))
            return done
        done, first = _after(done, result), False
    return done


def _next(message: FetchPages, done: PagesResult) -> FetchPage:
    return FetchPage(
        site=message.site,
        project=message.project,
        run_id=message.run_id,
        plan=message.plan,
        scan=message.scan,
        page=message.page + done.pages,
        source=message.source,
        # A further part is known by the ids that are left.
        token=None if done.part else done.token,
        part=done.part,
    )


def _after(done: PagesResult, result: PageResult) -> PagesResult:
    """What is stored with one more page, or part of one."""
    return PagesResult(
        counts=done.counts + result.counts,
        warnings=tuple(dict.fromkeys(done.warnings + result.warnings))[:MAX_WARNINGS],
        pages=done.pages + (not result.left),
        part=done.part + 1 if result.left else 0,
        token=done.token if done.part else result.next_token,
    )


def _is_more(message: FetchPages, done: PagesResult) -> bool:
    if done.part:
        return True
    searched = message.source is PageSource.SEARCH and done.token is None
    return done.pages < message.count and not searched


def _may_go_on() -> bool:
    return seconds_left() >= ENOUGH_SECONDS and not activity.is_worker_shutdown()
