"""The envelopes Jira puts around its answers, exactly as they come."""

import msgspec
from msgspec import Raw


class Envelope(msgspec.Struct, frozen=True, rename="camel"):
    """Base of all envelopes: unknown keys are ignored, a missing list is an error."""


class Found(Envelope, frozen=True):
    """`search/jql`: the last page carries no token (documented as null)."""

    issues: list[Raw]
    next_page_token: str | None = None
    is_last: bool | None = None


class Values(Envelope, frozen=True):
    """`project/search`, `user/bulk` and the agile lists; `total` is often missing."""

    values: list[Raw]
    is_last: bool | None = None
    total: int | None = None


class Comments(Envelope, frozen=True):
    comments: list[Raw]
    total: int
    start_at: int = 0


class Worklogs(Envelope, frozen=True):
    worklogs: list[Raw]
    total: int
    start_at: int = 0


class Missed(Envelope, frozen=True):
    id: str = ""
    error_message: str = ""


class Bulk(Envelope, frozen=True):
    issues: list[Raw]
    issue_errors: list[Missed] = []


class Count(Envelope, frozen=True):
    count: int
