"""How a command is refused: as the decisions say it, and as it travels to the one who gave it."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from libs.temporal.commands import REFUSED


class RefusedError(ValueError):
    """The command cannot be carried out as it stands.

    Attributes:
        code: such as BAD_CRON.
        field: the argument that is wrong; None when it is the whole.
    """

    def __init__(self, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.code, self.field = code, field


def refusal(error: RefusedError) -> ApplicationError:
    """What the activity raises for a command that cannot be carried out as it stands."""
    details = {"code": error.code, "field": error.field}
    return ApplicationError(str(error), details, type=REFUSED, non_retryable=True)
