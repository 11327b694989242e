"""The fields of one site: those that every simulated site has, until somebody adds, removes or changes one."""

from __future__ import annotations

from typing import Any

import msgspec

from libs.jira_simulator.site import catalogue


class FieldCatalogue(msgspec.Struct):
    """What ``GET /field`` lists, and what issues show of the custom fields that were added later."""

    all: dict[str, dict[str, Any]] = msgspec.field(
        default_factory=lambda: {field["id"]: field for field in catalogue.FIELDS}
    )
    values: dict[str, Any] = {}
    """Id of an added field to what every issue shows in it."""
    last: int = 0
    """The number of the custom field that was added last."""

    def copy(self) -> FieldCatalogue:
        return FieldCatalogue(dict(self.all), dict(self.values), self.last)

    @property
    def ids(self) -> frozenset[str]:
        """The fields that an issue shows."""
        return frozenset(self.all) - {"issuekey"}

    @property
    def navigable(self) -> frozenset[str]:
        return frozenset(id_ for id_, field in self.all.items() if field["navigable"]) - {"issuekey"}

    def take_id(self) -> str:
        """The id of a new custom field; none is given twice."""
        self.last = max(self.last, *(_number(id_) for id_ in self.all)) + 1
        return f"customfield_{self.last}"


def _number(id_: str) -> int:
    return int(id_.rpartition("_")[2]) if id_.startswith("customfield_") else 0
