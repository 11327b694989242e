"""What the relay shows of its place."""

from __future__ import annotations

from prometheus_client import REGISTRY

from libs.events import Append, EventStore
from services.ingestor.relay.measures import measured
from tests.eventually import until
from tests.integration.events.nats.publishing import relay, until_stored
from tests.servers.addresses import NatsServer
from tests.unit.made.changes import issue


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


async def test_the_relay_shows_its_place_while_it_has_one(store: EventStore, nats: NatsServer) -> None:
    store.append(Append(changes=[issue(number) for number in range(5)]))
    with measured(store) as relayed:
        assert value("jdi_lag_seconds", service="relay") is None
        relayed(2)
        assert (value("jdi_lag_seconds", service="relay") or 0) > 0

        async with relay(store, nats.url, on_position=relayed):
            await until_stored(nats.url, 5)
            await until(lambda: value("jdi_position", service="relay") == 5)
        assert value("jdi_lag_seconds", service="relay") == 0
        relayed(None)
        assert value("jdi_position", service="relay") is None
        assert value("jdi_lag_seconds", service="relay") is None
