"""The key of commands: one for each log, whoever asks first and however many at once."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from libs.events import EventStore, command_key, migrate, open_store, read_command_key
from tests.servers.addresses import sqlite_log

AT_ONCE = 8


def test_those_who_ask_at_once_get_the_same_key(store: EventStore) -> None:
    with contextlib.ExitStack() as opened, ThreadPoolExecutor(AT_ONCE) as threads:
        stores = [opened.enter_context(contextlib.closing(open_store(store.url))) for _ in range(AT_ONCE)]
        keys = set(threads.map(command_key, stores))
    assert {len(key) for key in keys} == {32}
    assert keys == {command_key(store), read_command_key(store.url)}
    migrate(store.url)
    assert keys == {command_key(store)}
    assert store.head() == 0


def test_each_log_has_its_own(store: EventStore, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = sqlite_log(tmp_path / "other")
    migrate(other)
    assert command_key(store) != read_command_key(other)
