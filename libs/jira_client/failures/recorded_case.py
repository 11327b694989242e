"""One recorded failure and the verdict it should get: the format of the corpus that the classifier is tested with.

The classifier writes a failure that no rule knows in this format (`Evidence.case`), so that it can be added to the
corpus as it stands; what it should have been called is then filled in by hand.
"""

from datetime import datetime
from typing import Any

import msgspec

from libs.jira_client.failures.errors import ErrorCode, Scope


class Recorded(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of all parts: a misspelt name is an error, what has its default is not written."""


class RecordedAnswer(Recorded, frozen=True, kw_only=True):
    status: int
    headers: dict[str, str] = {}
    body: str = ""
    json: Any = msgspec.UNSET
    """The body as JSON; with it the content type is JSON unless the headers say otherwise."""


class RecordedError(Recorded, frozen=True, kw_only=True):
    kind: str
    """Module and name of the class, such as `httpx.ConnectError`."""
    args: tuple[int | str, ...] = ()
    cause: "RecordedError | None" = None
    """What it was raised from."""


class WantedVerdict(Recorded, frozen=True, kw_only=True):
    code: ErrorCode
    retryable: bool
    scope: Scope
    retry_after: float | None = None
    says: tuple[str, ...] = ()
    """Words that the message or the advice must hold."""
    error_code: str | None = None
    fingerprint: str | None = None
    """None: any."""


class RecordedCase(Recorded, frozen=True, kw_only=True):
    """An answer or an exception; without a verdict the answer is a healthy one."""

    name: str
    endpoint: str = ""
    now: datetime | None = None
    """Our clock, for answers that name a time and have no `Date`."""
    answer: RecordedAnswer | None = None
    error: RecordedError | None = None
    verdict: WantedVerdict | None = None
