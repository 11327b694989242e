"""NATS: its version, JetStream, the stream in step with the log, and who reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from libs.events import EventStore
from libs.events.nats.belonging import ForeignStreamError
from libs.events.nats.checkpoint import look as look_at_stream
from libs.events.nats.connection import connected, shown
from libs.events.nats.relay import STREAM
from services.cli.checks.catching_up import events_behind
from services.cli.checks.databases import opened
from services.cli.checks.findings import Doubt, Finding, Trouble, look
from services.cli.settings import DoctorSettings

OLDEST_SERVER: Final = (2, 10)
"""The first whose consumers take several subjects."""
READERS: Final = ("telemetry", "notifier")
"""Durable consumers of our own services."""


async def fan_out(settings: DoctorSettings) -> list[Finding]:
    """Of the server, the stream and its consumers."""
    server = await look("nats", lambda: _server(settings), "start the stack with `jdi up`, or set NATS_URL")
    if server.failed:
        return [server]
    stream = await look("stream", lambda: _stream(settings), "is the relay running? Its /readyz says what holds it up")
    if stream.failed:
        return [server, stream]
    return [server, stream, await look("consumers", lambda: _consumers(settings), "start telemetry and the notifier")]


async def _server(settings: DoctorSettings) -> str:
    async with _connected(settings) as client:
        version = client.connected_server_version
        text = f"{version.major}.{version.minor}.{version.patch} at {shown(settings.nats_url)}"
        if (version.major, version.minor) < OLDEST_SERVER:
            raise Trouble(text, f"upgrade NATS to {'.'.join(map(str, OLDEST_SERVER))} or newer")
        try:
            account = await client.jetstream().account_info()
        except NatsError as error:
            why = str(error) or type(error).__name__
            raise Trouble(f"{text}, without JetStream ({why})", "switch JetStream on: `jetstream {}`") from error
        used, most = account.storage, account.limits.max_storage
        if most and most > 0 and used > 0.9 * most:
            raise Doubt(f"{text}, JetStream's storage is {used / most:.0%} full", "raise max_file_store")
        return f"{text}, JetStream on"


async def _stream(settings: DoctorSettings) -> str:
    async with _connected(settings) as client:
        with opened(settings) as store:
            try:
                behind = await _behind(store, client)
                held = await look_at_stream(store, client, STREAM)
            except NotFoundError as error:
                raise Trouble(f"there is no stream {STREAM}") from error
            except ForeignStreamError as error:
                raise Trouble(str(error), "after a restore: `jdi restore --finish`; else check NATS_URL") from error
    if behind:
        return f"{STREAM} is being filled, {behind} events to go"
    if held.foreign:
        text = f"{STREAM} is in step with the log; somebody else has just published {held.foreign} messages into it"
        raise Doubt(text, "find out who publishes on jira.>; the relay passes such messages over, and names them")
    if not held.proven:
        raise Doubt(
            f"{STREAM} ends where the log does; whether it lacks events before is not proven yet",
            "look again: the relay reads the stream once, beside its work",
        )
    return f"{STREAM} is in step with the log"


async def _behind(store: EventStore, client: Client) -> int:
    """Events that the stream lacks, at its end or in a gap.

    Raises:
        Trouble: it lacks some, and gets no more.
    """

    async def position() -> int:
        return (await look_at_stream(store, client, STREAM)).position

    return await events_behind(await asyncio.to_thread(store.head), position, f"{STREAM} stands still")


async def _consumers(settings: DoctorSettings) -> str:
    async with _connected(settings) as client:
        jetstream = client.jetstream()
        missing, idle, waiting = [], [], []
        for name in READERS:
            try:
                info = await jetstream.consumer_info(STREAM, name)
            except NotFoundError:
                missing.append(name)
                continue
            waiting.append(f"{name} {info.num_pending or 0} to read")
            if info.num_pending and not info.num_waiting and not info.num_ack_pending:
                idle.append(name)
    if missing or idle:
        raise Trouble(f"nobody reads as {', '.join(missing + idle)}")
    return ", ".join(waiting)


@asynccontextmanager
async def _connected(settings: DoctorSettings) -> AsyncIterator[Client]:
    try:
        client = await connected(settings.nats_url, _ignore)
    except (OSError, NatsError) as error:
        why = f" ({error})" if "authorization" in str(error).lower() else ""
        raise Trouble(f"no answer at {shown(settings.nats_url)}{why}") from error
    try:
        yield client
    finally:
        await client.close()


async def _ignore(_error: Exception) -> None:
    """What connect raises says the same."""
