"""A run whose end others have stored already: what it stores later does not count, and loses nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from libs.events import Append, EventStore, ProjectKey, SyncSucceeded, end_key, migrate, open_store, stream_id
from libs.temporal.messages import BeginSync, CompleteSync, Counts, Scan
from services.ingestor.checkpoints import CheckpointNames
from services.ingestor.event_log import EventLog
from services.ingestor.sync.activities import SyncActivities
from services.ingestor.sync.plan import PendingRequest

NAMES = CheckpointNames(ProjectKey("acme", "DEMO"))
REQUEST = PendingRequest(request_id="r1", full=True, account_ids=(), reason="because")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    url = f"sqlite:///{tmp_path / 'jdi.db'}"
    migrate(url)
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.mark.parametrize("ended", [True, False])
async def test_watermarks_and_requests_stay_where_they_were(store: EventStore, ended: bool) -> None:
    event_log = EventLog(store)
    no_jira: Any = None
    activities = SyncActivities(event_log, no_jira)
    store.append(Append(checkpoints={f"{NAMES.requests}r1": msgspec.json.encode(REQUEST)}))
    begin = BeginSync(site="acme", project="DEMO", run_id="run-1", workflow_id="sync:acme:DEMO")
    plan = await activities.begin_sync(begin)
    if ended:
        store.append(Append(idempotency_key=end_key("run-1")))
    scan = Scan(scan_started_at=datetime.now(UTC), sprint_field=None, pages=0, counts=Counts(), warnings=())
    await activities.complete_sync(
        CompleteSync(site="acme", project="DEMO", run_id="run-1", plan=plan, scan=scan, counts=Counts(), warnings=())
    )
    event_log.close()
    succeeded = [e for e in store.stream(stream_id("acme", "sync", "DEMO")) if isinstance(e, SyncSucceeded)]
    # The next run reads all of it again, and serves the request.
    assert (store.checkpoint(NAMES.watermarks) is None, bool(store.checkpoints(NAMES.requests)), succeeded == []) == (
        ended,
    ) * 3
