"""The requests to Jira Cloud that the integrator makes, each a short method."""

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Raw

from libs.jira_client import models, wire
from libs.jira_client.failures.classify import Context, classify_exception
from libs.jira_client.failures.errors import BadRequest, NotFoundOrHidden, error_for
from libs.jira_client.http.observing import Observer, unobserved
from libs.jira_client.http.pace import Limits
from libs.jira_client.http.transport import Params, Request, Transport
from libs.jira_client.pages import SeenTokens, every, every_child, next_start, next_token
from libs.jira_client.settings import JiraSettings

API: Final = "/rest/api/3"
AGILE: Final = "/rest/agile/1.0"
BULK_LIMIT: Final = 100
"""Issues per bulkfetch that Jira accepts with any fields."""
USERS_LIMIT: Final = 128
"""Account ids per user/bulk; the address they make up is also kept below `LONGEST_QUERY`."""
ASSIGNABLE_LIMIT: Final = 1000
"""Users among whom Jira's search for assignable ones looks, whatever the page."""
LONGEST_QUERY: Final = 6000
"""Characters; proxies and servers commonly refuse a request line over 8 kB."""

_NO_SPRINTS: Final = re.compile(r"does not support sprints", re.IGNORECASE)
_SEARCH: Final = f"POST {API}/search/jql"

R = TypeVar("R", bound=models.Record)
T = TypeVar("T")


