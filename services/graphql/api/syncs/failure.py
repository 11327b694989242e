"""Why a sync failed, as the API shows it."""

from datetime import datetime
from typing import Self

import strawberry

from libs.jira_client.failures.rules import RULES
from services.graphql.reading.from_row import moment_or_none
from services.graphql.reading.reader import Row


@strawberry.type(description="Why a sync failed, and what to do.")
class SyncError:
    code: str = strawberry.field(description="The classified cause, such as AUTH_EXPIRED.")
    message: str = strawberry.field(description="What happened.")
    advice: str = strawberry.field(description="What to do about it.")
    docs: str | None = strawberry.field(description="An address where to read on.")
    severity: str = strawberry.field(
        description="critical (nothing is synced until somebody acts), warning, info, or unknown."
    )
    since: datetime | None = strawberry.field(description="When a run first failed after the last one that succeeded.")
    attempts: int = strawberry.field(description="Runs in a row that failed, this one included; of a single run: 1.")

    @classmethod
    def of_state(cls, row: Row) -> Self | None:
        """The error of a row of `sync_state`, if it has one."""
        return cls._of(row, row["error_since"], row["error_attempts"])

    @classmethod
    def of_run(cls, row: Row) -> Self | None:
        """The error of a row of `sync_run`, if it has one."""
        return cls._of(row, row["ended_at"], 1)

    @classmethod
    def _of(cls, row: Row, since: str | None, attempts: int) -> Self | None:
        code = row["error_code"]
        if code is None:
            return None
        # What was recorded before failures brought these themselves follows from the code.
        rule = _RULES.get(code)
        return cls(
            code=code,
            message=row["error_message"] or "",
            advice=row["error_advice"] or "",
            docs=row["error_docs"] or (rule.docs if rule else "") or None,
            severity=row["error_severity"] or (rule.severity.value if rule else "unknown"),
            since=moment_or_none(since),
            attempts=attempts,
        )


_RULES = {code.value: rule for code, rule in RULES.items()}
