"""``python -m libs.jira_simulator``."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

COMMAND = (sys.executable, "-m", "libs.jira_simulator")


def test_it_says_where_it_listens_and_who_may_log_in_then_serves_until_told_to_stop() -> None:
    arguments = (
        "--issues",
        "20",
        "--exact",
        "--project",
        "ABC",
        "--email",
        "me@example.com",
        "--token",
        "t",
        "--odd",
        "3",
    )
    with subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        said = re.fullmatch(r"simulated Jira: (http://127\.0\.0\.1:\d+) email=(\S+) token=(\S+) projects=ABC\n", line)
        assert said is not None, line
        assert said.group(2, 3) == ("me@example.com", "t")
        with urllib.request.urlopen(f"{said[1]}/simulator/state") as answer:  # noqa: S310 - our own server
            assert b'"comments":60,"worklogs":40' in answer.read()
        with urllib.request.urlopen(f"{said[1]}/simulator/odd") as answer:  # noqa: S310 - our own server
            assert answer.read() == b'{"healed":false,"shown":{}}'
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            for path in ("/simulator/mutate", "/rest/api/3/serverInfo"):
                asked = urllib.request.Request(f"{said[1]}{path}", headers=header)  # noqa: S310 - our own server
                with pytest.raises(urllib.error.HTTPError, match="403"):
                    urllib.request.urlopen(asked)  # noqa: S310 - our own server
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def test_a_taken_port_is_one_clear_line_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*COMMAND, "--issues", "1", "--port", port], capture_output=True, text=True, check=False)
    wanted = f"simulated Jira: cannot listen on 127.0.0.1:{port}: it is taken; choose another port with --port\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", wanted)


def test_an_impossible_number_is_one_clear_line_and_exit_code_2() -> None:
    ended = subprocess.run([*COMMAND, "--issues", "-3"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "simulated Jira: issues must not be negative\n")
