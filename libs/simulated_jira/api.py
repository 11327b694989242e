"""Jira's own endpoints: platform API v3 and the agile API, as far as the integrator asks."""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
from aiohttp import web

from libs.simulated_jira import render
from libs.simulated_jira.answers import IssueAnswers, encode
from libs.simulated_jira.dataset import Dataset, Issue
from libs.simulated_jira.jql import JqlError, Order, parse, sort_key

JSON = "application/json"
GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration guideline"
    " is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
NO_ISSUE = "Issue does not exist or you do not have permission to see it."
MAX_BULK = 100
MAX_IDS = 5000
MAX_ROWS = 100
MAX_COMMENTS = 100
MAX_WORKLOGS = 5000
MAX_AGILE = 50
MAX_USERS = 1000
MAX_BULK_USERS = 128


def refuse(status: int, *messages: str) -> web.Response:
    """An error as Jira words it."""
    return web.Response(status=status, body=encode({"errorMessages": list(messages), "errors": {}}), content_type=JSON)


def reply(body: Any) -> web.Response:
    return web.Response(body=body if isinstance(body, bytes) else encode(body), content_type=JSON)


def number(value: Any, default: int, most: int) -> int:
    try:
        return max(0, min(int(value), most)) if value is not None else default
    except (TypeError, ValueError):
        raise web.HTTPBadRequest(
            text=encode({"errorMessages": [f"'{value}' is not a number"], "errors": {}}).decode(), content_type=JSON
        ) from None


