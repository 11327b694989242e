"""What is classified: an answer of Jira, and where it came from."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec

from libs.jira_client.http.redact import Redactor


class HttpAnswer(Protocol):
    """What is read of an answer; `httpx.Response` fits once its body has been read."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer, read to its end and unpacked."""

    status_code: int
    headers: Mapping[str, str] = {}
    content: bytes = b""


class Context(NamedTuple):
    """Where the answer came from.

    `endpoint` is the method and path template, `subject` what stood in its places, as in `issue 10001`. `now` is our
    UTC time (used only when the answer has no `Date`).
    """

    endpoint: str = ""
    now: datetime | None = None
    redact: Redactor = Redactor()
    subject: str = ""
