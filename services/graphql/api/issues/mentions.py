"""Readable texts with the names of the people whom they mention, as far as these are known."""

import asyncio
import re
from collections.abc import Callable
from typing import Any

from strawberry.utils.await_maybe import AwaitableOrValue

from libs.read_tables import MENTION, UNNAMED
from services.graphql.api.context import Info
from services.graphql.api.issues.queries import USERS


def named(column: str) -> Callable[[Any, Info], Any]:
    """What resolves a field that is the text of a column; nothing is awaited for a text that mentions nobody."""

    def resolve(self: Any, info: Info) -> AwaitableOrValue[str | None]:
        text: str | None = self.row[column]
        if text is None or MENTION.search(text) is None:
            return text
        return _with_names(info, self.row["site"], text)

    return resolve


async def _with_names(info: Info, site: str, text: str) -> str:
    accounts = list(dict.fromkeys(MENTION.findall(text)))
    names = await asyncio.gather(*(_name(info, site, account) for account in accounts))
    shown = dict(zip(accounts, names, strict=True))

    def at(mention: re.Match[str]) -> str:
        return f"@{shown[mention[1]]}"

    return MENTION.sub(at, text)


async def _name(info: Info, site: str, account: str) -> str:
    """The name that Jira has shown; the account id of one whom it has not shown yet."""
    row = await info.context.loaders.one(USERS, (site, account))
    return account if row is None or row["display_name"] == UNNAMED else str(row["display_name"])
