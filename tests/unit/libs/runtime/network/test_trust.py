"""Whom a connection of ours believes, and files that cannot say it."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import pytest
import trustme

from libs.runtime.network.trust import authorities, checked_authorities, client_context

AUTHORITY = trustme.CA()
PEM = AUTHORITY.cert_pem.bytes()
DER = ssl.PEM_cert_to_DER_cert(PEM.decode())


def believed(context: ssl.SSLContext) -> list[bytes]:
    return context.get_ca_certs(binary_form=True)


def test_the_file_is_added_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"# our own\r\n" + PEM)
    ours = client_context(checked_authorities("JIRA_CA_FILE", str(tmp_path / "ca.pem")))
    assert ours.verify_mode is ssl.CERT_REQUIRED
    assert ours.check_hostname
    assert DER in believed(ours)
    assert set(believed(ours)) > set(believed(client_context(None)))
    public = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    public.load_verify_locations(certifi.where())
    assert set(believed(ours)) >= set(believed(public))


def test_the_system_says_by_its_own_variable_where_its_authorities_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_bytes(PEM)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    assert DER in believed(client_context(None))


def test_an_authority_under_another_one_is_believed_when_it_alone_is_named(tmp_path: Path) -> None:
    below = AUTHORITY.create_child_ca()
    below.cert_pem.write_to_path(tmp_path / "ca.pem")
    client = client_context(tmp_path / "ca.pem")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    below.issue_cert("jira.example").configure_cert(server)
    _handshake(client, server, "jira.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(client_context(None), server, "jira.example")


def test_the_authorities_of_a_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(PEM + trustme.CA(organization_name="Acme").cert_pem.bytes())
    found = authorities(path)
    assert sorted(one.name.split(" ")[0] for one in found) == ["Acme", "trustme"]
    assert all(one.ends.year > 2020 for one in found)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not a file"),
        (b"", "is empty"),
        (b" \r\n", "is empty"),
        (b"garbage", "no certificate as PEM"),
        (b"\x00\xff" * 100, "no certificate as PEM"),
        (DER, "openssl x509 -inform der"),
        (AUTHORITY.private_key_pem.bytes(), "private key"),
        (PEM + AUTHORITY.issue_cert("x.example").private_key_pem.bytes(), "private key"),
        (PEM[: len(PEM) // 2], "damaged|no certificate"),
        (PEM.replace(b"\n", b"\nAAAA", 2), "damaged|no certificate"),
        (b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n", "damaged|no certificate"),
    ],
)
def test_a_file_of_anything_else_is_one_clear_line(content: bytes | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"^JIRA_CA_FILE=[^\n]*({says})[^\n]*$"):
        checked_authorities("JIRA_CA_FILE", str(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a file"):
        checked_authorities("JIRA_CA_FILE", str(tmp_path))


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for end in (ours, theirs):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
