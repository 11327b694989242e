"""Every block of code in the documentation is right: it parses, what it names exists, and where it can run it runs."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from services.cli.migrations import migrate
from tests.deploy.settings import EVERYWHERE
from tests.docs import languages, shell
from tests.docs.pages import PAGES, Block, blocks, inline_code
from tests.docs.reference.settings import variables
from tests.docs.running import Reader
from tests.docs.stack import running
from tests.servers.addresses import PostgresServer

VARIABLES = variables().keys() | EVERYWHERE
BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_what_its_language_says(block: Block) -> None:
    languages.check(block)


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_paths_in_running_text_exist(page: str) -> None:
    for code in inline_code(page):
        shell.check_inline(code)


@pytest.mark.parametrize("page", PAGES)
def test_variables_in_running_text_are_read_by_somebody(page: str) -> None:
    for code in inline_code(page):
        named = re.fullmatch(
            r"((?:DATABASE|GRAPHQL|JDI|JIRA|NATS|NOTIFY|SYNC|TEMPORAL)_[A-Z_]+?)(?:_FILE)?(?:=.*)?", code
        )
        assert named is None or {named[1], f"{named[1]}_FILE"} & VARIABLES, f"nobody reads {code}"


def test_sql_runs_on_the_tables_of_postgresql(postgres: PostgresServer) -> None:
    url = postgres.fresh_database()
    migrate(url)
    for block in (block for block in BLOCKS if block.language == "sql"):
        with psycopg.connect(url) as connection:
            try:
                connection.execute(block.text.encode())
            except psycopg.Error as error:
                raise AssertionError(f"{block}: {error}") from error
            connection.rollback()


@pytest.mark.timeout(600)  # on a machine with much other work
async def test_what_a_reader_does_page_by_page_works(tmp_path: Path) -> None:
    """In one test, so that all pages share one system. What fails is told with its place, and the others go on."""
    failures = []
    async with running(tmp_path) as stack:
        for page in PAGES:
            reader = Reader(stack)
            for block in blocks(page):
                try:
                    await reader.follow(block)
                except AssertionError as error:
                    failures.append(f"{block}: {error}")
            await reader.close()
    assert not failures, "\n\n".join(failures)
