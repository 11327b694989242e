"""The requests to Jira Cloud that the integrator makes, each a short method."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType, NoneType, TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote

from msgspec import Raw

from libs.jira_client import models, wire
from libs.jira_client.failures.classify import Context, put_away
from libs.jira_client.failures.errors import BadRequest, NotFoundOrHidden, error_for
from libs.jira_client.http.observing import Observer, unobserved
from libs.jira_client.http.pace import Limits
from libs.jira_client.http.transport import Params, Request, Transport
from libs.jira_client.lists import Listed, joined, read_all, read_one
from libs.jira_client.page_size import PageSize
from libs.jira_client.pages import (
    EMPTY_PAGES,
    REPEATED_PAGES,
    Fetch,
    SeenTokens,
    Shown,
    next_start,
    next_token,
    unbelievable,
    whole_list,
    whole_search,
)
from libs.jira_client.settings import JiraSettings
from libs.jira_client.sign_in.oauth import ByOAuth
from libs.jira_client.sign_in.ways import ByToken, RefreshTokens, SignIn

API: Final = "/rest/api/3"
AGILE: Final = "/rest/agile/1.0"
BULK_LIMIT: Final = 100
"""Issues per bulkfetch that Jira accepts with any fields."""
WORKLOGS_LIMIT: Final = 1000
"""Worklogs that Jira shows at once by their ids."""
AUDIT_LIMIT: Final = 1000
"""Entries of the audit log that Jira shows at once."""
USERS_LIMIT: Final = 128
"""Account ids per user/bulk; the address they make up is also kept below `LONGEST_QUERY`."""
ASSIGNABLE_LIMIT: Final = 1000
"""Users among whom Jira's search for assignable ones looks, whatever the page."""
LONGEST_QUERY: Final = 6000
"""Characters; proxies and servers commonly refuse a request line over 8 kB."""

_NO_SPRINTS: Final = re.compile(r"does not support sprints", re.IGNORECASE)
_THINGS: Final = {"key": "project"}
"""What an argument of a path names, where its name is another."""
_SEARCH: Final = f"POST {API}/search/jql"

R = TypeVar("R", bound=models.Record)
T = TypeVar("T")


