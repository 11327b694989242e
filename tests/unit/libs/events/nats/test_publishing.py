"""A message as it goes over the wire: as the client library writes it."""

from __future__ import annotations

import pytest
from nats.errors import BadSubjectError
from nats.protocol.command import hpub_cmd

from libs.events.nats.publishing import Message, frame

HEADERS = {"Nats-Msg-Id": "7", "ce-source": "/jira/acme", "ce-subject": "6f1f7a52-58a2-5d0b-9f0e-2b8f0a7f6f51"}


@pytest.mark.parametrize("body", [b"", b'{"key":"DEMO-1"}', bytes(range(256)), b"\r\n" * 9])
def test_it_is_what_the_library_would_send(body: bytes) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    expected = hpub_cmd("jira.acme.DEMO.issue", "_INBOX.a.1", f"NATS/1.0\r\n{lines}\r\n".encode(), body)
    assert frame(Message("jira.acme.DEMO.issue", body, HEADERS), "_INBOX.a.1") == expected


@pytest.mark.parametrize("subject", ["jira.acme DEMO", "jira.acme\r\nPUB other 1", "jira.acme\tDEMO"])
def test_what_is_no_subject_is_not_sent(subject: str) -> None:
    with pytest.raises(BadSubjectError):
        frame(Message(subject, b"", HEADERS), "_INBOX.a.1")