class JiraClient:
    """One site, one account: `async with JiraClient(settings) as jira`.

    Every method raises JiraError (see `errors`). Searches are sent as POST: a JQL is often too long for an address.
    """

    def __init__(
        self, settings: JiraSettings, *, limits: Limits | None = None, observer: Observer = unobserved
    ) -> None:
        """Speak to the site that the settings name.

        Args:
            settings: site, account, and how to behave.
            limits: shared between the clients of one site; without it the client makes its own from the settings.
            observer: hears of every request once it has ended.
        """
        self.settings = settings
        self.limits = limits or Limits(
            requests_per_second=settings.requests_per_second,
            burst=settings.burst,
            max_concurrency=settings.max_concurrency,
            longest_wait_seconds=settings.longest_wait_seconds,
        )
        self._transport = Transport(settings, self.limits, observer)

    def __repr__(self) -> str:
        return f"JiraClient({self.settings.base_url!r})"

    async def __aenter__(self) -> Self:
        await self._transport.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    @property
    def requests(self) -> int:
        """HTTP requests sent so far, repeated tries included."""
        return self._transport.requests

    @property
    def server_now(self) -> datetime | None:
        """Jira's clock (UTC), at most a second or so behind and never ahead of it; None before the first answer."""
        return self._transport.server_now

    # --- the account and the site

    async def verify_credentials(self) -> models.Account:
        """Proves the token. Other endpoints may answer an expired token with an empty 200."""
        return await self.myself()

    async def myself(self) -> models.Account:
        return (await self._transport.fetch(_get("/myself", models.Account))).value

    async def server_info(self) -> models.ServerInfo:
        """Answered to anybody: no proof of the token."""
        return (await self._transport.fetch(_get("/serverInfo", models.ServerInfo))).value

    async def fields(self) -> list[models.Field]:
        return (await self._transport.fetch(_get("/field", list[models.Field]))).value

    # --- projects, boards, sprints

    async def project(self, key: str) -> models.Project:
        """The project with this key. Raises NotFoundOrHidden when there is none that the account may browse."""
        try:
            found = await self.projects(keys=(key,))
        except NotFoundOrHidden:
            found = None
        named = [project for project in found.projects if project.key == key] if found else []
        if named:
            return named[0]
        # The search knows only current keys; this call also follows a former key of a renamed project.
        request = _get("/project/{key}", Raw, key=key)
        (only,) = _records(models.Project, [(await self._transport.fetch(request)).value], request.endpoint)
        return only

    async def projects(
        self, search: str | None = None, start: int = 0, *, keys: Sequence[str] = ()
    ) -> models.ProjectPage:
        """Live projects the account may browse, ordered by key: all, or those whose name or key matches `search`.

        Where nothing matches, Jira answers with an empty page or with NotFoundOrHidden.
        """
        # Without an action Jira also lists what the account may administer but not read.
        params: dict[str, Any] = {"startAt": start, "maxResults": self.settings.list_page_size, "action": "browse"}
        params |= {"query": search} if search else {}
        params |= {"keys": list(keys)} if keys else {}
        request = _get("/project/search", wire.Values, params)
        page, server_time = await self._transport.fetch(request)
        return models.ProjectPage(
            projects=_records(models.Project, page.values, request.endpoint),
            next_start=next_start(start, len(page.values), page.is_last, page.total, request.endpoint),
            server_time=server_time,
        )

    async def boards(self, project_key: str) -> list[models.Board]:
        """All boards that show the project, of every type."""
        params: dict[str, Any] = {
            "projectKeyOrId": project_key,
            "startAt": 0,
            "maxResults": self.settings.list_page_size,
        }
        return await self._whole_list(models.Board, _get("/board", wire.Values, params, root=AGILE))

    async def sprints(self, board_id: int, states: Sequence[str] | None = None) -> list[models.Sprint]:
        """All sprints of a board, foreign ones included; an empty list for a board that has none by nature.

        `states`: some of `active`, `closed`, `future`.
        """
        params: dict[str, Any] = {"state": ",".join(states)} if states else {}
        params |= {"startAt": 0, "maxResults": self.settings.list_page_size}
        request = _get("/board/{board}/sprint", wire.Values, params, root=AGILE, board=board_id)
        try:
            return await self._whole_list(models.Sprint, request)
        except BadRequest as error:
            if _NO_SPRINTS.search(error.message):
                return []
            raise

    async def _whole_list(self, kind: type[R], first: Request[wire.Values]) -> list[R]:
        """Every page of a `startAt` list, from the request for its first one on."""

        async def page(start: int) -> tuple[list[R], int | None]:
            request = first._replace(params={**first.params, "startAt": start})
            found = (await self._transport.fetch(request)).value
            following = next_start(start, len(found.values), found.is_last, found.total, first.endpoint)
            return _records(kind, found.values, first.endpoint), following

        return await every(page, first.endpoint)

    # --- issues

    async def search_ids(self, jql: str, token: str | None = None, max_results: int | None = None) -> models.IdPage:
        """Ids of issues, up to 5,000 at a time. `token` is the `next_token` of the page before."""
        found = await self._search(jql, ["id"], token, max_results or self.settings.id_page_size)
        return models.IdPage(
            ids=models.ids_of(found.issues),
            next_token=found.next_token,
            is_last=found.is_last,
            server_time=found.server_time,
        )

    async def search_issues(
        self, jql: str, fields: Sequence[str], token: str | None = None, max_results: int | None = None
    ) -> models.IssuePage:
        """Issues with these fields. Jira may give fewer than asked: only a missing `next_token` means the end."""
        return await self._search(jql, fields, token, max_results or self.settings.issue_page_size)

    async def id_pages(
        self, jql: str, token: str | None = None, seen: SeenTokens | None = None
    ) -> AsyncIterator[models.IdPage]:
        """All pages of ids; ends with BadResponse when a token comes back."""
        seen = seen or SeenTokens()
        while True:
            page = await self.search_ids(jql, token)
            yield page
            token = page.next_token
            if token is None:
                return
            seen.add(token, _SEARCH)

    async def _search(self, jql: str, fields: Sequence[str], token: str | None, size: int) -> models.IssuePage:
        body: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": size}
        body |= {"nextPageToken": token} if token else {}
        found, server_time = await self._transport.fetch(_post("/search/jql", wire.Found, body))
        following = next_token(found.next_page_token, found.is_last, _SEARCH, token)
        return models.IssuePage(
            issues=found.issues, next_token=following, is_last=following is None, server_time=server_time
        )

    async def bulk_fetch(self, ids: Sequence[str], fields: Sequence[str]) -> models.BulkIssues:
        """At most 100 issues by id or key, moved ones included; each one asked for is in `issues` or in `errors`."""
        if not 0 < len(ids) <= BULK_LIMIT:
            raise ValueError(f"bulk_fetch takes 1 to {BULK_LIMIT} issues, not {len(ids)}: split the list.")
        request = _post("/issue/bulkfetch", wire.Bulk, {"issueIdsOrKeys": list(ids), "fields": list(fields)})
        bulk, server_time = await self._transport.fetch(request)
        errors = [models.IssueProblem(id=missed.id, message=missed.error_message) for missed in bulk.issue_errors]
        return models.BulkIssues(
            issues=bulk.issues, errors=errors + list(_unmentioned(ids, bulk)), server_time=server_time
        )

    async def approximate_count(self, jql: str) -> int:
        """How many issues match, perhaps a little out of date."""
        request = _post("/search/approximate-count", wire.Count, {"jql": jql})
        return (await self._transport.fetch(request)).value.count

    # --- comments and worklogs

    async def comments(self, issue_id: str, start: int = 0) -> models.ChildPage:
        """Comments of an issue, oldest first."""
        params = {**self._child_page(start), "orderBy": "created"}
        request = _get("/issue/{issue}/comment", wire.Comments, params, issue=issue_id)
        page, server_time = await self._transport.fetch(request)
        return models.ChildPage(items=page.comments, start=start, total=page.total, server_time=server_time)

    async def all_comments(self, issue_id: str) -> list[Raw]:
        return await every_child(lambda start: self.comments(issue_id, start), f"GET {API}/issue/{{issue}}/comment")

    async def worklogs(self, issue_id: str, start: int = 0) -> models.ChildPage:
        request = _get("/issue/{issue}/worklog", wire.Worklogs, self._child_page(start), issue=issue_id)
        page, server_time = await self._transport.fetch(request)
        return models.ChildPage(items=page.worklogs, start=start, total=page.total, server_time=server_time)

    async def all_worklogs(self, issue_id: str) -> list[Raw]:
        return await every_child(lambda start: self.worklogs(issue_id, start), f"GET {API}/issue/{{issue}}/worklog")

    def _child_page(self, start: int) -> Params:
        return {"startAt": start, "maxResults": self.settings.child_page_size}

    # --- users

    async def users_bulk(self, account_ids: Sequence[str]) -> list[models.User]:
        """These users, in as few requests as fit; unknown ids are left out."""
        users: list[models.User] = []
        for chunk in _chunks(account_ids):
            params: dict[str, Any] = {"accountId": chunk, "startAt": 0, "maxResults": len(chunk)}
            users += await self._whole_list(models.User, _get("/user/bulk", wire.Values, params))
        return users

    async def users_search(self, start: int = 0) -> models.UserPage:
        """All users of the site, former ones included. Needs the permission *Browse users and groups*."""
        request = _get("/users/search", list[Raw], {"startAt": start, "maxResults": self.settings.user_page_size})
        found, server_time = await self._transport.fetch(request)
        return models.UserPage(
            users=_records(models.User, found, request.endpoint),
            next_start=start + len(found) if found else None,
            server_time=server_time,
        )

    async def assignable_users(self, project_key: str, search: str = "") -> list[models.User]:
        """People who can be assigned issues of a project: all, or those whose name or address begins with `search`.

        One request: Jira looks at the first 1,000 users that match and leaves out those who cannot be assigned, so a
        longer `search` finds who is missing, and a second page would bring nobody.
        """
        params: dict[str, Any] = {"project": project_key, "startAt": 0, "maxResults": ASSIGNABLE_LIMIT}
        params |= {"query": search} if search else {}
        request = _get("/user/assignable/search", list[Raw], params)
        return _records(models.User, (await self._transport.fetch(request)).value, request.endpoint)