class JiraClient:
    """One site, one account: `async with JiraClient(settings) as jira`.

    Every method raises JiraError (see `errors`). Searches are sent as POST: a JQL is often too long for an address.
    """

    def __init__(
        self,
        settings: JiraSettings,
        *,
        limits: Limits | None = None,
        observer: Observer = unobserved,
        refresh_tokens: RefreshTokens | None = None,
    ) -> None:
        """Speak to the site that the settings name.

        Args:
            settings: site, account, and how to behave.
            limits: shared between the clients of one site; without it the client makes its own from the settings.
            observer: hears of every request once it has ended.
            refresh_tokens: keeps the refresh token, where one signs in by it.
        """
        self.settings = settings
        self.limits = limits or Limits(
            requests_per_second=settings.requests_per_second,
            burst=settings.burst,
            max_concurrency=settings.max_concurrency,
            longest_wait_seconds=settings.longest_wait_seconds,
        )
        self.page_size = PageSize(settings.issue_page_size)
        """How many issues with all their fields the site bears at once: whoever asks for them learns it."""
        self.ids_of_page = PageSize(settings.issue_page_size)
        """How many ids of such issues it gives at once to a search that shows nothing else."""
        sign_in = _sign_in(settings, refresh_tokens, self.limits.pulse.monotonic)
        self._transport = Transport(settings, self.limits, sign_in, observer)

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

    async def pause(self, attempt: int) -> None:
        """Wait as long as before a further try of a failed request; `attempt` counts from 1."""
        await self._transport.pause(attempt)

    # --- the account and the site

    async def verify_credentials(self) -> models.Account:
        """Proves the token. Other endpoints may answer an expired token with an empty 200."""
        return await self.myself()

    async def myself(self) -> models.Account:
        return (await self._transport.fetch(_get("/myself", models.Account))).value

    async def server_info(self) -> models.ServerInfo:
        """Answered to anybody: no proof of the token."""
        return (await self._transport.fetch(_get("/serverInfo", models.ServerInfo))).value

    async def fields(self) -> Listed[models.Field]:
        """The site's fields; one whose name or schema cannot be read has none."""
        request = _get("/field", list[Raw])
        return read_all(models.Field, (await self._transport.fetch(request)).value, request.endpoint)

    # --- projects, boards, sprints

    async def project(self, key: str) -> models.Project:
        """The project with this key.

        Raises NotFoundOrHidden when there is none that the account may browse, and when it is archived or in the trash.
        """
        try:
            found = await self.projects(keys=(key,))
        except NotFoundOrHidden:
            found = None
        named = [project for project in found.projects if project.key == key] if found else []
        if named:
            return named[0]
        # The search knows only current keys; this call also follows a former key of a renamed project.
        request = _get("/project/{key}", Raw, key=key)
        shown = read_one(models.Project, (await self._transport.fetch(request)).value, request.endpoint)
        if where := "archived" if shown.archived else "in the trash" if shown.deleted else "":
            raise error_for(put_away(f"Project {shown.key}", where, Context(request.endpoint, subject=request.subject)))
        return shown

    async def project_standing(self, name: str) -> models.ProjectStanding:
        """The project with this key or id, archived or in the trash too, with what Jira counts of it.

        Raises NotFoundOrHidden when there is none that the account may see.
        """
        if (listed := await self._browsable(name)) is not None:
            return models.ProjectStanding(project=listed, browsable=True)
        request = _get("/project/{key}", Raw, key=name)
        shown = read_one(models.Project, (await self._transport.fetch(request)).value, request.endpoint)
        if shown.key != name and not (shown.archived or shown.deleted):
            listed = await self._browsable(shown.key)
        return models.ProjectStanding(project=listed or shown, browsable=listed is not None)

    async def _browsable(self, key: str) -> models.Project | None:
        """The live project with exactly this key; None where Jira lists none that the account may browse."""
        try:
            found = await self.projects(keys=(key,), insight=True)
        except NotFoundOrHidden:
            return None
        named = (project for project in found.projects if project.key == key)
        return next((project for project in named if not (project.archived or project.deleted)), None)

    async def blocked_by_policy(self, project_id: str) -> bool:
        """Whether a data policy of the site keeps programs out of the project, or of some of its content."""
        request = _get("/data-policy/project", wire.Policies, {"ids": project_id})
        found = (await self._transport.fetch(request)).value
        policies = read_all(models.ProjectPolicy, found.project_data_policies, request.endpoint)
        return any(str(one.id) == project_id and one.data_policy.any_content_blocked for one in policies)

    async def audited_deletions(self, since: datetime) -> set[str]:
        """Issues that were deleted since then, as the audit log says: their keys, and ids where it has them.

        An administrator alone may read it. The latest `AUDIT_LIMIT` are shown; not every site records deletions.
        """
        params: Params = {
            "filter": "deleted issue",
            "from": f"{since.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000+0000",
            "limit": AUDIT_LIMIT,
        }
        request = _get("/auditing/record", wire.Audited, params)
        found = (await self._transport.fetch(request)).value
        records = read_all(models.AuditRecord, found.records, request.endpoint)
        items = [one.object_item for one in records if one.object_item is not None]
        deleted = [item for item in items if item.type_name == "ISSUE_DELETE"]
        return {str(name) for item in deleted for name in (item.name, item.id) if name}

    async def projects(
        self, search: str | None = None, start: int = 0, *, keys: Sequence[str] = (), insight: bool = False
    ) -> models.ProjectPage:
        """Live projects the account may browse, ordered by key: all, or those whose name or key matches `search`.

        Where nothing matches, Jira answers with an empty page or with NotFoundOrHidden. With `insight`, Jira also
        counts their issues.
        """
        # Without an action Jira also lists what the account may administer but not read.
        params: dict[str, Any] = {"startAt": start, "maxResults": self.settings.list_page_size, "action": "browse"}
        params |= {"query": search} if search else {}
        params |= {"keys": list(keys)} if keys else {}
        params |= {"expand": "insight"} if insight else {}
        request = _get("/project/search", wire.Values, params)
        page, server_time = await self._transport.fetch(request)
        return models.ProjectPage(
            projects=read_all(models.Project, page.values, request.endpoint),
            next_start=next_start(start, len(page.values), wire.flag(page.is_last), wire.number(page.total)),
            server_time=server_time,
        )

    async def boards(self, project_key: str) -> Listed[models.Board]:
        """All boards that show the project, of every type."""
        params: dict[str, Any] = {
            "projectKeyOrId": project_key,
            "startAt": 0,
            "maxResults": self.settings.list_page_size,
        }
        return await self._whole_list(models.Board, _get("/board", wire.Values, params, root=AGILE))

    async def sprints(self, board_id: int, states: Sequence[str] | None = None) -> Listed[models.Sprint]:
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
                return Listed()
            raise

    async def _whole_list(self, kind: type[R], first: Request[wire.Values]) -> Listed[R]:
        """Every page of a `startAt` list, from the request for its first one on."""

        async def page(start: int) -> Shown:
            request = first._replace(params={**first.params, "startAt": start})
            found = (await self._transport.fetch(request)).value
            return Shown(found.values, wire.flag(found.is_last), wire.number(found.total))

        return await _typed(kind, page, first.endpoint)

    # --- issues

    async def search_ids(self, jql: str, token: str | None = None, max_results: int | None = None) -> models.IdPage:
        """Ids of issues, up to 5,000 at a time. `token` is the `next_token` of the page before."""
        size = max_results or self.settings.id_page_size
        found = await self._search(jql, ["id"], token, size, divisible=False)
        return models.IdPage(
            ids=(ids := _names(found.issues)),
            nameless=len(found.issues) - len(ids),
            next_token=found.next_token,
            is_last=found.is_last,
            server_time=found.server_time,
        )

    async def search_issues(
        self, jql: str, fields: Sequence[str], token: str | None = None, max_results: int | None = None
    ) -> models.IssuePage:
        """Issues with these fields. Jira may give fewer than asked: only a missing `next_token` means the end.

        Where a smaller page may help (`smaller_may_help`), this one is not tried again.
        """
        size = max_results or self.settings.issue_page_size
        return await self._search(jql, fields, token, size, divisible=size > 1)

    async def id_pages(
        self, jql: str, token: str | None = None, seen: SeenTokens | None = None
    ) -> AsyncIterator[models.IdPage]:
        """All pages of ids.

        Ends with BadResponse, after the pages that came, when a token comes back or a few pages in a row show nothing
        new though another follows: then the ids are not all.
        """
        seen = seen or SeenTokens()
        known: set[str] = set()
        repeated = 0
        while True:
            page = await self.search_ids(jql, token)
            yield page
            token = page.next_token
            if token is None:
                return
            seen.add(token, _SEARCH)
            repeated = repeated + 1 if known.issuperset(page.ids) else 0
            if repeated == REPEATED_PAGES:
                raise unbelievable(f"Jira shows the same issues again after {len(known)} of them.", _SEARCH)
            known.update(page.ids)

    async def _search(
        self, jql: str, fields: Sequence[str], token: str | None, size: int, *, divisible: bool
    ) -> models.IssuePage:
        """The next page that shows an issue, or the last: a few empty ones before it are passed over."""
        for _ in range(EMPTY_PAGES):
            page = await self._search_page(jql, fields, token, size, divisible=divisible)
            if page.issues or page.is_last:
                return page
            token = page.next_token
        raise unbelievable(f"Jira gave {EMPTY_PAGES} empty pages in a row, and says that more follow.", _SEARCH)

    async def _search_page(
        self, jql: str, fields: Sequence[str], token: str | None, size: int, *, divisible: bool
    ) -> models.IssuePage:
        body: dict[str, Any] = {"jql": jql, "fields": list(fields), "maxResults": size}
        body |= {"nextPageToken": token} if token else {}
        found, server_time = await self._transport.fetch(_post("/search/jql", wire.Found, body, divisible=divisible))
        following = next_token(found.next_page_token, wire.flag(found.is_last), _SEARCH, token)
        if token is None and following is None:
            whole_search(len(found.issues), wire.number(found.total), _SEARCH)
        return models.IssuePage(
            issues=found.issues, next_token=following, is_last=following is None, server_time=server_time
        )

    async def bulk_fetch(self, ids: Sequence[str], fields: Sequence[str]) -> models.BulkIssues:
        """At most 100 issues by id or key, moved ones included; each one asked for is in `issues` or in `errors`.

        Several are not asked for again where fewer at once may come (`smaller_may_help`).
        """
        if not 0 < len(ids) <= BULK_LIMIT:
            raise ValueError(f"bulk_fetch takes 1 to {BULK_LIMIT} issues, not {len(ids)}: split the list.")
        body = {"issueIdsOrKeys": list(ids), "fields": list(fields)}
        request = _post("/issue/bulkfetch", wire.Bulk, body, divisible=len(ids) > 1)
        bulk, server_time = await self._transport.fetch(request)
        errors = [_problem(missed) for missed in bulk.issue_errors or ()]
        return models.BulkIssues(
            issues=bulk.issues, errors=errors + list(_unmentioned(ids, bulk)), server_time=server_time
        )

    async def issue(self, issue_id: str, fields: Sequence[str]) -> Raw:
        """One issue by its id or key. Raises NotFoundOrHidden when there is none that the account may see."""
        request = _get("/issue/{issue}", Raw, {"fields": ",".join(fields)}, issue=issue_id)
        return (await self._transport.fetch(request)).value

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
        return models.ChildPage(
            items=page.comments, start=start, total=wire.number(page.total), server_time=server_time
        )

    async def all_comments(self, issue_id: str) -> Listed[Raw]:
        """Every comment that Jira shows of an issue; see `Listed` for what may be missing."""
        return await whole_list(_children(partial(self.comments, issue_id)), f"GET {API}/issue/{issue_id}/comment")

    async def worklogs(self, issue_id: str, start: int = 0) -> models.ChildPage:
        request = _get("/issue/{issue}/worklog", wire.Worklogs, self._child_page(start), issue=issue_id)
        page, server_time = await self._transport.fetch(request)
        return models.ChildPage(
            items=page.worklogs, start=start, total=wire.number(page.total), server_time=server_time
        )

    async def all_worklogs(self, issue_id: str) -> Listed[Raw]:
        """Every worklog that Jira shows of an issue; see `Listed` for what may be missing."""
        return await whole_list(_children(partial(self.worklogs, issue_id)), f"GET {API}/issue/{issue_id}/worklog")

    async def deleted_worklogs(self, since: int) -> models.DeletedWorklogs:
        """Worklogs of the whole site that were deleted after a moment (in milliseconds since 1970).

        What happened in the last minute is not shown yet. The feed has been seen to name worklogs that are still there.
        """
        page, server_time = await self._transport.fetch(_get("/worklog/deleted", wire.WorklogChanges, {"since": since}))
        ids = [str(value.worklog_id) for value in page.values]
        return models.DeletedWorklogs(ids=ids, until=page.until, last=page.last_page, server_time=server_time)

    async def worklogs_shown(self, ids: Sequence[str]) -> set[str]:
        """Those of the worklogs, at most `WORKLOGS_LIMIT`, that Jira shows when it is asked for them by their ids."""
        if not 0 < len(ids) <= WORKLOGS_LIMIT:
            raise ValueError(f"worklogs_shown takes 1 to {WORKLOGS_LIMIT} ids, not {len(ids)}: split the list.")
        request = _post("/worklog/list", list[Raw], {"ids": [int(one) for one in ids]})
        shown = (await self._transport.fetch(request)).value
        found = models.ids_of(shown)
        if len(found) < len(shown):
            raise unbelievable("Jira shows a worklog without an id.", request.endpoint)
        return {*found}

    def _child_page(self, start: int) -> Params:
        return {"startAt": start, "maxResults": self.settings.child_page_size}

    # --- webhooks of our app

    async def webhooks(self) -> Listed[models.Webhook]:
        """Those that our app has registered on the site. Raises Forbidden for whoever is no app."""
        params = {"startAt": 0, "maxResults": self.settings.child_page_size}
        return await self._whole_list(models.Webhook, _get("/webhook", wire.Values, params))

    async def register_webhooks(
        self, url: str, filters: Sequence[str], events: Sequence[str]
    ) -> list[models.NewWebhook]:
        """One for each JQL, in this order; each may be refused by itself."""
        wanted = [{"jqlFilter": jql, "events": list(events)} for jql in filters]
        request = _post("/webhook", wire.Registration, {"url": url, "webhooks": wanted})
        found = (await self._transport.fetch(request)).value.webhook_registration_result
        if len(found) != len(filters):
            raise unbelievable("Jira does not say of each webhook whether it is registered.", request.endpoint)
        return [_new_webhook(one) for one in found]

    async def refresh_webhooks(self, ids: Sequence[int]) -> None:
        """Let them end 30 days from now. Jira passes over those that it does not know, without a word."""
        await self._transport.fetch(_webhooks("PUT", "/webhook/refresh", Raw, ids))

    async def remove_webhooks(self, ids: Sequence[int]) -> None:
        """Remove them. Those of other apps stay."""
        await self._transport.fetch(_webhooks("DELETE", "/webhook", NoneType, ids))

    # --- users

    async def users_bulk(self, account_ids: Sequence[str]) -> Listed[models.User]:
        """These users, in as few requests as fit; unknown ids are left out."""
        parts: list[Listed[models.User]] = []
        for chunk in _chunks(account_ids):
            params: dict[str, Any] = {"accountId": chunk, "startAt": 0, "maxResults": len(chunk)}
            parts.append(await self._whole_list(models.User, _get("/user/bulk", wire.Values, params)))
        return joined(parts)

    async def all_users(self) -> Listed[models.User]:
        """All users of the site, former ones included. Needs the permission *Browse users and groups*.

        Only an empty page, or one that comes again, is the end: Jira filters after cutting pages, so short ones mean
        nothing.
        """
        request = _get("/users/search", list[Raw], {"maxResults": self.settings.user_page_size})

        async def page(start: int) -> Shown:
            asked = request._replace(params={**request.params, "startAt": start})
            return Shown((await self._transport.fetch(asked)).value, None, None)

        return await _typed(models.User, page, request.endpoint)

    async def assignable_users(self, project_key: str, search: str = "") -> Listed[models.User]:
        """People who can be assigned issues of a project: all, or those whose name or address begins with `search`.

        One request: Jira looks at the first 1,000 users that match and leaves out those who cannot be assigned, so a
        longer `search` finds who is missing, and a second page would bring nobody.
        """
        params: dict[str, Any] = {"project": project_key, "startAt": 0, "maxResults": ASSIGNABLE_LIMIT}
        params |= {"query": search} if search else {}
        request = _get("/user/assignable/search", list[Raw], params)
        return read_all(models.User, (await self._transport.fetch(request)).value, request.endpoint)


