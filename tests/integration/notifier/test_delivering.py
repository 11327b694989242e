"""The notifier behind a real NATS server: what it cannot read is a dead letter, said once."""

import asyncio

import nats as nats_py
from nats.js.api import StreamConfig
from structlog.testing import capture_logs

from libs.runtime import Reported, Stop
from services.notifier.deliver import DURABLE, deliver
from tests.servers import NatsServer


async def test_an_unreadable_alert_is_a_dead_letter_and_is_not_delivered_again(nats: NatsServer) -> None:
    client = await nats_py.connect(nats.url)
    jetstream = client.jetstream()
    await jetstream.add_stream(StreamConfig(name="JIRA", subjects=["jira.>"]))
    await jetstream.publish("jira.acme.KEY.control.alert_raised", b"not an event")
    await jetstream.publish("jira.acme.KEY.control.sync_requested", b"none of its business")
    stop, state = Stop(), Reported()
    with capture_logs() as lines:
        task = asyncio.create_task(deliver(nats.url, stop, state.report))
        async with asyncio.timeout(60):
            while not any(line["event"] == "dead letter" for line in lines):
                await asyncio.sleep(0.01)
        assert state() is None
        stop.set()
        await task
    consumer = await jetstream.consumer_info("JIRA", DURABLE)
    assert (consumer.num_pending, consumer.num_ack_pending) == (0, 0)
    assert [line["subject"] for line in lines if line["event"] == "dead letter"] == [
        "jira.acme.KEY.control.alert_raised"
    ]
    await client.close()
