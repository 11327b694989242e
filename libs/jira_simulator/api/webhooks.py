"""Dynamic webhooks under ``/rest/api/3/webhook``: registered by an app, for 30 days. It keeps them, and sends none."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec
from aiohttp import web

from libs.jira_simulator.api.answers import Refused, body_of, json_response, offset_page
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.render import zulu

WEBHOOKS: Final = "/rest/api/3/webhook"
BY_APP: Final = web.RequestKey("by app", bool)
"""Whether a request comes from an app, signed in by OAuth."""
MOST: Final = 5
"""Of one user's app on one site."""
LIFETIME_MS: Final = 30 * 86_400_000
EVENTS: Final = frozenset(
    f"{kind}_{what}"
    for kind, acts in (
        ("jira:issue", ("created", "updated", "deleted")),
        ("comment", ("created", "updated", "deleted")),
        ("issue_property", ("set", "deleted")),
    )
    for what in acts
)
_CLAUSE: Final = re.compile(r"\s*project\s+(?:=\s*(\"?[\w-]+\"?)|in\s*\(([^()]+)\))\s*", re.IGNORECASE)
"""What it understands of the subset of JQL that Jira takes here."""


class _Wanted(msgspec.Struct, rename="camel"):
    jql_filter: str
    events: list[str]
    field_ids_filter: list[str] | None = None


class _Registration(msgspec.Struct):
    url: str
    webhooks: list[_Wanted]


class _Ids(msgspec.Struct, rename="camel"):
    webhook_ids: list[int]


class _Lost(msgspec.Struct, rename="camel"):
    webhook_ids: list[int] = []


class Webhooks:
    """The handlers, and what is registered."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self.registered: dict[int, dict[str, Any]] = {}
        """Id → as it is shown, without its id; ``expirationDate`` in milliseconds."""
        self.next_id = 1000
        self.page = 50
        """Most that a page shows."""
        self.refreshes: list[int] | None = None
        """Those that a refresh does extend, whatever is asked for; None: all."""
        self.as_text = False
        """Whether times are shown as text, as the documents' examples have them."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(WEBHOOKS, self.shown),
            web.post(WEBHOOKS, self.register),
            web.delete(WEBHOOKS, self.remove),
            web.put(f"{WEBHOOKS}/refresh", self.refresh),
        ]

    def steering(self) -> list[web.RouteDef]:
        """As if some, or without a list all, had ended: what a test does to them."""
        return [web.post("/simulator/lose-webhooks", self.lose_some)]

    async def lose_some(self, request: web.Request) -> web.Response:
        asked = await body_of(request, _Lost)
        self.lose(*asked.webhook_ids)
        return json_response({"left": [id_ for id_, _ in self._all()]})

    def lose(self, *ids: int) -> None:
        """As if they had ended."""
        for one in ids or [*self.registered]:
            self.registered.pop(one, None)

    async def shown(self, request: web.Request) -> web.Response:
        _only_apps(request)
        self._drop_ended()
        found = [{"id": id_, **hook, "expirationDate": self._time(hook["expirationDate"])} for id_, hook in self._all()]
        return json_response(offset_page(request, found, self.page, self.page))

    async def register(self, request: web.Request) -> web.Response:
        _only_apps(request)
        asked = await body_of(request, _Registration)
        if not asked.webhooks:
            raise Refused(400, "The list of webhooks must not be empty.")
        self._drop_ended()
        return json_response(
            {"webhookRegistrationResult": [self._registered(asked.url, one) for one in asked.webhooks]}
        )

    async def refresh(self, request: web.Request) -> web.Response:
        _only_apps(request)
        asked = await body_of(request, _Ids)
        until = self._now() + LIFETIME_MS
        for one in asked.webhook_ids:
            if one in self.registered and (self.refreshes is None or one in self.refreshes):
                self.registered[one]["expirationDate"] = until
        return json_response({"expirationDate": self._time(until)})

    async def remove(self, request: web.Request) -> web.Response:
        _only_apps(request)
        for one in (await body_of(request, _Ids)).webhook_ids:
            self.registered.pop(one, None)
        return web.Response(status=202)

    def _registered(self, url: str, wanted: _Wanted) -> dict[str, Any]:
        if errors := self._errors(wanted):
            return {"errors": errors}
        id_, self.next_id = self.next_id, self.next_id + 1
        self.registered[id_] = {
            "jqlFilter": wanted.jql_filter,
            "events": wanted.events,
            "url": url,
            "expirationDate": self._now() + LIFETIME_MS,
        }
        return {"createdWebhookId": id_}

    def _errors(self, wanted: _Wanted) -> list[str]:
        if len(self.registered) >= MOST:
            return [f"The app has reached the limit of {MOST} webhooks for this user."]
        if unknown := sorted(set(wanted.events) - EVENTS):
            return [f"The event {unknown[0]} is unsupported."]
        clause = _CLAUSE.fullmatch(wanted.jql_filter)
        if clause is None:
            return ["The JQL filter is not supported: use project, issueKey, issuetype, status, assignee or reporter."]
        keys = [part.strip().strip('"') for part in (clause[1] or clause[2]).split(",")]
        unseen = [key for key in keys if not self._shows(key)]
        return [f"The value '{key}' does not exist for the field 'project'." for key in unseen]

    def _shows(self, key: str) -> bool:
        project = self._dataset.project(key)
        return project is not None and project.browsable

    def _all(self) -> list[tuple[int, dict[str, Any]]]:
        return sorted(self.registered.items())

    def _drop_ended(self) -> None:
        now = self._now()
        self.registered = {id_: hook for id_, hook in self._all() if hook["expirationDate"] > now}

    def _now(self) -> int:
        return self._dataset.clock.now()

    def _time(self, milliseconds: int) -> int | str:
        return zulu(milliseconds).replace("Z", "+0000") if self.as_text else milliseconds


def _only_apps(request: web.Request) -> None:
    if not request.get(BY_APP):
        raise Refused(403, "Only Connect and OAuth 2.0 apps can use this operation.")
