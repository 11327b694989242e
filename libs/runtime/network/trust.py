"""Whose certificates are believed: the system's authorities, those of `certifi` where it is there, and JIRA_CA_FILE."""

import contextlib
import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_CERTIFICATE: Final = b"-----BEGIN "
LARGEST: Final = 10 * 1024 * 1024
"""Bytes; all authorities of a system take a few hundred thousand."""


class Authority(NamedTuple):
    """A certificate of the file."""

    name: str
    ends: datetime


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """For connections that we open. Raises ValueError where the file cannot be used (see `checked_authorities`).

    "The system's" are those at OpenSSL's default places, which SSL_CERT_FILE and SSL_CERT_DIR name where they are set.
    """
    context = ssl.create_default_context()
    with contextlib.suppress(ImportError, OSError):  # the HTTP client of Jira brings it; systems without any need it
        import certifi

        context.load_verify_locations(certifi.where())
    if ca_file is not None:
        _load(context, ca_file)
        # An authority that is named is believed as it is: also one that another has signed, or one without the marks
        # that newer versions of Python demand, as proxies make them that look into TLS.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def checked_authorities(name: str, text: str) -> Path:
    """The path of a file of authorities.

    Raises:
        ValueError: it cannot be read, or holds something else; one line that says what to do.
    """
    path = Path(text).expanduser().absolute()
    try:
        if not path.is_file():
            raise ValueError(f"{name}={path} is not a file; name one that holds certificates as PEM")
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{name}={path} is larger than {LARGEST} bytes; name one that holds certificates alone")
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{name}={path} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise ValueError(f"{name}={path} is empty; put the certificate of your authority into it, as PEM")
    if _PRIVATE_KEY.search(content):
        raise ValueError(
            f"{name}={path} holds a private key, which belongs to nobody here; leave the certificates alone"
        )
    if _CERTIFICATE not in content:
        advice = "convert it by `openssl x509 -inform der`" if content.startswith(b"\x30") else "name one that does"
        raise ValueError(f"{name}={path} holds no certificate as PEM; {advice}")
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path, name)
    return path


def authorities(path: Path) -> list[Authority]:
    """What the file holds, each with its end (UTC)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(path)
    return [Authority(_name(one), _time(str(one["notAfter"]))) for one in context.get_ca_certs()]


def _load(context: ssl.SSLContext, path: Path, name: str = "JIRA_CA_FILE") -> None:
    before = context.cert_store_stats()["x509"]
    try:
        context.load_verify_locations(path)
    except OSError as error:  # ssl.SSLError is one
        reason = error.strerror if not isinstance(error, ssl.SSLError) else "a certificate in it is damaged"
        raise ValueError(f"{name}={path} cannot be used: {reason}") from error
    if before == 0 and context.cert_store_stats()["x509"] == 0:
        raise ValueError(f"{name}={path} holds no certificate as PEM; name one that does")


def _name(certificate: dict[str, Any]) -> str:
    """The common name, else the organisation."""
    subject = dict(_pairs(certificate.get("subject", ())))
    return subject.get("commonName") or subject.get("organizationName") or "unnamed"


def _pairs(subject: tuple[tuple[tuple[str, str], ...], ...]) -> Iterator[tuple[str, str]]:
    for one in subject:
        yield from one


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)
