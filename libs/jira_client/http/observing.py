"""What an observer of the requests is called with: the client itself measures nothing."""

from collections.abc import Callable
from typing import NamedTuple

from libs.jira_client.http.allowances import Allowance


class RequestEnded(NamedTuple):
    """A request that has ended; each try is one."""

    endpoint: str
    """The method with the path's template, as in `GET /rest/api/3/field`."""
    status: int | None
    """Of HTTP; None when no answer came."""
    code: str
    """Of the failure (see `errors.ErrorCode`); empty when all is well."""
    seconds: float
    allowances: tuple[Allowance, ...]


Observer = Callable[[RequestEnded], None]


def unobserved(_ended: RequestEnded) -> None:
    """Nobody watches."""
