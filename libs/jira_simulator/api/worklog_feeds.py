"""The feeds of worklogs, of the whole site: which have changed, which were deleted, and worklogs by their ids.

A feed shows the ids alone, oldest change first, and nothing of its last minute.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from aiohttp import web

from libs.jira_simulator.api.answers import Refused, body_of, json_response, number
from libs.jira_simulator.site.catalogue import SITE
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import Worklog
from libs.jira_simulator.site.sight import shown

FEEDS = "/rest/api/3/worklog"
PAGE, LIST_CAP = 1000, 1000
DELAY_MS = 60_000


class Feed(msgspec.Struct):
    """How the feeds behave."""

    delay_ms: float = DELAY_MS
    also_deleted: list[int] = []
    """Ids that are said to be deleted, just now, whatever is true."""


class ListBody(msgspec.Struct):
    """Body of ``POST worklog/list``."""

    ids: list[int]


class WorklogFeeds:
    """The handlers; all of them need a login. ``page``: most ids on a page."""

    def __init__(self, dataset: Dataset, feed: Feed, *, page: int = PAGE) -> None:
        self._dataset, self._feed, self._page = dataset, feed, page

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{FEEDS}/updated", self.updated),
            web.get(f"{FEEDS}/deleted", self.deleted),
            web.post(f"{FEEDS}/list", self.list),
        ]

    async def updated(self, request: web.Request) -> web.Response:
        return self._shown(request, "updated", sorted((one.updated, one.id) for one in self._seen()))

    async def deleted(self, request: web.Request) -> web.Response:
        wrong = [(self._until(), id_) for id_ in self._feed.also_deleted]
        return self._shown(request, "deleted", [*self._dataset.deleted_worklogs, *wrong])

    async def list(self, request: web.Request) -> web.Response:
        asked = await body_of(request, ListBody)
        if not 0 < len(asked.ids) <= LIST_CAP:
            raise Refused(400, f"The list of worklog ids must hold between 1 and {LIST_CAP} of them.")
        wanted = set(asked.ids)
        found = [one for one in self._seen(self._dataset.directory.telling.worklogs) if one.id in wanted]
        return json_response([msgspec.Raw(self._dataset.renderer.worklog(one)) for one in found])

    def _seen(self, of_any_issue: bool = False) -> Iterable[Worklog]:
        circles = self._dataset.directory.circles
        for record in self._dataset.issues.values():
            if record.worklogs and (of_any_issue or self._dataset.sees(record)):
                yield from shown(record.worklogs, circles)

    def _until(self) -> int:
        return self._dataset.clock.now() - int(self._feed.delay_ms)

    def _shown(self, request: web.Request, name: str, changes: Iterable[tuple[int, int]]) -> web.Response:
        since, until = number(request, "since", 0), self._until()
        due = [change for change in changes if since < change[0] <= until]
        page = due[: self._page]
        last = page[-1][0] if page else since
        address = f"{SITE}/rest/api/3/worklog/{name}?since="
        answer: dict[str, Any] = {
            "values": [{"worklogId": id_, "updatedTime": at, "properties": []} for at, id_ in page],
            "since": since,
            "until": last,
            "self": f"{address}{since}",
            "nextPage": f"{address}{last}",
            "lastPage": len(page) == len(due),
        }
        return json_response(answer)
