"""The floor of the relay: the same messages with the same headers as atomic batches, lanes side by side."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from time import perf_counter
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from bench.floors.streams import BATCH, Prepared, new_stream, publish_batch
from bench.ground import Ground
from chassis.process import collect_seldom

STREAM: Final = "FLOOR_PUBLISHING"


async def read_messages(jetstream: JetStreamContext, stream: str, after: int, count: int) -> Sequence[Prepared]:
    """Read what the relay published, without what served only to publish it."""
    config = ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE, opt_start_seq=after + 1, ack_policy=AckPolicy.NONE
    )
    subscription = await jetstream.pull_subscribe("", stream=stream, config=config)
    found: list[Prepared] = []
    while len(found) < count:
        for message in await subscription.fetch(BATCH, timeout=10):
            headers = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
            lane, _, aggregate = message.subject.split(".", 3)[3].partition(".")
            found.append(Prepared(f"{STREAM}.{lane}.{aggregate}", headers, message.data))
    await subscription.unsubscribe()
    return found


async def publish_all(ground: Ground, messages: Sequence[Prepared]) -> float:
    """Publish messages into an empty stream; return messages a second."""
    client, jetstream = await ground.nats(), await ground.jetstream()
    await new_stream(jetstream, STREAM)
    lanes: dict[str, list[Prepared]] = defaultdict(list)
    for message in messages:
        lanes[message.subject.split(".")[1]].append(message)

    async def lane_by_lane(lane: Sequence[Prepared]) -> None:
        for at in range(0, len(lane), BATCH):
            await publish_batch(client, lane[at : at + BATCH])

    collect_seldom()  # as the services do
    begun = perf_counter()
    await asyncio.gather(*map(lane_by_lane, lanes.values()))
    return len(messages) / (perf_counter() - begun)
