"""SMTP_URL: where mail goes out, how it is protected, and from whom it comes. Pure."""

from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from libs.runtime import Secret

FORM: Final = "smtp://user:password@host:587?from=jdi@example.com&starttls=required"
PORTS: Final = {"smtp": 587, "smtps": 465}
STARTTLS: Final = {"required": True, "auto": None, "off": False}
OPTIONS: Final = ("from", "starttls", "ca")


class SmtpAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server as it is set up."""

    host: str
    port: int
    username: str | None = None
    password: Secret | None = None
    sender: str | None = None
    tls: bool = False
    """From the first byte, as smtps:// says."""
    starttls: bool | None = None
    """None: when the server offers it."""
    ca: str | None = None
    """File with the certificates to trust; None: those of the system."""


def parse_smtp_url(text: str, *, allow_insecure: bool = False) -> SmtpAddress:
    """Read SMTP_URL.

    Raises:
        ValueError: it is none, or would send a password in the clear; the text shows no password.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
        options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    except ValueError as error:
        raise ValueError(f"SMTP_URL: its value cannot be read ({_harmless(error)}); write {FORM}") from error
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"SMTP_URL: its value is no address of a mail server; write {FORM}")
    if unknown := sorted(options.keys() - set(OPTIONS)):
        raise ValueError(f"SMTP_URL: there is no option {', '.join(unknown)}; there are {', '.join(OPTIONS)}")
    username = unquote(parts.username) if parts.username else None
    starttls = options.get("starttls") or ("required" if username else "auto")
    if starttls not in STARTTLS:
        raise ValueError(f"SMTP_URL: starttls={starttls} is none of {', '.join(STARTTLS)}")
    tls = parts.scheme == "smtps"
    if username and not tls and starttls != "required" and not allow_insecure:
        raise ValueError("SMTP_URL: the password could travel in the clear; use starttls=required or smtps://")
    ca = options.get("ca")
    if ca is not None and not Path(ca).is_file():
        raise ValueError(f"SMTP_URL: ca={ca} is not a file")
    return SmtpAddress(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        username=username,
        password=Secret(unquote(parts.password or "")) if username else None,
        sender=checked_sender("SMTP_URL: from", options["from"]) if "from" in options else None,
        tls=tls,
        starttls=False if tls else STARTTLS[starttls],
        ca=ca,
    )


def _harmless(error: ValueError) -> str:
    """What is wrong, without the value: it holds a password."""
    return "its port is no number" if "ort" in str(error) else "it is malformed"


def checked_sender(name: str, text: str) -> str:
    """`jdi@example.com` or `Jira notices <jdi@example.com>`.

    Raises:
        ValueError: it is neither.
    """
    if text.isprintable():
        _, address = parseaddr(text)
        if is_mail_address(address):
            return text
    raise ValueError(f"{name}: {text!r} is no mail address; write jdi@example.com or Jira notices <jdi@example.com>")


def checked_recipients(name: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """All of them, each once.

    Raises:
        ValueError: one is no mail address.
    """
    for text in texts:
        if not is_mail_address(text):
            raise ValueError(f"{name}: {text!r} is no mail address")
    return tuple(dict.fromkeys(texts))


def is_mail_address(text: str) -> bool:
    """Whether `text` is one plain address: what header and envelope can hold without a second thought."""
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > 254:
        return False
    try:
        address = Address(addr_spec=text)
    except (ValueError, IndexError):
        return False
    return bool((address.username and "." in address.domain.strip(".")) or address.domain == "localhost")
