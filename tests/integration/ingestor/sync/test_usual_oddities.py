"""What many issues of a page show alike, but not as documented, is the way of that Jira: told once, owed by none."""

from __future__ import annotations

from libs.events import EventStore
from services.ingestor.event_log import EventLog
from services.ingestor.sync import pages
from tests.integration.ingestor.sync.test_owed_issues import IDS, Jira, issue, owed, read
from tests.integration.ingestor.sync.test_quarantine import aside


async def test_an_oddity_of_few_is_theirs_and_of_many_is_jiras(log: EventLog, store: EventStore) -> None:
    few, many = IDS[: pages.USUAL], IDS[: pages.USUAL + 1]
    jira = Jira(shown=IDS[:100])
    jira.odd = {one: issue(one, status="To Do") for one in few}
    await read(log, jira, IDS[:100])
    assert owed(store) == {*few}
    assert len(aside(store)) == len(few)

    jira.odd = {one: issue(one, status="To Do", summary="changed") for one in many}
    result = await read(log, jira, IDS[:100])
    assert (owed(store), aside(store)) == (set(), [])
    (warning,) = result.warnings
    assert warning.startswith(f"{len(many)} records of kind issue show `status` otherwise than documented")
