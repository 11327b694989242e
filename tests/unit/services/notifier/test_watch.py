"""Who is told of services that are not ready, and when: a minute later, once, and once more when it is over."""

from __future__ import annotations

import pytest

from libs.runtime import Stop
from services.notifier.delivery.send import Outlet
from services.notifier.watch import Episode, Watch, message_of, parse_targets, watch

MAIL, SLACK = "email", "slack"


def names(found: dict[str, Episode]) -> set[str]:
    return set(found)


def test_a_service_is_told_of_after_its_patience_once_and_once_when_it_is_over() -> None:
    seen = Watch(patience=60)
    for now in (0.0, 30.0, 59.0):
        seen.saw("ingestor", "nats: away", now)
        assert seen.begun(MAIL, now) == {}
    seen.saw("ingestor", "nats: still away", 60.0)
    assert seen.begun(MAIL, 60.0)["ingestor"].why == "nats: still away"
    seen.told(MAIL, ["ingestor"])
    assert seen.begun(MAIL, 600.0) == {}
    assert seen.over(MAIL) == {}
    seen.saw("ingestor", None, 700.0)
    assert names(seen.over(MAIL)) == {"ingestor"}
    seen.told(MAIL, ["ingestor"])
    assert seen.over(MAIL) == {}
    assert seen.all_well()


async def test_where_nobody_can_be_told_nobody_is_asked() -> None:
    asked: list[str] = []

    async def look() -> str | None:
        asked.append("ingestor")
        return "nats: away"

    await watch({"ingestor": look}, Outlet({}), 0.0, Stop())
    assert not asked


def test_what_is_over_before_anybody_was_told_is_never_told() -> None:
    seen = Watch(patience=60)
    seen.saw("ingestor", "nats: away", 0.0)
    seen.saw("ingestor", None, 59.0)
    seen.saw("ingestor", "nats: away", 61.0)
    assert seen.begun(MAIL, 119.0) == {}
    assert names(seen.begun(MAIL, 121.0)) == {"ingestor"}


def test_a_channel_hears_the_end_of_what_it_was_told_of_and_each_once() -> None:
    seen = Watch(patience=0)
    seen.saw("ingestor", "nats: away", 0.0)
    seen.told(MAIL, ["ingestor"])
    seen.saw("ingestor", None, 10.0)
    assert (names(seen.over(MAIL)), names(seen.over(SLACK)), seen.begun(SLACK, 10.0)) == ({"ingestor"}, set(), {})


def test_one_that_begins_again_before_its_end_was_told_goes_on() -> None:
    seen = Watch(patience=60)
    seen.saw("ingestor", "nats: away", 0.0)
    seen.told(MAIL, ["ingestor"])
    seen.saw("ingestor", None, 70.0)
    seen.saw("ingestor", "nats: away", 75.0)
    assert (seen.over(MAIL), seen.begun(MAIL, 200.0)) == ({}, {})
    assert names(seen.begun(SLACK, 75.0)) == {"ingestor"}


def test_notices_name_every_service_with_its_reason() -> None:
    episodes = {"telemetry": Episode(0.0, "log: full"), "ingestor": Episode(10.0, "event_log: full\nand more")}
    begun = message_of(episodes, False, 90.0)
    assert begun.subject == "Not ready for 1 min 30 s: ingestor, telemetry"
    assert begun.text.startswith("ingestor: event_log: full and more\ntelemetry: log: full\n")
    assert begun.channel_specific_metadata["severity"] == "critical"
    over = message_of({"ingestor": Episode(0.0, "x", over_at=180.0)}, True, 190.0)
    assert over.subject == "Ready again: ingestor, after 3 min"


def test_addresses_have_names() -> None:
    assert parse_targets("ingestor=http://ingestor:8081/readyz, http://db:9/readyz") == (
        ("ingestor", "http://ingestor:8081/readyz"),
        ("db:9", "http://db:9/readyz"),
    )


@pytest.mark.parametrize("text", ["ingestor", "ingestor=ingestor:8081", "ftp://host/readyz", "a=http://"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"NOTIFY_WATCH: .* is no address"):
        parse_targets(text)
