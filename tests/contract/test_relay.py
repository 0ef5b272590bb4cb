"""The relay on a real journal and a real stream: everything, once, in order, whatever happens to it."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from training.ops.v1.journal_service_pb2 import LaneHeads

from bus.broker import Broker
from bus.event import headers
from bus.heads import read_heads
from bus.operations.status import journal_is_fresh, journal_status
from bus.relay.publishing import Fenced, Publisher, RolledBack
from bus.relay.waiting import pending
from bus.topology import StreamLimits, ensure_stream
from chassis.embedded import EmbeddedNats
from tests.contract.line import Line, running, until
from tests.contract.stream import assert_stream_is_journal, raise_many


async def test_everything_committed_is_published_in_order(line: Line) -> None:
    await raise_many(line, 100)
    async with running(line.relay().run()):
        await until(line.published)
        await raise_many(line, 20)
        await until(line.published)
    await assert_stream_is_journal(line)


async def test_a_backlog_goes_out_in_batches(line: Line) -> None:
    counter = uuid4()
    for _ in range(120):
        await line.raise_to(counter)
    async with running(line.relay().run()):
        await until(line.published)
    await assert_stream_is_journal(line)


async def test_a_relay_that_dies_at_any_moment_repeats_nothing_and_skips_nothing(line: Line) -> None:
    moments = random.Random(7)  # noqa: S311 - a seed, not a secret
    writing = asyncio.create_task(raise_many(line, 250))
    for _ in range(12):
        relay = asyncio.create_task(line.relay().run())
        await asyncio.wait([relay], timeout=moments.uniform(0.0, 0.15))
        relay.cancel()
        await asyncio.wait([relay])
        line.woken.clear()
    await writing
    async with running(line.relay().run()):
        await until(line.published)
    await assert_stream_is_journal(line)


async def test_a_lost_acknowledgement_is_found_published(line: Line) -> None:
    await raise_many(line, 40)
    async with running(line.relay().run()):
        await until(line.published)
    await line.commands.execute("UPDATE relay_lane SET published = greatest(published - 2, 0), stream_sequence = 0")
    async with running(line.relay().run()):
        await until(line.published)
    await assert_stream_is_journal(line)


async def test_a_relay_that_was_succeeded_can_publish_nothing_more(line: Line) -> None:
    """The fence, not the lease, keeps a zombie from doubling an event."""
    counter = uuid4()
    await line.raise_to(counter)
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    ((lane, events),) = (await pending(line.relaying, dict.fromkeys(range(16), 0), 2**20)).items()
    async with running(line.relay().run()):
        await until(line.published)
    zombie = Publisher(session, line.source)
    with pytest.raises(Fenced):
        await zombie.publish(lane, events, 0, 0)
    with pytest.raises(Fenced):
        await zombie.publish(lane, list(events) * 40, 0, 0)
    await assert_stream_is_journal(line)


async def test_a_sequence_number_that_was_given_before_is_noticed(line: Line) -> None:
    """The stream has forgotten what it acknowledged, in other lanes too; the tails tell what."""
    await line.raise_to(uuid4())
    session = await line.broker.session()
    await ensure_stream(session.jetstream, line.source, StreamLimits(max_bytes=2**28))
    ((lane, events),) = (await pending(line.relaying, dict.fromkeys(range(16), 0), 2**20)).items()
    publisher = Publisher(session, line.source)
    with pytest.raises(RolledBack):
        await publisher.publish(lane, events, 0, 1)
    assert await publisher.publish(lane, list(events) * 40, 1, 1) == 41
    with pytest.raises(RolledBack):
        await publisher.publish(lane, list(events) * 40, 41, 42)


async def test_only_one_of_two_relays_is_active_and_the_other_takes_over(line: Line) -> None:
    first, second = line.relay("first"), line.relay("second")
    one = asyncio.create_task(first.run())

    async def led_by(name: str) -> bool:
        return (await journal_status(line.commands, "thing", first)).relay_leader == name

    await until(lambda: led_by("first"))
    async with running(second.run()):
        await raise_many(line, 20)
        await until(line.published)
        assert await led_by("first")
        one.cancel()
        await asyncio.wait([one])
        await raise_many(line, 20)
        await until(line.published)
        assert await led_by("second")
    await assert_stream_is_journal(line)


async def test_a_wiped_broker_gets_everything_again(line: Line) -> None:
    await raise_many(line, 50)
    async with running(line.relay().run()):
        await until(line.published)
        session = await line.broker.session()
        await session.jetstream.delete_stream(line.source.stream)

        async def restored() -> bool:
            try:
                return len(await line.streamed()) == 50
            except Exception:  # noqa: BLE001 - while there is no stream, or it is being filled
                return False

        await until(restored)
    await assert_stream_is_journal(line)


async def test_a_message_that_is_not_ours_is_walked_past(line: Line) -> None:
    """Neither at its start nor while it runs does it keep the relay from publishing."""
    await raise_many(line, 60)
    async with running(line.relay().run()):
        await until(line.published)
    session = await line.broker.session()
    for lane in (3, 4):
        await session.jetstream.publish(f"{line.source.prefix}.v1.thing.{lane}.{uuid4()}", b"strange")
    line.woken.clear()
    relay = line.relay()
    async with running(relay.run()):
        await raise_many(line, 60)
        await until(line.published)
        await session.jetstream.publish(f"{line.source.prefix}.v1.thing.3.{uuid4()}", b"strange")
        await raise_many(line, 60)
        await until(line.published)
        assert journal_is_fresh(await journal_status(line.commands, "thing", relay))
    await assert_stream_is_journal(line)


async def test_a_broker_that_is_away_stops_no_command(
    line: Line, database: Callable[[], Awaitable[str]], bus_prefix: str
) -> None:
    """Commands are accepted while there is no broker at all, and published when there is one."""
    line.broker = Broker("nats://127.0.0.1:9", bus_prefix)
    relay = line.relay()
    async with running(line.broker.run(), relay.run()):
        await raise_many(line, 20)
        assert line.broker.present is None
        status = await journal_status(line.commands, "thing", relay)
        assert sum(lane.committed - lane.published for lane in status.lanes) == 20
    line.woken.clear()
    line.broker = Broker(line.nats_url, bus_prefix)
    async with running(line.broker.run(), line.relay().run()):
        await until(line.published)
        await assert_stream_is_journal(line)


async def test_the_beacon_tells_the_heads_every_second(line: Line, nats: EmbeddedNats) -> None:
    await raise_many(line, 20)
    session = await line.broker.session()
    beacons = await session.client.subscribe(line.source.beacon_subject)
    async with running(line.relay().run()):
        await until(line.published)
        first = LaneHeads.FromString((await beacons.next_msg(timeout=5)).data)
        second = LaneHeads.FromString((await beacons.next_msg(timeout=5)).data)
    heads = await read_heads(line.commands, "thing")
    assert second.time.ToDatetime() > first.time.ToDatetime()
    assert [lane.committed for lane in second.lanes] == [lane.committed for lane in heads.lanes]
    assert second.epoch == heads.epoch


async def test_an_event_carries_its_trace_and_its_place(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter)
    async with running(line.relay().run()):
        await until(line.published)
    session = await line.broker.session()
    message = await session.jetstream.get_msg(line.source.stream, 1)
    ((event,),) = (await pending(line.relaying, dict.fromkeys(range(16), 0), 2**20)).values()
    given = message.headers or {}
    assert {name: given.get(name, "") for name in headers(event, line.source)} == headers(event, line.source)
    assert message.data == b"1"
