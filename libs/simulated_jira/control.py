"""The simulator's own endpoints, apart from Jira's: change the data, set up faults, read the change log."""

import random
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from libs.simulated_jira import adf
from libs.simulated_jira.api import refuse, reply
from libs.simulated_jira.dataset import Dataset
from libs.simulated_jira.faults import Fault, Faults


class Traffic:
    """What has been asked: counted, and the last requests kept."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.latency_ms = 0.0


class Control:
    """Handlers of `/simulator`."""

    def __init__(self, data: Dataset, faults: Faults, traffic: Traffic) -> None:
        self._data, self._faults, self._traffic = data, faults, traffic

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/simulator/change", self.change),
            web.post("/simulator/random-mutations", self.random_mutations),
            web.post("/simulator/faults", self.faults),
            web.post("/simulator/settings", self.settings),
            web.get("/simulator/requests", self.requests),
            web.delete("/simulator/requests", self.forget_requests),
            web.get("/simulator/changes", self.changes),
            web.get("/simulator/state", self.state),
        ]

    async def change(self, request: web.Request) -> web.Response:
        """One change: {"do": name, …arguments}; entities by their ids."""
        asked = await request.json()
        name = asked.pop("do", None)
        action = _ACTIONS.get(name)
        if action is None:
            return refuse(400, f"unknown change {name!r}; one of {', '.join(sorted(_ACTIONS))}")
        try:
            made = action(self._data, **asked)
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            return refuse(400, f"{name}: {error!r}")
        return reply({"id": made})

    async def random_mutations(self, request: web.Request) -> web.Response:
        asked = await request.json()
        mutate(self._data, random.Random(asked.get("seed", 0)), int(asked.get("count", 1)))
        return reply({"changes": len(self._data.changes)})

    async def faults(self, request: web.Request) -> web.Response:
        try:
            self._faults.set(msgspec.json.decode(await request.read(), type=list[Fault]))
        except (msgspec.DecodeError, ValueError) as error:
            return refuse(400, str(error))
        return reply({})

    async def settings(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self._traffic.latency_ms = float(asked.get("latencyMs", self._traffic.latency_ms))
        self._data.index_lag = int(asked.get("indexLagMs", self._data.index_lag))
        return reply({})

    async def requests(self, _: web.Request) -> web.Response:
        return reply({"count": len(self._traffic.requests), "requests": self._traffic.requests})

    async def forget_requests(self, _: web.Request) -> web.Response:
        self._traffic.requests.clear()
        return reply({})

    async def changes(self, request: web.Request) -> web.Response:
        return reply(self._data.changes[int(request.query.get("after", 0)) :])

    async def state(self, _: web.Request) -> web.Response:
        issues = self._data.issues.values()
        return reply(
            {
                "issues": len(issues),
                "comments": sum(len(issue.comments) for issue in issues),
                "worklogs": sum(len(issue.worklogs) for issue in issues),
                "sprints": len(self._data.sprints),
                "users": len(self._data.users),
                "changes": len(self._data.changes),
            }
        )


def mutate(data: Dataset, rng: random.Random, count: int) -> None:
    """Make random changes of every kind that the integrator can see; deletions are not among them."""
    for _ in range(count):
        rng.choice(_MUTATIONS)(data, rng)


def _create(data: Dataset, rng: random.Random) -> None:
    data.create_issue(rng.choice(list(data.projects)), adf.sentence(rng), reporter=rng.choice(list(data.users)))


def _edit(data: Dataset, rng: random.Random) -> None:
    issue = rng.choice(list(data.issues.values()))
    for _ in range(rng.randint(1, 3)):
        data.edit_issue(
            issue,
            summary=adf.sentence(rng),
            status=rng.choice(["To Do", "In Progress", "In Review", "Done"]),
            assignee=rng.choice([None, *data.users]),
            priority=rng.choice(["High", "Low", None]),
        )


def _comment(data: Dataset, rng: random.Random) -> None:
    issue = rng.choice(list(data.issues.values()))
    people = [(account, user.display_name) for account, user in data.users.items()]
    if issue.comments and rng.random() < 0.4:
        data.edit_comment(issue, rng.choice(issue.comments), adf.body(rng, people))
    else:
        data.add_comment(issue, rng.choice([None, *data.users]), adf.body(rng, people))


def _log_work(data: Dataset, rng: random.Random) -> None:
    issue = rng.choice(list(data.issues.values()))
    if issue.worklogs and rng.random() < 0.4:
        data.edit_worklog(issue, rng.choice(issue.worklogs), rng.randrange(60, 9000, 60))
    else:
        data.add_worklog(issue, rng.choice([None, *data.users]), rng.randrange(60, 9000, 60), issue.created)


def _plan(data: Dataset, rng: random.Random) -> None:
    data.set_sprint(rng.choice(list(data.issues.values())), rng.choice([None, *_own_sprints(data)]))


def _sprint(data: Dataset, rng: random.Random) -> None:
    sprint = rng.choice(_own_sprints(data))
    if rng.random() < 0.3:
        data.create_sprint(data.boards[sprint.board], adf.sentence(rng, 1, 2))
    elif sprint.state == "closed" or rng.random() < 0.5:
        data.change_sprint(sprint, name=adf.sentence(rng, 1, 3))
    else:
        data.change_sprint(sprint, state="active" if sprint.state == "future" else "closed")


def _own_sprints(data: Dataset) -> list[Any]:
    return [sprint for sprint in data.sprints.values() if not sprint.foreign]


def _user(data: Dataset, rng: random.Random) -> None:
    user = rng.choice(list(data.users.values()))
    if rng.random() < 0.2:
        data.change_user(user, active=not user.active)
    else:
        data.change_user(user, display_name=adf.sentence(rng, 1, 2))


_MUTATIONS: tuple[Callable[[Dataset, random.Random], None], ...] = (
    _create,
    _edit,
    _edit,
    _edit,
    _comment,
    _comment,
    _log_work,
    _log_work,
    _plan,
    _sprint,
    _user,
)

_ACTIONS: dict[str, Callable[..., str]] = {
    "create_issue": lambda d, project, summary, reporter=None: str(
        d.create_issue(project, summary, reporter=reporter).id
    ),
    "edit_issue": lambda d, issue, **fields: str(d.edit_issue(d.issues[int(issue)], **fields) or issue),
    "move_key": lambda d, issue, key: str(d.move_key(d.issues[int(issue)], key) or issue),
    "add_comment": lambda d, issue, text, author=None: str(
        d.add_comment(d.issues[int(issue)], author, adf.plain(text)).id
    ),
    "edit_comment": lambda d, issue, comment, text: str(
        d.edit_comment(d.issues[int(issue)], _child(d.issues[int(issue)].comments, comment), adf.plain(text)) or comment
    ),
    "delete_comment": lambda d, issue, comment: str(
        d.delete_comment(d.issues[int(issue)], _child(d.issues[int(issue)].comments, comment)) or comment
    ),
    "add_worklog": lambda d, issue, seconds, author=None: str(
        d.add_worklog(d.issues[int(issue)], author, int(seconds), d.issues[int(issue)].created).id
    ),
    "edit_worklog": lambda d, issue, worklog, seconds: str(
        d.edit_worklog(d.issues[int(issue)], _child(d.issues[int(issue)].worklogs, worklog), int(seconds)) or worklog
    ),
    "delete_worklog": lambda d, issue, worklog: str(
        d.delete_worklog(d.issues[int(issue)], _child(d.issues[int(issue)].worklogs, worklog)) or worklog
    ),
    "set_sprint": lambda d, issue, sprint: str(
        d.set_sprint(d.issues[int(issue)], None if sprint is None else d.sprints[int(sprint)]) or issue
    ),
    "create_sprint": lambda d, board, name: str(d.create_sprint(d.boards[int(board)], name).id),
    "change_sprint": lambda d, sprint, **change: str(d.change_sprint(d.sprints[int(sprint)], **change) or sprint),
    "change_user": lambda d, user, **change: str(d.change_user(d.users[user], **change) or user),
}


def _child(children: list[Any], entity_id: str) -> Any:
    return next(child for child in children if child.id == int(entity_id))