def _sign_in(settings: JiraSettings, refresh_tokens: RefreshTokens | None, monotonic: Callable[[], float]) -> SignIn:
    if settings.oauth is None:
        return ByToken(settings.base_url, settings.email, settings.token)
    return ByOAuth(settings.base_url, settings.oauth, refresh_tokens, monotonic)


async def _typed(kind: type[R], fetch: Fetch, endpoint: str) -> Listed[R]:
    """A whole `startAt` list as typed values, with what is odd about the pages and about the values."""
    raws = await whole_list(fetch, endpoint)
    values = read_all(kind, raws, endpoint)
    return Listed(values, cut=raws.cut, notes=raws.notes + values.notes, left_out=values.left_out)


def _children(fetch: Callable[[int], Awaitable[models.ChildPage]]) -> Fetch:
    async def page(start: int) -> Shown:
        found = await fetch(start)
        return Shown(found.items, None, found.total)

    return page


def _names(issues: Iterable[Raw]) -> list[str]:
    """By what each issue can be asked for: its id, else its key."""
    return [name for issue in issues if (name := models.id_of(issue) or models.key_of(issue))]


def _problem(missed: wire.Missed) -> models.IssueProblem:
    message = missed.error_message if isinstance(missed.error_message, str) else ""
    return models.IssueProblem(id="" if missed.id is None else str(missed.id), message=message)


