"""`jdi` as a person starts it: exit codes, one-line errors, Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from libs.embedded import lock
from tests.servers.addresses import free_port

JIRA = {"JIRA_BASE_URL": "http://127.0.0.1:9", "JIRA_EMAIL": "me@example.com", "JIRA_API_TOKEN": "hush"}


def environ(data_dir: Path, **more: str) -> dict[str, str]:
    foreign = ("JIRA_", "JDI_", "DATABASE_URL", "NATS_URL", "TEMPORAL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return kept | {"JDI_DATA_DIR": str(data_dir)} | more


def jdi(data_dir: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "services.cli", *arguments]
    return subprocess.run(
        command, env=environ(data_dir, **more), capture_output=True, text=True, check=False, timeout=120
    )


def test_up_without_jira_is_a_line_for_each_missing_value_and_2(tmp_path: Path) -> None:
    done = jdi(tmp_path, "up")
    assert done.returncode == 2
    assert [line.split(" is not set")[0] for line in done.stderr.splitlines()[:3]] == [
        "jdi: JIRA_BASE_URL",
        "jdi: JIRA_EMAIL",
        "jdi: JIRA_API_TOKEN",
    ]


@pytest.mark.parametrize("command", [["up"], ["demo", "--exit"]])
def test_a_taken_port_that_was_asked_for_is_one_line_and_2(tmp_path: Path, command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = jdi(tmp_path, *command, JDI_PORT=port, **JIRA)
    assert done.returncode == 2
    assert f"port {port} is taken; set JDI_PORT to a free one" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_stack_on_the_same_data_is_one_line_and_2(tmp_path: Path) -> None:
    with lock.holding(tmp_path):
        done = jdi(tmp_path, "up", **JIRA)
    assert done.returncode == 2
    assert done.stderr.startswith(f"jdi: a stack already runs on {tmp_path}")


def test_commands_without_tables_say_which_command_helps(tmp_path: Path) -> None:
    for command in ("status", "events"):
        done = jdi(tmp_path, command)
        assert (done.returncode, "jdi migrate" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


def test_after_migrate_the_log_is_empty_and_status_says_how_to_begin(tmp_path: Path) -> None:
    assert jdi(tmp_path, "migrate").returncode == 0
    assert jdi(tmp_path, "migrate").returncode == 0
    assert jdi(tmp_path, "events").stdout == ""
    assert "jdi register" in jdi(tmp_path, "status").stdout


def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    done = jdi(tmp_path, "events", DATABASE_URL="postgresql://127.0.0.1:9/nowhere")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("jdi: the database does not answer")
    assert "Traceback" not in done.stderr


def test_sync_without_a_stack_says_how_to_start_one(tmp_path: Path) -> None:
    done = jdi(tmp_path, "sync", "ALPHA", JIRA_SITE="acme", TEMPORAL_ADDRESS="127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr.startswith("jdi: Temporal at 127.0.0.1:9 does not answer; start the stack with `jdi up`")


def test_doctor_names_what_fails_and_exits_1(tmp_path: Path) -> None:
    jdi(tmp_path, "migrate")
    addresses = {"TEMPORAL_ADDRESS": "127.0.0.1:9", "NATS_URL": "nats://127.0.0.1:9"}
    done = jdi(tmp_path, "doctor", **JIRA, **addresses)
    states = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines()}
    assert done.returncode == 1
    assert states["settings"] == states["credentials"] == states["event"] == states["read"] == "ok"
    assert states["temporal"] == states["nats"] == states["jira"] == "fail"
    assert "hush" not in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_the_start_leaves_no_process_behind(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-m", "services.cli", "up", "--log-level", "debug"]
    process = subprocess.Popen(
        command,
        env=environ(tmp_path, JDI_PORT=str(free_port()), **JIRA),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    seen = ""
    while "nats" not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    children = _children(process.pid)
    assert children
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
