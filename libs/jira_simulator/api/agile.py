"""The agile endpoints under ``/rest/agile/1.0``: boards and their sprints."""

from __future__ import annotations

from aiohttp import web

from libs.jira_simulator.api.answers import Refused, json_response, listed, offset_page
from libs.jira_simulator.site.dataset import Dataset
from libs.jira_simulator.site.entities import Board, Sprint

AGILE = "/rest/agile/1.0"
CAP = 50
STATES = ("closed", "active", "future")
"""In the order in which a board lists its sprints."""


class Agile:
    """The handlers; all of them need a login."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(f"{AGILE}/board", self.boards),
            web.get(f"{AGILE}/board/{{board}}", self.board),
            web.get(f"{AGILE}/board/{{board}}/sprint", self.sprints),
            web.get(f"{AGILE}/sprint/{{sprint}}", self.sprint),
        ]

    async def boards(self, request: web.Request) -> web.Response:
        kinds, name = listed(request, "type"), request.query.get("name", "").casefold()
        fit = [
            board
            for board in self._of_project(request.query.get("projectKeyOrId", ""))
            if (not kinds or board.type in kinds) and name in board.name.casefold()
        ]
        return json_response(offset_page(request, [self._dataset.renderer.board(board) for board in fit], CAP, CAP))

    async def board(self, request: web.Request) -> web.Response:
        return json_response(self._dataset.renderer.board(self._board(request)))

    async def sprints(self, request: web.Request) -> web.Response:
        board = self._board(request)
        if board.type != "scrum":
            raise Refused(400, "The board does not support sprints")
        states = listed(request, "state") or [*STATES]
        if wrong := [state for state in states if state not in STATES]:
            raise Refused(400, f"Invalid sprint state '{wrong[0]}'. Valid values are: {', '.join(STATES)}.")
        fit = [sprint for sprint in self._on_board(board) if sprint.state in states]
        fit.sort(key=lambda sprint: (STATES.index(sprint.state), sprint.id))
        return json_response(offset_page(request, [self._dataset.renderer.sprint(sprint) for sprint in fit], CAP, CAP))

    async def sprint(self, request: web.Request) -> web.Response:
        asked = request.match_info["sprint"]
        sprint = self._dataset.directory.sprints.get(int(asked)) if asked.isdecimal() else None
        if sprint is None:
            raise Refused(404, "Sprint does not exist")
        return json_response(self._dataset.renderer.sprint(sprint))

    def _on_board(self, board: Board) -> list[Sprint]:
        sprints = self._dataset.directory.sprints
        foreign = self._dataset.directory.foreign_sprints.get(board.id, ())
        return [sprint for sprint in sprints.values() if sprint.board_id == board.id or sprint.id in foreign]

    def _of_project(self, key_or_id: str) -> list[Board]:
        boards = [one for one in self._dataset.directory.boards.values() if self._dataset.project(one.project)]
        if not key_or_id:
            return boards
        project = self._dataset.project(key_or_id)
        if project is None:
            raise Refused(400, f"No project could be found with key or id '{key_or_id}'.")
        return [board for board in boards if board.project == project.key]

    def _board(self, request: web.Request) -> Board:
        asked = request.match_info["board"]
        board = self._dataset.directory.boards.get(int(asked)) if asked.isdecimal() else None
        if board is None or self._dataset.project(board.project) is None:
            raise Refused(
                404,
                "The requested board cannot be viewed because it either does not exist or you do not have permission "
                "to view it.",
            )
        return board
