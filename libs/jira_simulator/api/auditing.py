"""The audit log, as far as it tells of deleted issues. An administrator alone may read it."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import web

from libs.jira_simulator.api.answers import Refused, json_response, number
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.render import zulu

RECORDS = "/rest/api/3/auditing/record"
CAP = 1000


class Auditing:
    """The handler; it needs a login."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def routes(self) -> list[web.RouteDef]:
        return [web.get(RECORDS, self.records)]

    async def records(self, request: web.Request) -> web.Response:
        if not self._dataset.directory.telling.audit:
            raise Refused(403, "You are not authorized to perform this action. Administrator privileges are required.")
        since, limit = _moment(request.query.get("from", "")), min(number(request, "limit", CAP), CAP)
        due = [one for one in reversed(self._dataset.deleted_issues) if one[0] >= since]
        records = [
            {
                "id": place,
                "summary": "Deleted issue",
                "created": zulu(at),
                "category": "issue management",
                "objectItem": {"id": str(issue), "name": key, "typeName": "ISSUE_DELETE"},
            }
            for place, (at, issue, key) in enumerate(due, 1)
        ]
        return json_response({"offset": 0, "limit": limit, "total": len(records), "records": records[:limit]})


def _moment(text: str) -> int:
    """Milliseconds since 1970; the beginning of all times where none is given."""
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, f"The value '{text}' of the parameter 'from' is not a time.") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
