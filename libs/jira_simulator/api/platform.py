"""The platform endpoints under ``/rest/api/3``, as an integrator uses them.

Nobody is refused outright where Jira lets the public in: a wrong token makes the caller anonymous there, and the answer
is empty. The server marks such answers with ``X-Seraph-LoginReason``; endpoints in ``LOGIN_NEEDED`` answer 401 instead.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

import msgspec
from aiohttp import web

from libs.jira_simulator.api.answers import (
    ANONYMOUS,
    HIDDEN_ISSUE,
    Refused,
    body_of,
    json_response,
    listed,
    number,
    offset_page,
    raw,
    selection,
    window,
)
from libs.jira_simulator.search import jql
from libs.jira_simulator.search.pages import DEFAULT_PAGE, MAX_IDS, MAX_ISSUES, Search, SearchError
from libs.jira_simulator.site import catalogue
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import IssueRecord, Project, ProjectState, User
from libs.jira_simulator.site.field_catalogue import FieldCatalogue

API = "/rest/api/3"
LOGIN_NEEDED = frozenset(
    f"{API}/{path}"
    for path in (
        "myself",
        "user/bulk",
        "users/search",
        "user/assignable/search",
        "worklog/updated",
        "worklog/deleted",
        "worklog/list",
        "data-policy",
        "data-policy/project",
    )
)

COMMENT_CAP, WORKLOG_CAP = 100, 5000
BULK_CAP, WIDE_BULK_CAP, WIDE_BULK_FIELDS = 100, 1000, 100
RECONCILE_CAP = 50
SCANNED_USERS = 1000
"""The assignable search takes so many users that match, then filters: pages come out shorter than asked."""
PROJECT_FILTERS = 50
PROJECT_ACTIONS = frozenset({"view", "browse", "edit", "create"})
"""What one may want to do with a project. The account that logs in may do everything with each that it may browse."""
PROJECT_STATES = frozenset(get_args(ProjectState))
WIDE_BULK_FORBIDS = frozenset(
    {"changelog", "editmeta", "operations", "renderedFields", "transitions", "versionedRepresentations"}
)

GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
    "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)


class SearchBody(msgspec.Struct, rename="camel"):
    """Body of ``POST search/jql``. Keys that it does not know, such as ``startAt``, are ignored, as Jira does."""

    jql: str = ""
    next_page_token: str | None = None
    max_results: int | None = None
    fields: list[str] | None = None
    expand: str | None = None
    reconcile_issues: list[int] | None = None


class BulkBody(msgspec.Struct, rename="camel"):
    """Body of ``POST issue/bulkfetch``."""

    issue_ids_or_keys: list[str]
    fields: list[str] | None = None
    expand: list[str] | None = None


class CountBody(msgspec.Struct):
    """Body of ``POST search/approximate-count``."""

    jql: str = ""


class Api:
    """The handlers. ``inline``: most comments and worklogs that an issue shows of itself."""

    def __init__(self, dataset: Dataset, search: Search, *, inline: int = 20) -> None:
        self._dataset, self._search = dataset, search
        self._inline = inline
        self._fields = dataset.directory.fields

    def routes(self) -> list[web.RouteDef]:
        gone = [web.route("*", f"/rest/api/{version}/search", self.gone) for version in ("2", "3", "latest")]
        return [
            *gone,
            web.get(f"{API}/search/jql", self.search_get, allow_head=False),
            web.post(f"{API}/search/jql", self.search_post),
            web.post(f"{API}/search/approximate-count", self.count),
            web.post(f"{API}/issue/bulkfetch", self.bulkfetch),
            web.get(f"{API}/issue/{{issue}}", self.issue),
            web.get(f"{API}/issue/{{issue}}/comment", self.comments),
            web.get(f"{API}/issue/{{issue}}/worklog", self.worklogs),
            web.get(f"{API}/user/bulk", self.user_bulk),
            web.get(f"{API}/users/search", self.users),
            web.get(f"{API}/user/assignable/search", self.assignable),
            web.get(f"{API}/project/search", self.projects),
            web.get(f"{API}/project/{{project}}", self.project),
            web.get(f"{API}/field", self.fields),
            web.get(f"{API}/myself", self.myself),
            web.get(f"{API}/serverInfo", self.server_info),
        ]

    # ── search ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def gone(self, _: web.Request) -> web.Response:
        raise Refused(410, GONE)

    async def search_get(self, request: web.Request) -> web.Response:
        ids = listed(request, "reconcileIssues")
        if not all(id_.isdecimal() for id_ in ids):
            raise Refused(400, "reconcileIssues must be a list of issue ids.")
        asked = SearchBody(
            jql=request.query.get("jql", ""),
            next_page_token=request.query.get("nextPageToken") or None,
            max_results=number(request, "maxResults", DEFAULT_PAGE),
            fields=listed(request, "fields"),
            expand=request.query.get("expand"),
            reconcile_issues=[int(id_) for id_ in ids],
        )
        return self._found(asked, anonymous=request[ANONYMOUS])

    async def search_post(self, request: web.Request) -> web.Response:
        return self._found(await body_of(request, SearchBody), anonymous=request[ANONYMOUS])

    def _found(self, asked: SearchBody, *, anonymous: bool) -> web.Response:
        fields = selection(self._fields, asked.fields or [], "id")
        reconcile = asked.reconcile_issues or []
        if len(reconcile) > RECONCILE_CAP:
            raise Refused(400, f"reconcileIssues takes at most {RECONCILE_CAP} issue ids.")
        size = asked.max_results if asked.max_results and asked.max_results > 0 else DEFAULT_PAGE
        size = min(size, MAX_ISSUES if fields else MAX_IDS)
        try:
            page = self._search.page(asked.jql, asked.next_page_token, size, reconcile=reconcile, anonymous=anonymous)
        except (jql.JqlError, SearchError) as error:
            raise Refused(400, str(error)) from None
        answer: dict[str, Any] = {"issues": self._shown(page.records, fields), "isLast": page.token is None}
        if page.token is not None:
            answer["nextPageToken"] = page.token
        return json_response(answer | _described(self._fields, fields, asked.expand or ""))

    def _shown(self, records: Sequence[IssueRecord], fields: frozenset[str] | None) -> list[msgspec.Raw]:
        render = self._dataset.renderer.issue
        return [msgspec.Raw(render(record, fields, self._inline)) for record in records]

    async def count(self, request: web.Request) -> web.Response:
        asked = await body_of(request, CountBody)
        try:
            return json_response({"count": self._search.count(asked.jql, anonymous=request[ANONYMOUS])})
        except jql.JqlError as error:
            raise Refused(400, str(error)) from None

    # ── issues ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def bulkfetch(self, request: web.Request) -> web.Response:
        asked = await body_of(request, BulkBody)
        cap = _bulk_cap(asked)
        if not asked.issue_ids_or_keys:
            raise Refused(400, "issueIdsOrKeys must not be empty.")
        if len(asked.issue_ids_or_keys) > cap:
            raise Refused(400, f"The number of issues requested exceeds the limit of {cap} for these fields.")
        found: dict[int, IssueRecord] = {}
        problems = []
        for id_or_key in asked.issue_ids_or_keys:
            record = None if request[ANONYMOUS] else self._dataset.seen(id_or_key)
            if record is None:
                problems.append({"id": id_or_key, "errorMessage": HIDDEN_ISSUE})
            else:
                found[record.issue.id] = record
        fields = selection(self._fields, asked.fields or [], "*navigable")
        return json_response(
            {"issues": self._shown([found[id_] for id_ in sorted(found)], fields), "issueErrors": problems}
        )

    async def issue(self, request: web.Request) -> web.Response:
        fields = selection(self._fields, listed(request, "fields"), "*all")
        return raw(self._dataset.renderer.issue(self._record(request), fields, self._inline))

    async def comments(self, request: web.Request) -> web.Response:
        comments = self._record(request).comments
        order = request.query.get("orderBy", "created")
        if order.lstrip("+-") != "created":
            raise Refused(400, f"Comments can be ordered by created, not by '{order}'.")
        if order.startswith("-"):
            comments = comments[::-1]
        start, size = window(request, COMMENT_CAP, COMMENT_CAP)
        return json_response(self._dataset.renderer.comment_page(comments, start, size))

    async def worklogs(self, request: web.Request) -> web.Response:
        worklogs = self._record(request).worklogs
        after, before = number(request, "startedAfter", 0), number(request, "startedBefore", 0)
        worklogs = tuple(one for one in worklogs if one.started >= after and (not before or one.started < before))
        start, size = window(request, WORKLOG_CAP, WORKLOG_CAP)
        return json_response(self._dataset.renderer.worklog_page(worklogs, start, size))

    def _record(self, request: web.Request) -> IssueRecord:
        record = None if request[ANONYMOUS] else self._dataset.seen(request.match_info["issue"])
        if record is None:
            raise Refused(404, HIDDEN_ISSUE)
        return record

    # ── users ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def user_bulk(self, request: web.Request) -> web.Response:
        asked = dict.fromkeys(request.query.getall("accountId", []))
        if not asked:
            raise Refused(400, "The accountId query parameter needs to be provided.")
        users = [self._dataset.directory.users[id_] for id_ in asked if id_ in self._dataset.directory.users]
        return json_response(offset_page(request, self._users(users), 10, 200))

    async def users(self, request: web.Request) -> web.Response:
        start, size = window(request, 50, 1000)
        return json_response(self._users([*self._dataset.directory.users.values()][start : start + size]))

    async def assignable(self, request: web.Request) -> web.Response:
        key = request.query.get("project") or request.query.get("issueKey", "").rpartition("-")[0]
        if not key:
            raise Refused(400, "Either the 'project' or the 'issueKey' query parameter needs to be provided.")
        if self._find_project(key) is None:
            raise Refused(404, f"No project could be found with key '{key}'.")
        start, size = window(request, 50, SCANNED_USERS)
        # The documents want a query or an accountId; sites also answer without either.
        found = self._users_that_match(request.query.get("query", ""), request.query.get("accountId", ""))
        found = found[:SCANNED_USERS][start : start + size]
        return json_response(self._users([user for user in found if user.active and user.account_type == "atlassian"]))

    def _users_that_match(self, query: str, account_id: str) -> list[User]:
        """Those with that account id, or with a name or address in which a word begins with the query."""
        users = [*self._dataset.directory.users.values()]
        if query and account_id:
            raise Refused(400, "The 'query' and the 'accountId' query parameters cannot be given together.")
        if account_id:
            return [user for user in users if user.account_id == account_id]
        start = re.compile(rf"(?<!\w){re.escape(query)}", re.IGNORECASE)
        return [user for user in users if start.search(user.display_name) or start.match(user.email or "")]

    def _users(self, users: Sequence[User]) -> list[msgspec.Raw]:
        return [msgspec.Raw(self._dataset.renderer.user(user)) for user in users]

    async def myself(self, _: web.Request) -> web.Response:
        directory = self._dataset.directory
        return raw(self._dataset.renderer.user(directory.users[directory.account]))

    # ── projects and the site ──────────────────────────────────────────────────────────────────────────────────

    async def projects(self, request: web.Request) -> web.Response:
        known = [] if request[ANONYMOUS] else self._listed_projects(request)
        keys, ids = request.query.getall("keys", []), request.query.getall("id", [])
        query, expand = request.query.get("query", "").casefold(), listed(request, "expand")
        if (action := request.query.get("action", "view")) not in PROJECT_ACTIONS:
            raise Refused(400, f"The value '{action}' of the parameter 'action' is not one of its values.")
        if max(len(keys), len(ids)) > PROJECT_FILTERS:
            raise Refused(400, f"At most {PROJECT_FILTERS} projects can be asked for by key or id.")
        fit = [one for one in known if not (keys or ids) or one.key in keys or str(one.id) in ids]
        if not fit and (keys or ids) and not request[ANONYMOUS]:
            raise Refused(404, "No projects were found that match the search criteria.")
        fit = [one for one in fit if query in one.key.casefold() or query in one.name.casefold()]
        page = offset_page(request, fit, 50, 100)
        page["values"] = [self._shown_project(one, expand) for one in page["values"]]
        return json_response(page | {"self": str(request.url)})

    def _listed_projects(self, request: web.Request) -> list[Project]:
        """Those in the states asked for; what lies in the trash is shown there alone."""
        states = listed(request, "status") or ["live"]
        if wrong := [state for state in states if state not in PROJECT_STATES]:
            raise Refused(400, f"The value '{wrong[0]}' of the parameter 'status' is not one of its values.")
        projects = self._dataset.directory.projects.values()
        return sorted((one for one in projects if one.browsable and one.state in states), key=lambda one: one.key)

    def _shown_project(self, project: Project, expand: Sequence[str]) -> dict[str, Any]:
        insight = self._dataset.insight(project.key) if "insight" in expand else None
        return self._dataset.renderer.project(project, lead="lead" in expand, insight=insight)

    async def project(self, request: web.Request) -> web.Response:
        asked = request.match_info["project"]
        project = None if request[ANONYMOUS] else self._find_project(asked)
        if project is None:
            raise Refused(404, f"No project could be found with key '{asked}'.")
        return json_response(self._dataset.renderer.whole_project(project))

    def _find_project(self, id_or_key: str) -> Project | None:
        return self._dataset.project(id_or_key)

    async def fields(self, _: web.Request) -> web.Response:
        return json_response(list(self._fields.all.values()))

    async def server_info(self, request: web.Request) -> web.Response:
        now = datetime.fromtimestamp(self._dataset.clock.now() / 1000, UTC)
        return json_response(
            {
                "baseUrl": str(request.url.origin()),
                "displayUrl": str(request.url.origin()),
                "version": "1001.0.0-SNAPSHOT",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": "Cloud",
                "buildNumber": 100_287,
                "buildDate": "2026-01-01T00:00:00.000+0000",
                "serverTime": f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}+0000",
                "scmInfo": "simulated",
                "serverTitle": "Simulated Jira",
                "serverTimeZone": "Etc/UTC",
            }
        )


def _bulk_cap(asked: BulkBody) -> int:
    """1000 issues at once when single-valued fields are asked for by name, and otherwise 100."""
    fields, expand = asked.fields or [], asked.expand or []
    named = bool(fields) and not any(name.startswith(("*", "-")) for name in fields)
    narrow = catalogue.MULTI_VALUED.isdisjoint(fields) and WIDE_BULK_FORBIDS.isdisjoint(expand)
    return WIDE_BULK_CAP if named and narrow and len(fields) <= WIDE_BULK_FIELDS else BULK_CAP


def _described(known: FieldCatalogue, fields: frozenset[str] | None, expand: str) -> dict[str, Any]:
    """``names`` and ``schema`` of the fields shown, when they are asked for."""
    parts = {part.strip() for part in expand.split(",")}
    shown = [field for field in known.all.values() if fields and field["id"] in fields]
    more: dict[str, Any] = {}
    if "names" in parts:
        more["names"] = {field["id"]: field["name"] for field in shown}
    if "schema" in parts:
        more["schema"] = {field["id"]: field["schema"] for field in shown}
    return more
