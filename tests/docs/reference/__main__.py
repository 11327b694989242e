"""The pages that are written from the code: `make reference` writes them, and a test holds them against it."""

from __future__ import annotations

from collections.abc import Callable

from tests.docs.pages import DOCS
from tests.docs.reference import alerts as alerts_page
from tests.docs.reference import commands as commands_page
from tests.docs.reference import events as events_page
from tests.docs.reference import graphql as graphql_page
from tests.docs.reference import settings as settings_page

WRITTEN: dict[str, Callable[[], str]] = {
    "alerts.md": alerts_page.page,
    "commands.md": commands_page.page,
    "events.md": events_page.page,
    events_page.SCHEMA_ID: events_page.schema,
    "graphql.md": graphql_page.page,
    "settings.md": settings_page.page,
}
FOLDER = DOCS / "reference"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, write in WRITTEN.items():
        (FOLDER / name).write_text(write(), encoding="utf-8")
