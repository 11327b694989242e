"""Tell of services that are not ready, by nothing that may be what has failed: no event log, no NATS, no database.

Each is asked for its `/readyz` by HTTP, this process for its own. What stays unready is told once on every channel, and
told once more when it is over. All of it is kept in memory: after a restart of the notifier an episode is told again.
"""

import asyncio
import dataclasses
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import structlog

from libs.runtime import Health, Stop, span_text
from services.notifier.delivery.retries import WORTH_ANOTHER
from services.notifier.delivery.send import Outlet
from services.notifier.message.types import Message
from services.notifier.text import one_line

LOOK_SECONDS: Final = 15.0
WELL_LOOK_SECONDS: Final = 30.0
"""Between two looks while all is well: each has every service prove that it can write."""
SHORTEST_SECONDS: Final = 0.05
ANSWER_SECONDS: Final = 5.0
"""A service gives its own checks two seconds."""
AGAIN_SECONDS: Final = 30.0
"""Between two tries on a channel that did not take a notice."""
REASON_LIMIT: Final = 500
ADVICE: Final = "Look at its /readyz and its log; `jdi doctor` says what to do."

Look = Callable[[], Awaitable[str | None]]
"""Why a service is not ready; None when it is."""

log = structlog.get_logger(__name__)


@dataclasses.dataclass
class Episode:
    """One service that is not ready."""

    since: float
    why: str
    told: set[str] = dataclasses.field(default_factory=set)
    """Channels that have taken the notice of it."""
    over_at: float | None = None


class Watch:
    """What is known of the services. Times are monotonic seconds.

    Args:
        patience: seconds for which a service may be unready before anybody is told.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._episodes: dict[str, Episode] = {}

    def saw(self, name: str, why: str | None, now: float) -> None:
        """Note a look at a service."""
        episode = self._episodes.get(name)
        if why is not None:
            if episode is None or episode.over_at is not None:
                # One that begins again before its end was told goes on.
                told = set() if episode is None else episode.told
                self._episodes[name] = Episode(now if episode is None else episode.since, why, told)
            else:
                episode.why = why
        elif episode is not None and not episode.told:
            del self._episodes[name]
        elif episode is not None and episode.over_at is None:
            episode.over_at = now

    def all_well(self) -> bool:
        """Whether every service is ready, and nobody waits to be told."""
        return not self._episodes

    def begun(self, channel: str, now: float) -> dict[str, Episode]:
        """What that channel is to be told of now, by service."""
        return {
            name: one
            for name, one in self._episodes.items()
            if one.over_at is None and channel not in one.told and now - one.since >= self._patience
        }

    def over(self, channel: str) -> dict[str, Episode]:
        """Of what that channel is to be told the end."""
        return {name: one for name, one in self._episodes.items() if one.over_at is not None and channel in one.told}

    def told(self, channel: str, names: Iterable[str]) -> None:
        """A channel has taken a notice, or never will."""
        for name in names:
            episode = self._episodes[name]
            if episode.over_at is None:
                episode.told.add(channel)
                continue
            episode.told.discard(channel)
            if not episode.told:
                del self._episodes[name]


async def watch(targets: Mapping[str, Look], outlet: Outlet, patience: float, stop: Stop) -> None:
    """Look at every service now and then, and tell, until told to stop; at none where no channel is set up."""
    if not outlet.channels:
        return
    seen = Watch(patience)
    not_before: dict[str, float] = {}
    while not stop.is_set():
        reasons = await asyncio.gather(*(look() for look in targets.values()))
        for name, why in zip(targets, reasons, strict=True):
            seen.saw(name, why, time.monotonic())
        await asyncio.gather(*(_tell(seen, outlet, channel, not_before) for channel in sorted(outlet.channels)))
        pause = WELL_LOOK_SECONDS if seen.all_well() else LOOK_SECONDS
        await stop.sleep(min(pause, max(patience, SHORTEST_SECONDS)))


async def _tell(seen: Watch, outlet: Outlet, channel: str, not_before: dict[str, float]) -> None:
    now = time.monotonic()
    if now < not_before.get(channel, 0.0):
        return
    for episodes, is_over in ((seen.over(channel), True), (seen.begun(channel, now), False)):
        if not episodes:
            continue
        result = await outlet.send_message(channel, message_of(episodes, is_over, now))
        if any(one.kind in WORTH_ANOTHER for one in result.failures) and not result.taken:
            not_before[channel] = now + AGAIN_SECONDS
            log.warning("a notice about services is tried again", channel=channel, why=result.failures[0].message)
            continue
        for failure in result.failures:
            log.error("a notice about services is lost", channel=channel, why=failure.message, advice=failure.advice)
        seen.told(channel, episodes)


def message_of(episodes: Mapping[str, Episode], is_over: bool, now: float) -> Message:
    """The notice about some services: that they are not ready, or that they are again."""
    names = ", ".join(sorted(episodes))
    wall = datetime.now(UTC)
    longest = max((one.over_at or now) - one.since for one in episodes.values())
    if is_over:
        subject, why, advice = f"Ready again: {names}, after {span_text(longest)}", "It is over.", "Nothing to do."
    else:
        reasons = [f"{name}: {one_line(one.why, REASON_LIMIT)}" for name, one in sorted(episodes.items())]
        subject, why, advice = f"Not ready for {span_text(longest)}: {names}", "\n".join(reasons), ADVICE
    return Message(
        subject=subject,
        text=f"{why}\n\nWhat to do: {advice}\n",
        channel_specific_metadata={
            "noticeId": f"watch-{'-'.join(sorted(episodes))}-{wall:%Y%m%dT%H%M%S}",
            "date": wall.isoformat(),
            "severity": "over" if is_over else "critical",
            "parameters": (subject, one_line(why, REASON_LIMIT), advice),
        },
    )


def readyz(url: str) -> Look:
    """Asks a service."""

    async def look() -> str | None:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS), trust_env=False) as session,
                session.get(url, allow_redirects=False) as answer,
            ):
                return None if answer.status == 200 else _reasons(await answer.json())
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, LookupError, TypeError) as error:
            return f"no answer: {str(error) or type(error).__name__}"

    return look


def own(health: Health) -> Look:
    """Asks this process."""

    async def look() -> str | None:
        return _said(await health.report())

    return look


def parse_targets(text: str) -> tuple[tuple[str, str], ...]:
    """Names and addresses: `ingestor=http://ingestor:8081/readyz projector=…`; without a name, the host's is taken.

    Raises:
        ValueError: what is no address.
    """
    found: dict[str, str] = {}
    for part in text.replace(",", " ").split():
        name, given, url = part.partition("=")
        name, url = (name, url) if given and "://" not in name else ("", part)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"NOTIFY_WATCH: {part!r} is no address; write ingestor=http://ingestor:8081/readyz")
        found[name or parts.netloc] = url
    return tuple(found.items())


def _reasons(body: Any) -> str:
    return _said({name: one["reason"] for name, one in body["checks"].items()}) or "it does not say why"


def _said(report: Mapping[str, str | None]) -> str | None:
    reasons: Sequence[str] = [f"{name}: {reason}" for name, reason in report.items() if reason is not None]
    return "; ".join(reasons) or None
