"""``/simulator/*``: what a test or a demo steers the simulated Jira with.

These endpoints need no login and are in no log. Those of ``api.oauth`` and ``api.webhooks`` stand there.

======================================  ===============================================================================
``POST /simulator/<act>``               one change; the body holds the arguments of the method of ``Mutations`` that has
                                        this name, with ``-`` for ``_``: ``create-issue``, ``edit-issue``,
                                        ``move-issue``, ``delete-issue``, ``add-comment``, ``edit-comment``,
                                        ``delete-comment``, ``add-worklog``, ``edit-worklog``, ``delete-worklog``,
                                        ``create-sprint``, ``start-sprint``, ``close-sprint``, ``rename-sprint``,
                                        ``rename-user``, ``deactivate-user``, ``create-project``; by which things come
                                        back: ``restore-issue``, ``restore-comment``, ``restore-worklog``,
                                        ``keep-backup`` and ``restore-backup`` (``{name}``, the whole site); by which
                                        the account sees otherwise: ``secure-issue`` (``{issue, level}``),
                                        ``restrict-comment``, ``restrict-worklog`` (``{…, role}``), ``leave-circle`` and
                                        ``join-circle`` (a level or role, ``{name}``), and of a project ``hide-``,
                                        ``show-``, ``block-``, ``unblock-``, ``archive-``, ``trash-``,
                                        ``revive-project``; answers
                                        ``{changes, head}``; and of the site's field list, with no entry in the log:
                                        ``add-field`` (``{name, type?, items?, custom?, value?}``), ``remove-field`` and
                                        ``rename-field`` (``{field, …}``, by id), ``retype-field`` (``{field, type,
                                        items?, custom?, value?}``)
``POST /simulator/random-mutations``    ``{count, seed, kinds?}``; answers ``{done, head}``
``GET POST DELETE /simulator/faults``   ``[{match, ...}]`` is added, see ``faults``; DELETE forgets all
``POST /simulator/latency``             ``{ms}``: every answer of Jira waits so long
``POST /simulator/index-lag``           ``{ms}``: search sees a change so much later
``POST /simulator/index-loss``          ``{issues}``: search does not see the issues of these ids; none: it sees all
``POST /simulator/counting``            ``{insight, totals}``: whether these numbers count what the account may not see
``POST /simulator/telling``             ``{worklogs, audit}``: whether worklogs are shown whatever their issue's level
                                        is, and whether the account may read the audit log
``POST /simulator/worklog-feeds``       ``{delay_ms, also_deleted}``: how far the feeds of worklogs are behind, and ids
                                        of worklogs that are said to be deleted, whatever is true
``GET POST DELETE /simulator/odd``      ``{seed, rate?, kinds?}``: a part of the answers is odd, see ``odd``; DELETE
                                        heals; answers ``{healed, shown}``: what was odd, by what it is and its id
``GET DELETE /simulator/requests``      counters and log; DELETE (or ``?reset=true``) starts anew
``GET /simulator/changes``              ``?after=n&limit=m``; answers ``{changes, head}``
``GET /simulator/state``                what is there now, in numbers
======================================  ===============================================================================
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_type_hints

import msgspec
from aiohttp import web

from libs.jira_simulator.api.answers import Refused, json_response, number
from libs.jira_simulator.api.worklog_feeds import Feed
from libs.jira_simulator.faults import Fault, Faults
from libs.jira_simulator.odd.world import RATE, Odd
from libs.jira_simulator.requests import RequestLog
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.mutations import MutationError, Mutations
from libs.jira_simulator.site.random_acts import RandomActs
from libs.jira_simulator.site.render import zulu
from libs.jira_simulator.site.sight import Counting, Telling


class Conditions(msgspec.Struct):
    """What the server does to every answer."""

    latency_ms: float = 0.0
    odd: Odd | None = None
    """What makes answers odd; None: nothing does."""
    feed: Feed = msgspec.field(default_factory=Feed)
    """Of worklogs."""


class _Milliseconds(msgspec.Struct):
    ms: float

    def __post_init__(self) -> None:
        if self.ms < 0:
            raise ValueError("ms must not be negative")


class _Issues(msgspec.Struct):
    issues: list[int] = []


class _Oddity(msgspec.Struct):
    """As of `Odd`."""

    seed: int
    rate: float = RATE
    kinds: list[str] = []


class _RandomMutations(msgspec.Struct):
    count: int
    seed: int = 1
    kinds: list[str] = []


class Control:
    """The handlers."""

    def __init__(
        self, dataset: Dataset, mutations: Mutations, faults: Faults, requests: RequestLog, conditions: Conditions
    ) -> None:
        self._dataset, self._mutations = dataset, mutations
        self._faults, self._requests, self._conditions = faults, requests, conditions

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/simulator/random-mutations", self.random_mutations),
            web.get("/simulator/faults", self.show_faults),
            web.post("/simulator/faults", self.add_faults),
            web.delete("/simulator/faults", self.clear_faults),
            web.post("/simulator/latency", self.latency),
            web.post("/simulator/index-lag", self.index_lag),
            web.post("/simulator/index-loss", self.index_loss),
            web.post("/simulator/counting", self.counting),
            web.post("/simulator/telling", self.telling),
            web.post("/simulator/worklog-feeds", self.worklog_feeds),
            web.get("/simulator/odd", self.show_odd),
            web.post("/simulator/odd", self.make_odd),
            web.delete("/simulator/odd", self.heal),
            web.get("/simulator/requests", self.requests),
            web.delete("/simulator/requests", self.reset_requests),
            web.get("/simulator/changes", self.changes),
            web.get("/simulator/state", self.state),
            web.post("/simulator/{act}", self.act),
        ]

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────────────

    async def act(self, request: web.Request) -> web.Response:
        method = ACTS.get(request.match_info["act"])
        if method is None:
            raise Refused(404, f"There is no act '{request.match_info['act']}'. There are: {', '.join(ACTS)}.")
        before = self._dataset.log.head
        arguments = await _read(request, dict[str, Any])
        try:
            method(self._mutations, **_typed(method, arguments))
        except (MutationError, msgspec.ValidationError) as error:
            raise Refused(400, str(error)) from None
        return json_response({"changes": list(self._dataset.log.after(before)), "head": self._dataset.log.head})

    async def random_mutations(self, request: web.Request) -> web.Response:
        asked = await _read(request, _RandomMutations)
        try:
            done = RandomActs(self._dataset, self._mutations, asked.seed).run(asked.count, asked.kinds)
        except MutationError as error:
            raise Refused(400, str(error)) from None
        return json_response({"done": done, "head": self._dataset.log.head})

    async def changes(self, request: web.Request) -> web.Response:
        limit = number(request, "limit", 0) or None
        entries = list(self._dataset.log.after(number(request, "after", 0), limit))
        return json_response({"changes": entries, "head": self._dataset.log.head})

    async def state(self, _: web.Request) -> web.Response:
        records, directory = self._dataset.issues.values(), self._dataset.directory
        return json_response(
            {
                "now": zulu(self._dataset.clock.now()),
                "projects": {key: self._project_state(key) for key in directory.projects},
                "issues": len(records),
                "comments": sum(len(record.comments) for record in records),
                "worklogs": sum(len(record.worklogs) for record in records),
                "sprints": len(directory.sprints),
                "users": len(directory.users),
                "boards": len(directory.boards),
                "changes": {"head": self._dataset.log.head, "initial": self._dataset.log.initial},
                "index": {"lagMs": self._dataset.index.lag_ms, "waiting": self._dataset.index.waiting},
                "latencyMs": self._conditions.latency_ms,
                "faults": len(self._faults.all),
            }
        )

    def _project_state(self, key: str) -> dict[str, Any]:
        count, updated = self._dataset.insight(key)
        return {"issues": count, "updated": zulu(updated)}

    # ── conditions ─────────────────────────────────────────────────────────────────────────────────────────────

    async def show_faults(self, _: web.Request) -> web.Response:
        return json_response({"faults": self._faults.all})

    async def add_faults(self, request: web.Request) -> web.Response:
        self._faults.add(*await _read(request, list[Fault]))
        return json_response({"faults": self._faults.all})

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return json_response({"faults": []})

    async def latency(self, request: web.Request) -> web.Response:
        self._conditions.latency_ms = (await _read(request, _Milliseconds)).ms
        return json_response({"latencyMs": self._conditions.latency_ms})

    async def index_lag(self, request: web.Request) -> web.Response:
        self._dataset.index.set_lag((await _read(request, _Milliseconds)).ms)
        return json_response({"indexLagMs": self._dataset.index.lag_ms})

    async def index_loss(self, request: web.Request) -> web.Response:
        lost = (await _read(request, _Issues)).issues
        self._dataset.index.lose(lost)
        return json_response({"issues": lost})

    async def counting(self, request: web.Request) -> web.Response:
        counting = self._dataset.directory.counting = await _read(request, Counting)
        self._dataset.renderer.names_changed()
        return json_response(counting)

    async def telling(self, request: web.Request) -> web.Response:
        self._dataset.directory.telling = await _read(request, Telling)
        return json_response(self._dataset.directory.telling)

    async def worklog_feeds(self, request: web.Request) -> web.Response:
        asked, feed = await _read(request, Feed), self._conditions.feed
        feed.delay_ms, feed.also_deleted = asked.delay_ms, asked.also_deleted
        return json_response(feed)

    async def show_odd(self, _: web.Request) -> web.Response:
        odd = self._conditions.odd
        shown = {f"{record} {id_}": kind.name for (record, id_), kind in odd.shown.items()} if odd else {}
        return json_response({"healed": odd is None or odd.healed, "shown": shown})

    async def make_odd(self, request: web.Request) -> web.Response:
        asked = await _read(request, _Oddity)
        try:
            self._conditions.odd = Odd(asked.seed, asked.rate, asked.kinds)
        except ValueError as error:
            raise Refused(400, str(error)) from None
        return await self.show_odd(request)

    async def heal(self, request: web.Request) -> web.Response:
        if self._conditions.odd is not None:
            self._conditions.odd.heal()
        return await self.show_odd(request)

    async def requests(self, request: web.Request) -> web.Response:
        response = json_response(self._requests.summary())
        if request.query.get("reset") == "true":
            self._requests.reset()
        return response

    async def reset_requests(self, _: web.Request) -> web.Response:
        self._requests.reset()
        return json_response({"count": 0})


async def _read(request: web.Request, type_: Any) -> Any:
    """The body as that type; the refusal says what is wrong with it."""
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=type_)
    except msgspec.MsgspecError as error:
        raise Refused(400, f"The body of {request.path} is not what is needed: {error}.") from None


def _typed(method: Callable[..., object], arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments, checked against the method's signature."""
    expected = {name: parameter for name, parameter in inspect.signature(method).parameters.items() if name != "self"}
    if unknown := [name for name in arguments if name not in expected]:
        raise MutationError(f"there is no argument {unknown[0]!r}; there are: {', '.join(expected)}")
    needed = [name for name, parameter in expected.items() if parameter.default is inspect.Parameter.empty]
    if missing := [name for name in needed if name not in arguments]:
        raise MutationError(f"the argument {missing[0]!r} is missing")
    types = get_type_hints(method)
    return {name: msgspec.convert(value, types[name]) for name, value in arguments.items()}


ACTS: dict[str, Callable[..., object]] = {
    name.replace("_", "-"): method
    for name, method in inspect.getmembers(Mutations, inspect.isfunction)
    if not name.startswith("_")
}
