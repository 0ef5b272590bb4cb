"""What is left of a journal after a trim is enough for the relay and says what it is not enough for."""

from uuid import uuid4

from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub

from bus.lanes import LANES, lane_of
from tests.contract.ageing import age, trim
from tests.contract.journal_server import serving_journal
from tests.contract.line import Line, running, until
from tests.contract.stream import assert_stream_is_journal, is_whole, lanes_of, raise_many
from tests.contract.test_read_journal import read, refusal


async def trimmed(line: Line) -> None:
    """Publish many events and trim them all, but for each lane's newest; then record some that stay."""
    await raise_many(line, 160, counters=80)
    async with running(line.relay().run()):
        await until(line.published)
    line.woken.clear()
    await age(line)
    await trim(line)
    kept = await line.lane_events()
    assert [len(events) for events in kept.values()] == [1] * len(kept)
    await raise_many(line, 60, counters=60)


async def stream_is_journal(line: Line) -> bool:
    """Tell whether the stream holds what the journal does, and no more."""
    session = await line.broker.session()
    info = await session.jetstream.stream_info(line.source.stream)
    return info.state.messages == len(await line.commands.fetch("SELECT 1 FROM journal"))


async def test_an_empty_broker_gets_what_is_left_and_nothing_below(line: Line) -> None:
    await trimmed(line)
    session = await line.broker.session()
    await session.jetstream.delete_stream(line.source.stream)
    async with running(line.relay().run()):
        await until(line.published)
        await assert_stream_is_journal(line)


async def test_a_broker_emptied_while_the_relay_runs_gets_what_is_left(line: Line) -> None:
    await trimmed(line)
    session = await line.broker.session()
    async with running(line.relay().run()):
        await until(line.published)
        await session.jetstream.delete_stream(line.source.stream)

        async def is_filled() -> bool:
            streams = await session.jetstream.streams_info()
            return any(each.config.name == line.source.stream for each in streams) and await stream_is_journal(line)

        await until(is_filled)
        await assert_stream_is_journal(line)


async def test_publishing_goes_on_behind_what_was_trimmed(line: Line) -> None:
    await trimmed(line)
    async with running(line.relay().run()):
        await until(line.published)
    lanes = await lanes_of(line)
    assert len(lanes) == LANES
    assert all(is_whole(events) for events in lanes.values())


async def test_a_stream_that_ends_below_where_the_journal_begins_is_gone_on_with(line: Line) -> None:
    """Its tail can't be looked up any more: what stands between was lost after it was trimmed."""
    counter = uuid4()
    lane = lane_of(counter)
    for _ in range(3):
        await line.raise_to(counter)
    async with running(line.relay().run()):
        await until(line.published)
    line.woken.clear()
    session = await line.broker.session()
    old = await session.jetstream.get_msg(line.source.stream, 2)
    for _ in range(2):
        await line.raise_to(counter)
    async with running(line.relay().run()):
        await until(line.published)
    line.woken.clear()
    await age(line)
    await trim(line)
    config = (await session.jetstream.stream_info(line.source.stream)).config
    await session.jetstream.delete_stream(line.source.stream)
    await session.jetstream.add_stream(config)
    own = {name: value for name, value in (old.headers or {}).items() if not name.startswith("Nats-")}
    await session.jetstream.publish(old.subject or "", old.data or b"", headers=own)
    async with running(line.relay().run()):
        await line.raise_to(counter)

        async def goes_on() -> bool:
            return [event.seq for event in (await lanes_of(line))[lane]] == [2, 5, 6]

        await until(goes_on)


async def test_who_asks_for_what_was_trimmed_is_told_where_the_journal_begins(line: Line) -> None:
    await trimmed(line)
    lanes = await line.lane_events()
    async with serving_journal(line) as channel:
        journal = JournalServiceStub(channel)
        shortened = {lane: events for lane, events in lanes.items() if events[0][0] > 1}
        assert shortened
        for lane, events in shortened.items():
            first = events[0][0]
            info = await refusal(journal, lane, first - 2)
            assert (info.reason, info.metadata["first"]) == ("JOURNAL_TRIMMED", str(first))
            assert [entry.seq for entry in await read(journal, lane, first - 1)] == [seq for seq, _, _ in events]


async def test_a_copy_that_has_everything_goes_on_over_a_trim(line: Line) -> None:
    async with running(line.relay().run(), line.subscriber().run()):
        await raise_many(line, 120, counters=60)
        await until(line.caught_up)
        await until(line.published)
        await age(line)
        await trim(line)
        await raise_many(line, 60, counters=60)
        await until(line.caught_up)
