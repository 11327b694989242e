"""All oddities of one site, put on its answers on their way out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from libs.jira_simulator.odd.choice import Choice
from libs.jira_simulator.odd.documents import ABYSS, abyss
from libs.jira_simulator.odd.kinds import Kind, ListFault
from libs.jira_simulator.odd.look_ups import SITE
from libs.jira_simulator.odd.showing import CHILD_LIST, SPRINT_LIST, Asked, Showing
from libs.jira_simulator.odd.strays import Answer, Stray, refusal, stray_of, strayed

RATE: Final = 0.15
"""Of the records, unless another one is asked for."""


class Odd:
    """Makes answers odd, until it is healed.

    Args:
        seed: which records are odd, and how; the numbers of the requests that go astray.
        rate: what part of the records is odd; of the site's look-ups, half as many; of the requests, a tenth as many
            go astray.
        kinds: names of things of `choice.KINDS`, or one of them with a kind's name, as in ``issue: no id``; empty:
            all. ``stray`` stands for what goes astray.
    """

    def __init__(self, seed: int, rate: float = RATE, kinds: Iterable[str] = ()) -> None:
        self._choice = Choice(seed, rate, kinds)
        self._showing = Showing(self._choice)
        self.healed = False
        self.strayed: list[tuple[str, Stray]] = []
        """What went astray since `forget`: the request's path, and how."""
        self._requests = 0
        self._wrong_last: set[str] = set()

    def heal(self) -> None:
        """From now on every answer is right."""
        self.healed = True

    def sicken(self) -> None:
        """Odd again, in the same way."""
        self.healed = False

    def forget(self) -> None:
        """Begin anew with `shown` and `strayed`."""
        self._showing.shown, self.strayed = {}, []

    @property
    def shown(self) -> dict[tuple[str, str], Kind]:
        """What was shown odd since `forget`, by what it is and its id."""
        return self._showing.shown

    def of(self, record: str, id_: str) -> Kind | None:
        """How a record is odd, whether it was shown or not."""
        return self._choice.of(record, id_)

    def answer(self, asked: Asked, right: Answer) -> Answer:
        """What the client gets instead of the right answer."""
        if self.healed:
            return right
        answer = self._refused(asked) or self._changed(asked, right)
        stray = self._stray(asked)
        if stray is None or (stray.harmless and answer.status != 200):
            return answer  # a hint beside a refusal would be one to heed
        self.strayed.append((asked.path, stray))
        return strayed(stray, answer, asked.token_to_itself)

    def _refused(self, asked: Asked) -> Answer | None:
        """The refusal of a list or a look-up that is refused as a whole."""
        for record, id_ in _addressed(asked.path):
            kind = self.of(record, id_)
            fault = kind.instead if kind else None
            if kind and isinstance(fault, ListFault) and fault.status:
                self.shown[record, id_] = kind
                return refusal(fault.status)
        return None

    def _changed(self, asked: Asked, right: Answer) -> Answer:
        change = self._showing.change_of(asked)
        if right.status != 200 or change is None:
            return right
        # Escapes keep what is no text: half a pair, a NUL.
        text = json.dumps(change(json.loads(right.body)))
        return right._replace(body=text.replace(ABYSS, abyss()).encode())

    def _stray(self, asked: Asked) -> Stray | None:
        """How a request goes astray; never two in a row of one endpoint."""
        self._requests += 1
        choice, endpoint = self._choice, re.sub(r"/\d+", "/{id}", f"{asked.method} {asked.path}")
        stray = stray_of(choice.seed, self._requests, choice.rate / 10 if choice.strays else 0)
        if stray is None or endpoint in self._wrong_last or (stray.body == "empty page" and not asked.token_to_itself):
            self._wrong_last.discard(endpoint)
            return None
        if not stray.harmless:
            self._wrong_last.add(endpoint)
        return stray


def _addressed(path: str) -> Iterable[tuple[str, str]]:
    """What a request asks for, that may be refused as a whole."""
    if found := CHILD_LIST.search(path):
        yield f"{found['name']}s", found["id"]
    if found := SPRINT_LIST.search(path):
        yield "sprints", found["id"]
    for name in SITE:
        if path.endswith(f"/{name}") or (name == "agile" and "/rest/agile/" in path):
            yield f"site {name}", name