def _get(
    path: str, kind: type[T], params: Params = MappingProxyType({}), *, root: str = API, **parts: object
) -> Request[T]:
    filled = path.format(**{name: quote(str(part), safe="") for name, part in parts.items()})
    subject = ", ".join(f"{_THINGS.get(name, name)} {part}" for name, part in parts.items())
    return Request(f"GET {root}{path}", f"{root}{filled}", kind, params, subject=subject)


def _post(path: str, kind: type[T], body: Mapping[str, Any], *, divisible: bool = False) -> Request[T]:
    return Request(f"POST {API}{path}", f"{API}{path}", kind, body=body, divisible=divisible)


def _webhooks(method: str, path: str, kind: type[T], ids: Sequence[int]) -> Request[T]:
    return Request(f"{method} {API}{path}", f"{API}{path}", kind, body={"webhookIds": list(ids)})


def _new_webhook(told: wire.Registered) -> models.NewWebhook:
    """One without an id is refused, whatever else is said of it."""
    if isinstance(told.created_webhook_id, int) and not isinstance(told.created_webhook_id, bool):
        return models.NewWebhook(told.created_webhook_id, ())
    errors = told.errors if isinstance(told.errors, list) else []
    return models.NewWebhook(None, tuple(str(error) for error in errors) or ("Jira does not say why.",))


def _unmentioned(ids: Sequence[str], bulk: wire.Bulk) -> Iterator[models.IssueProblem]:
    """The ids about which the answer says nothing. Keys cannot be compared: an issue may come back under a new one."""
    mentioned = {*models.ids_of(bulk.issues), *(str(missed.id) for missed in bulk.issue_errors or ())}
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
