"""What a Temporal server may ask of who connects: TLS, a client certificate, an API key. Pure, but for the files.

The variables that errors name are those of Temporal's own tools, so that one environment serves both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from temporalio.service import TLSConfig

CA: Final = "TEMPORAL_TLS_SERVER_CA_CERT_PATH"
CERT: Final = "TEMPORAL_TLS_CLIENT_CERT_PATH"
KEY: Final = "TEMPORAL_TLS_CLIENT_KEY_PATH"

_WHY: Final[Mapping[str, str]] = {
    "UnknownIssuer": f"nobody whom we trust has signed its certificate; {CA} must name the certificate of who has",
    "CaUsedAsEndEntity": f"its certificate is that of an authority; {CA} may name it, the server needs one of its own",
    "NotValidForName": "its certificate is for another name; TEMPORAL_TLS_SERVER_NAME must be one that it is for",
    "InvalidCertificate(Expired": "its certificate has expired",
    "InvalidCertificate(NotValidYet": "its certificate is not valid yet; is the clock right?",
    "KeyMismatch": f"{KEY} does not belong to the certificate of {CERT}",
    "CertificateRequired": f"it asks for a client certificate; set {CERT} and {KEY}",
    "AlertReceived": f"it ended TLS; it may not accept the certificate of {CERT}",
    "InvalidContentType": "it does not speak TLS; leave out the variables TEMPORAL_TLS… and TEMPORAL_API_KEY",
    "code: Unauthenticated": "it does not accept TEMPORAL_API_KEY",
    "code: PermissionDenied": "it knows us and refuses us; may this key or certificate use TEMPORAL_NAMESPACE?",
    "Some(tonic::transport::Error(Transport, hyper::Error(": "it ends the connection at once; if it speaks TLS, set"
    f" TEMPORAL_TLS=1, and if it asks for a client certificate, check {CERT} and {KEY}",
}
"""What the SDK's error holds, and what that means, the more certain first."""


class ConnectError(RuntimeError):
    """No connection to Temporal; the text says why, as far as that can be known."""


class Access(Protocol):
    """How we show ourselves; settings of services have it."""

    @property
    def temporal_tls(self) -> bool:
        """Speak TLS even when nothing else here asks for it."""

    @property
    def temporal_ca(self) -> Path | None:
        """Who signs the server's certificate; None: who the system trusts."""

    @property
    def temporal_cert(self) -> Path | None: ...

    @property
    def temporal_key(self) -> Path | None: ...

    @property
    def temporal_server_name(self) -> str:
        """The name in the server's certificate, where that is not the address."""

    @property
    def temporal_api_key(self) -> str | None: ...


def shown(access: Access | None) -> dict[str, Any]:
    """The arguments for the SDK.

    Raises:
        ConnectError: a file cannot be read any more.
    """
    if access is None:
        return {}
    files = _read(CA, access.temporal_ca), _read(CERT, access.temporal_cert), _read(KEY, access.temporal_key)
    name, api_key = access.temporal_server_name, access.temporal_api_key
    asked_for = access.temporal_tls or any(files) or name or api_key
    ca, cert, key = files
    tls = TLSConfig(server_root_ca_cert=ca, domain=name or None, client_cert=cert, client_private_key=key)
    return {"tls": tls if asked_for else False, "api_key": api_key}


def explained(address: str, error: Exception) -> ConnectError:
    """The SDK's error, which quotes the insides of three libraries, in a sentence."""
    why = refusal(error)
    return ConnectError(f"Temporal at {address} {f'does not let us in: {why}' if why else 'does not answer'}")


def refusal(error: Exception) -> str | None:
    """Why the server and we do not get on; None: it is something else."""
    text = str(error)
    return next((why for sign, why in _WHY.items() if sign in text), None)


def _read(variable: str, path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConnectError(f"Temporal: {variable}={path} cannot be read: {error.strerror}") from error
