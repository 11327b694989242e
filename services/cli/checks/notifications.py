"""Whether people would hear of trouble, and whether there is some now."""

import asyncio
from collections.abc import Mapping
from typing import Final

from sqlalchemy import func, select

from libs.embedded import stack_file
from libs.read_tables import alert, dead_letter, notification
from libs.runtime.environ import read_variable
from services.cli.checks.databases import reading
from services.cli.checks.findings import Doubt, Finding, Trouble, look
from services.cli.settings import DoctorSettings

CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("SMTP_URL", "NOTIFY_EMAIL_TO"),
    "slack": ("SLACK_WEBHOOK_URL",),
    "whatsapp": ("WHATSAPP_TOKEN", "WHATSAPP_PHONE_NUMBER_ID", "WHATSAPP_TO"),
}
"""What each channel needs; the notifier refuses to start when one is set up by half."""
SHOWN: Final = 5


async def notifications(settings: DoctorSettings, environ: Mapping[str, str]) -> list[Finding]:
    """Of channels, of what they did not deliver, of events that could not be applied, and of open alerts."""
    return list(
        await asyncio.gather(
            look("channels", lambda: _channels(environ), "docs/notifications.md says how to set one up"),
            look("notices", lambda: asyncio.to_thread(_undelivered, settings), "see Notifications in the console"),
            look("parked", lambda: asyncio.to_thread(_parked, settings), "upgrade, then `jdi rebuild`"),
            look("alerts", lambda: asyncio.to_thread(_alerts, settings), "`jdi status` says what to do about each"),
        )
    )


async def _channels(environ: Mapping[str, str]) -> str:
    ready, half = [], []
    for channel, variables in CHANNELS.items():
        missing = [name for name in variables if read_variable(name, environ) is None]
        if not missing:
            ready.append(channel)
        elif len(missing) < len(variables):
            half.append(f"{channel} lacks {' and '.join(missing)}")
    if half:
        raise Trouble("; ".join(half))
    if not ready:
        if stack_file.find(environ) is not None:
            raise Doubt("none is set up here; the notifier that runs may have its own")
        raise Doubt("none is set up: nobody is told of trouble")
    return f"{', '.join(ready)} set up"


def _undelivered(settings: DoctorSettings) -> str:
    with reading(settings) as tables, tables.connect() as connection:
        query = select(notification.c.state, func.count()).group_by(notification.c.state)
        counts = {str(state): int(count) for state, count in connection.execute(query)}
    if dead := counts.get("DEAD"):
        raise Doubt(f"{dead} could not be delivered and were given up")
    return f"{counts.get('SENT', 0)} delivered, {counts.get('RETRYING', 0)} on their way"


def _parked(settings: DoctorSettings) -> str:
    with reading(settings) as tables, tables.connect() as connection:
        query = select(dead_letter.c.topic, dead_letter.c.error).order_by(dead_letter.c.position)
        rows = connection.execute(query).all()
    if rows:
        raise Trouble(f"{len(rows)} events could not be applied, the first a {rows[0].topic}: {rows[0].error}")
    return "no event had to be left out of the read tables"


def _alerts(settings: DoctorSettings) -> str:
    with reading(settings) as tables, tables.connect() as connection:
        query = select(alert).where(alert.c.status != "RESOLVED").order_by(alert.c.raised_position)
        found = connection.execute(query).mappings().all()
    if found:
        shown = ", ".join(f"{one['code']} of {one['site']}/{one['project_key']}".rstrip("/") for one in found[:SHOWN])
        more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise Trouble(f"open: {shown}{more}")
    return "none is open"
