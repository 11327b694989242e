"""`jdi backup` and `jdi restore` as an operator gives them, and as the document for operators says."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result

from services.cli.commands import cli
from services.cli.copies.backup import pg_dump_line

OPERATE = Path(__file__).parents[3] / "docs" / "operate.md"
FOREIGN = dict.fromkeys(("DATABASE_URL", "NATS_URL", "TEMPORAL_ADDRESS", "JIRA_SITE", "JIRA_BASE_URL"), None)


def jdi(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments, env={**FOREIGN, "JDI_DATA_DIR": str(data_dir)})


def test_a_backup_is_restored_to_another_folder(tmp_path: Path) -> None:
    token = jdi(tmp_path / "a", "token", "create", "board", "--role", "reader").stderr.split()[1]
    file = str(tmp_path / "backup")
    assert jdi(tmp_path / "a", "backup", file).stdout == f"{file} holds the log up to event 0 and 1 API tokens\n"
    done = jdi(tmp_path / "b", "restore", file)
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "restored; start the services")
    assert token in jdi(tmp_path / "b", "token", "list").stdout


def test_restore_wants_a_file_or_finish_and_not_both(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    file.touch()
    for arguments in ((), (str(file), "--finish")):
        done = jdi(tmp_path, "restore", *arguments)
        assert (done.exit_code, "--finish" in done.stderr) == (2, True)


def test_the_document_gives_the_command_for_postgresql_that_the_program_gives() -> None:
    words = OPERATE.read_text(encoding="utf-8").replace("\\\n", " ").split()
    command = pg_dump_line(Path("jdi.dump")).split()
    assert any(words[start : start + len(command)] == command for start in range(len(words)))
