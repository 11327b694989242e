import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from libs.embedded import lock, stack_file
from libs.embedded.errors import StackError
from libs.embedded.stack_file import StackFile

STACK = StackFile(
    site="demo",
    database_url="sqlite:////data/jdi.db",
    temporal_address="127.0.0.1:7001",
    temporal_namespace="default",
    temporal_ui="http://127.0.0.1:7002",
    nats_url="nats://127.0.0.1:7003",
    graphql_url="http://127.0.0.1:8081",
    jira_base_url="http://127.0.0.1:7004",
    ports={"temporal": 7001},
    pids={"jdi": 1},
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_other_users_see_nothing_of_the_folder_and_of_what_is_made_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "jdi.db").write_text("of an earlier version")
    (folder / "jdi.db").chmod(0o644)
    with lock.holding(folder):
        subprocess.run([sys.executable, "-c", "open('made', 'w'); import os; os.mkdir('nats')"], cwd=folder, check=True)
    assert mode(folder) == mode(folder / "nats") == 0o700
    assert {mode(folder / name) for name in ("jdi.db", "made", "stack.lock")} == {0o600}
    (tmp_path / "after").touch()
    assert mode(tmp_path / "after") != 0o600


def test_a_folder_that_others_could_replace_is_told(tmp_path: Path) -> None:
    parent = tmp_path / "shared"
    data = parent / "data"
    data.mkdir(parents=True)
    assert lock.exposed(data) is None
    parent.chmod(0o777)
    assert str(parent) in (lock.exposed(data) or "")
    parent.chmod(0o1777)
    assert lock.exposed(data) is None


def test_the_stack_file_is_private_and_reads_back(tmp_path: Path) -> None:
    stack_file.write(tmp_path, STACK)
    assert mode(tmp_path / "stack.json") == 0o600
    assert stack_file.read(tmp_path) == STACK
    assert [path.name for path in tmp_path.iterdir()] == ["stack.json"]


def test_a_broken_stack_file_is_none(tmp_path: Path) -> None:
    assert stack_file.read(tmp_path) is None
    (tmp_path / "stack.json").write_text("{}")
    assert stack_file.read(tmp_path) is None


def test_a_stack_runs_only_while_the_folder_is_locked(tmp_path: Path) -> None:
    stack_file.write(tmp_path, STACK)
    assert stack_file.find({"JDI_DATA_DIR": str(tmp_path)}) is None
    with lock.holding(tmp_path):
        assert stack_file.find({"JDI_DATA_DIR": str(tmp_path)}) == (tmp_path, STACK)
    assert stack_file.running(tmp_path) is None


def test_a_running_demo_is_found_without_any_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with lock.holding(tmp_path / ".jdi" / "demo"):
        stack_file.write(tmp_path / ".jdi" / "demo", STACK)
        assert stack_file.find({}) == (tmp_path / ".jdi" / "demo", STACK)


def test_a_command_gets_the_addresses_as_environment() -> None:
    environ = STACK.environ(Path("/data"))
    assert environ["JDI_PORT"] == "8081"
    assert environ["TEMPORAL_ADDRESS"] == "127.0.0.1:7001"


def test_two_stacks_do_not_share_a_folder(tmp_path: Path) -> None:
    with (
        lock.holding(tmp_path),
        pytest.raises(StackError, match=rf"process {os.getpid()}.*set JDI_DATA_DIR") as caught,
        lock.holding(tmp_path),
    ):
        pass
    assert caught.value.exit_code == 2


def test_the_children_of_a_killed_stack_keep_the_folder_until_they_end(tmp_path: Path) -> None:
    program = (
        "import os, subprocess, sys; from pathlib import Path; from libs.embedded import lock\n"
        f"with lock.holding(Path({str(tmp_path)!r})) as descriptor:\n"
        "    subprocess.Popen([sys.executable, '-c', 'input()'], pass_fds=(descriptor,))\n"
        "    os._exit(9)\n"
    )
    reading, writing = os.pipe()
    try:
        killed = subprocess.run([sys.executable, "-c", program], stdin=reading, check=False)
        assert killed.returncode == 9
        assert lock.is_held(tmp_path)
        os.write(writing, b"end\n")  # now the orphan ends, and the wait with it
        with lock.holding(tmp_path):
            assert lock.is_held(tmp_path)
    finally:
        os.close(reading)
        os.close(writing)


def test_the_stack_file_of_an_earlier_release_still_gives_its_ports(tmp_path: Path) -> None:
    stack_file.write(tmp_path, STACK)
    written = tmp_path / "stack.json"
    written.write_text(written.read_text().replace("{", '{"admin_token_file": "/data/admin-token",', 1))
    assert stack_file.read(tmp_path) == STACK