def _records(kind: type[R], payloads: Iterable[Raw], endpoint: str) -> list[R]:
    """The typed values; one of another shape than documented is a failure of the request that brought it."""
    try:
        return models.records(kind, payloads)
    except msgspec.DecodeError as error:
        raise error_for(classify_exception(error, Context(endpoint=endpoint))) from error


def _get(
    path: str, kind: type[T], params: Params = MappingProxyType({}), *, root: str = API, **parts: object
) -> Request[T]:
    filled = path.format(**{name: quote(str(part), safe="") for name, part in parts.items()})
    return Request(f"GET {root}{path}", f"{root}{filled}", kind, params)


def _post(path: str, kind: type[T], body: Mapping[str, Any]) -> Request[T]:
    return Request(f"POST {API}{path}", f"{API}{path}", kind, body=body)


def _unmentioned(ids: Sequence[str], bulk: wire.Bulk) -> Iterator[models.IssueProblem]:
    """The ids about which the answer says nothing. Keys cannot be compared: an issue may come back under a new one."""
    mentioned = {*models.ids_of(bulk.issues), *(missed.id for missed in bulk.issue_errors)}
    for issue_id in ids:
        if issue_id.isdecimal() and issue_id not in mentioned:
            yield models.IssueProblem(
                id=issue_id, message="Jira's answer does not mention this issue.", confirmed=False
            )


def _chunks(account_ids: Sequence[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    length = 0
    for account_id in dict.fromkeys(account_ids):
        size = len("&accountId=") + len(quote(account_id, safe=""))
        if chunk and (len(chunk) == USERS_LIMIT or length + size > LONGEST_QUERY):
            yield chunk
            chunk, length = [], 0
        chunk.append(account_id)
        length += size
    if chunk:
        yield chunk
