"""Data policies: whether the site keeps programs out of some of its contents. Its metadata stay visible."""

from __future__ import annotations

from aiohttp import web

from libs.jira_simulator.api.answers import Refused, json_response, listed
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import Project

POLICIES = "/rest/api/3/data-policy"


class Policies:
    """The handlers; all of them need a login."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def routes(self) -> list[web.RouteDef]:
        return [web.get(POLICIES, self.site), web.get(f"{POLICIES}/project", self.projects)]

    async def site(self, _: web.Request) -> web.Response:
        blocked = any(project.blocked for project in self._dataset.directory.projects.values())
        return json_response({"anyContentBlocked": blocked})

    async def projects(self, request: web.Request) -> web.Response:
        shown = [self._project(id_) for id_ in listed(request, "ids")]
        policies = [{"id": one.id, "dataPolicy": {"anyContentBlocked": one.blocked}} for one in shown]
        return json_response({"projectDataPolicies": policies})

    def _project(self, id_: str) -> Project:
        project = self._dataset.project(id_) if id_.isdecimal() else None
        if project is None:
            raise Refused(400, f"The project with the id '{id_}' does not exist or may not be viewed.")
        return project