class Api:
    """Handlers over one data set."""

    def __init__(self, data: Dataset) -> None:
        self._data = data
        self._answers = IssueAnswers(data)

    def routes(self) -> list[web.RouteDef]:
        v3, agile = "/rest/api/3", "/rest/agile/1.0"
        return [
            web.get(f"{v3}/myself", self.myself),
            web.get(f"{v3}/serverInfo", self.server_info),
            web.get(f"{v3}/field", self.fields),
            web.get(f"{v3}/project/search", self.projects),
            web.get(f"{v3}/project/{{key}}", self.project),
            web.get(f"{v3}/search", self.removed_search),
            web.post(f"{v3}/search", self.removed_search),
            web.get(f"{v3}/search/jql", self.search),
            web.post(f"{v3}/search/jql", self.search),
            web.post(f"{v3}/search/approximate-count", self.count),
            web.post(f"{v3}/issue/bulkfetch", self.bulk_fetch),
            web.get(f"{v3}/issue/{{key}}", self.issue),
            web.get(f"{v3}/issue/{{key}}/comment", self.comments),
            web.get(f"{v3}/issue/{{key}}/worklog", self.worklogs),
            web.get(f"{v3}/user/bulk", self.users_bulk),
            web.get(f"{v3}/users/search", self.users_search),
            web.get(f"{v3}/user/assignable/search", self.assignable),
            web.get(f"{agile}/board", self.boards),
            web.get(f"{agile}/board/{{board}}/sprint", self.sprints),
        ]

    # ── site ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def myself(self, _: web.Request) -> web.Response:
        return reply(render.user(self._data, next(iter(self._data.users.values()))))

    async def server_info(self, _: web.Request) -> web.Response:
        return reply(
            {
                "baseUrl": self._data.base_url,
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100_000,
                "serverTime": render.stamp(self._data.tick()),
                "serverTitle": "Simulated Jira",
            }
        )

    async def fields(self, _: web.Request) -> web.Response:
        return reply(render.CATALOGUE)

    async def projects(self, request: web.Request) -> web.Response:
        keys = set(request.query.getall("keys", []))
        text = request.query.get("query", "").lower()
        found = [
            project
            for project in self._data.projects.values()
            if (not keys or project.key in keys) and text in f"{project.key} {project.name}".lower()
        ]
        values = [render.project(self._data, project) for project in found]
        if "insight" in request.query.get("expand", ""):
            for project, value in zip(found, values, strict=True):
                value["insight"] = self._insight(project.key)
        return reply(self._bean(request, values, 50, 100))

    def _insight(self, key: str) -> dict[str, Any]:
        issues = [issue for issue in self._data.issues.values() if issue.project == key]
        shown: dict[str, Any] = {"totalIssueCount": len(issues)}
        if issues:
            shown["lastIssueUpdateTime"] = render.stamp(max(issue.updated for issue in issues))
        return shown

    async def project(self, request: web.Request) -> web.Response:
        wanted = request.match_info["key"]
        for project in self._data.projects.values():
            if wanted in (project.key, str(project.id)):
                return reply(render.project(self._data, project))
        return refuse(404, f"No project could be found with key '{wanted}'.")

    def _bean(self, request: web.Request, values: Sequence[Any], default: int, most: int) -> dict[str, Any]:
        start = number(request.query.get("startAt"), 0, 10**9)
        size = number(request.query.get("maxResults"), default, most) or default
        return {
            "self": f"{self._data.base_url}{request.path}",
            "maxResults": size,
            "startAt": start,
            "total": len(values),
            "isLast": start + size >= len(values),
            "values": values[start : start + size],
        }

    # ── search ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def removed_search(self, _: web.Request) -> web.Response:
        return refuse(410, GONE)

    async def search(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        fields = asked.get("fields") or ["id"]
        most = MAX_IDS if set(fields) <= {"id", "key"} else MAX_ROWS
        size = number(asked.get("maxResults"), 50, MAX_IDS) or 50
        try:
            query = parse(str(asked.get("jql") or ""), self._data, self._zone(request))
            found = sorted(
                ((sort_key(issue, query.order), issue) for issue in self._data.searchable() if query.matches(issue)),
                key=lambda pair: pair[0],
            )
            after = _decode_token(asked.get("nextPageToken"))
        except JqlError as error:
            return refuse(400, str(error))
        if after is not None:
            found = [pair for pair in found if pair[0] > after]
        page, rest = found[: min(size, most)], len(found) > min(size, most)
        body = b'{"issues":[' + b",".join(self._row(issue, fields) for _, issue in page) + b"]"
        if rest:
            body += b',"nextPageToken":' + encode(_encode_token(page[-1][0])) + b',"isLast":false}'
        else:
            body += b',"isLast":true}'
        return reply(body)

    def _row(self, issue: Issue, fields: Sequence[str]) -> bytes:
        if set(fields) == {"id"}:
            return b'{"id":"%d"}' % issue.id
        return self._answers.issue(issue, fields)

    def _zone(self, request: web.Request) -> str:
        return next(iter(self._data.users.values())).time_zone

    async def count(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        try:
            query = parse(str(asked.get("jql") or ""), self._data, self._zone(request))
        except JqlError as error:
            return refuse(400, str(error))
        return reply({"count": sum(query.matches(issue) for issue in self._data.searchable())})

    # ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _find(self, id_or_key: str) -> Issue | None:
        found = int(id_or_key) if id_or_key.isdigit() else self._data.keys.get(id_or_key.upper(), 0)
        return self._data.issues.get(found)

    async def bulk_fetch(self, request: web.Request) -> web.Response:
        asked = await _asked(request)
        wanted = [str(one) for one in asked.get("issueIdsOrKeys") or []]
        if not wanted:
            return refuse(400, "issueIdsOrKeys must not be empty")
        if len(wanted) > MAX_BULK:
            return refuse(400, f"At most {MAX_BULK} issues can be fetched at once with these fields.")
        fields = asked.get("fields") or ["*navigable"]
        found = {issue.id: issue for one in wanted if (issue := self._find(one)) is not None}
        errors = [{"id": one, "errorMessage": NO_ISSUE} for one in wanted if self._find(one) is None]
        rows = b",".join(self._answers.issue(found[one], fields) for one in sorted(found))
        return reply(b'{"issues":[' + rows + b'],"issueErrors":' + encode(errors) + b"}")

    async def issue(self, request: web.Request) -> web.Response:
        issue = self._find(request.match_info["key"])
        if issue is None:
            return refuse(404, NO_ISSUE)
        fields = [name for name in request.query.get("fields", "*all").split(",") if name]
        return reply(self._answers.issue(issue, fields))

    async def comments(self, request: web.Request) -> web.Response:
        issue = self._find(request.match_info["key"])
        if issue is None:
            return refuse(404, NO_ISSUE)
        start = number(request.query.get("startAt"), 0, 10**9)
        size = number(request.query.get("maxResults"), MAX_COMMENTS, MAX_COMMENTS)
        page = issue.comments[start : start + size]
        return reply(
            {
                "startAt": start,
                "maxResults": size,
                "total": len(issue.comments),
                "comments": [render.comment(self._data, issue, one) for one in page],
            }
        )

    async def worklogs(self, request: web.Request) -> web.Response:
        issue = self._find(request.match_info["key"])
        if issue is None:
            return refuse(404, NO_ISSUE)
        start = number(request.query.get("startAt"), 0, 10**9)
        size = number(request.query.get("maxResults"), MAX_WORKLOGS, MAX_WORKLOGS)
        page = issue.worklogs[start : start + size]
        return reply(
            {
                "startAt": start,
                "maxResults": size,
                "total": len(issue.worklogs),
                "worklogs": [render.worklog(self._data, issue, one) for one in page],
            }
        )

    # ── users ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def users_bulk(self, request: web.Request) -> web.Response:
        accounts = request.query.getall("accountId", [])
        if not accounts or len(accounts) > MAX_BULK_USERS:
            return refuse(400, f"Between 1 and {MAX_BULK_USERS} accountId parameters are needed.")
        known = [self._data.users[one] for one in accounts if one in self._data.users]
        return reply(self._bean(request, [render.user(self._data, user) for user in known], 10, 200))

    async def users_search(self, request: web.Request) -> web.Response:
        return reply(self._plain_page(request, 50, MAX_USERS))

    async def assignable(self, request: web.Request) -> web.Response:
        if request.query.get("project") not in self._data.projects:
            return refuse(404, "No project could be found with that key.")
        return reply(self._plain_page(request, 50, MAX_USERS))

    def _plain_page(self, request: web.Request, default: int, most: int) -> list[dict[str, Any]]:
        start = number(request.query.get("startAt"), 0, 10**9)
        size = number(request.query.get("maxResults"), default, most)
        users = list(self._data.users.values())[start : start + size]
        return [render.user(self._data, user) for user in users]

    # ── boards ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def boards(self, request: web.Request) -> web.Response:
        wanted = request.query.get("projectKeyOrId")
        kind = request.query.get("type")
        values = [
            {
                "id": board.id,
                "self": f"{self._data.base_url}/rest/agile/1.0/board/{board.id}",
                "name": board.name,
                "type": board.type,
            }
            for board in self._data.boards.values()
            if wanted in (None, board.project, str(self._data.projects[board.project].id))
            and kind in (None, board.type)
        ]
        return reply(self._agile_page(request, values))

    async def sprints(self, request: web.Request) -> web.Response:
        board = self._data.boards.get(int(request.match_info["board"]) if request.match_info["board"].isdigit() else 0)
        if board is None:
            return refuse(404, "Requested board cannot be viewed because it either does not exist or is hidden.")
        if board.type != "scrum":
            return refuse(400, "The board does not support sprints")
        states = [state for state in request.query.get("state", "").split(",") if state]
        values = [
            render.sprint(self._data, sprint)
            for sprint in self._data.sprints.values()
            if sprint.board == board.id and (not states or sprint.state in states)
        ]
        return reply(self._agile_page(request, values))

    def _agile_page(self, request: web.Request, values: Sequence[Any]) -> dict[str, Any]:
        page = self._bean(request, values, MAX_AGILE, MAX_AGILE)
        del page["self"]
        return page


async def _asked(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        asked: dict[str, Any] = dict(request.query)
        if "fields" in asked:
            asked["fields"] = [name for value in request.query.getall("fields") for name in value.split(",")]
        return asked
    try:
        body = msgspec.json.decode(await request.read())
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(
            text=encode(
                {
                    "errorMessages": ["Invalid request payload. Refer to the REST API documentation and try again."],
                    "errors": {},
                }
            ).decode(),
            content_type=JSON,
        )
    return body


def _encode_token(key: list[tuple[Any, ...]]) -> str:
    return base64.urlsafe_b64encode(encode(key)).decode()


def _decode_token(token: str | None) -> list[tuple[Any, ...]] | None:
    if token is None:
        return None
    try:
        return [tuple(part) for part in msgspec.json.decode(base64.urlsafe_b64decode(token))]
    except (ValueError, TypeError, msgspec.DecodeError):
        raise JqlError("The provided next page token is invalid or expired.") from None


__all__ = ["Api", "Order", "refuse", "reply"]
