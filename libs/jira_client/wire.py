"""The envelopes Jira puts around its answers, exactly as they come."""

import msgspec
from msgspec import Raw


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all envelopes: unknown keys are ignored, a missing list is an error.

    What only helps to know the end of a list (`object`) may be of any type; see `flag` and `number`.
    """


def flag(hint: object) -> bool | None:
    """A hint that should be true or false; None where it says neither."""
    return hint if isinstance(hint, bool) else None


def number(hint: object) -> int | None:
    """A hint that should be a number of items; None where it is none."""
    return hint if isinstance(hint, int) and not isinstance(hint, bool) and hint >= 0 else None


class Found(Envelope, frozen=True):
    """`search/jql`: the last page carries no token (documented as null)."""

    issues: list[Raw]
    next_page_token: str | None = None
    is_last: object = None
    total: object = None
    """Not documented; shown by what translates the former search."""


class Values(Envelope, frozen=True):
    """`project/search`, `user/bulk` and the agile lists; `total` is often missing."""

    values: list[Raw]
    is_last: object = None
    total: object = None


class Comments(Envelope, frozen=True):
    comments: list[Raw]
    total: object = None


class Worklogs(Envelope, frozen=True):
    worklogs: list[Raw]
    total: object = None


class WorklogChange(Envelope, frozen=True):
    worklog_id: int | str


class WorklogChanges(Envelope, frozen=True):
    """`worklog/deleted`. Times are milliseconds since 1970."""

    values: list[WorklogChange]
    until: int
    last_page: bool = True


class Missed(Envelope, frozen=True):
    id: str | int | None = None
    error_message: object = None


class Bulk(Envelope, frozen=True):
    issues: list[Raw]
    issue_errors: list[Missed] | None = None


class Count(Envelope, frozen=True):
    count: int


class Policies(Envelope, frozen=True):
    project_data_policies: list[Raw]


class Registered(Envelope, frozen=True):
    """Of one webhook: its id, or why there is none."""

    created_webhook_id: object = None
    errors: object = None


class Registration(Envelope, frozen=True):
    """`POST webhook` answers 200 whatever became of each, in the order in which they were asked for."""

    webhook_registration_result: list[Registered]


class Audited(Envelope, frozen=True):
    """`auditing/record`."""

    records: list[Raw]
