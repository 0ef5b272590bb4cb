"""What the stream lost is had from the source's journal, and nothing is skipped while it can't be had."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from shutil import copytree, rmtree
from uuid import uuid4

import grpc.aio
import pytest
from nats.js.api import StreamConfig

from bus.following.source_journal import SourceJournal
from bus.lanes import lane_of
from chassis.embedded import EmbeddedNats
from chassis.embedded.ports import free_port
from tests.contract.ageing import age, trim
from tests.contract.by_hand import announcing, heads, lose, publish, publish_recorded, recorded
from tests.contract.copies import at_heads, checkpoint, in_lane, in_other_lane, stopped_lanes
from tests.contract.journal_server import serving_journal
from tests.contract.line import Line, make_line, running, until
from tests.contract.stream import raise_many

_EAGER = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 100),
)


async def test_a_message_deleted_in_the_middle_is_read_in_the_journal(line: Line) -> None:
    await raise_many(line, 80)
    await publish_recorded(line)
    last = {event.lane: event.seq for event in await recorded(line)}
    await lose(line, [event for event in await recorded(line) if event.seq in {2, 3} and event.seq < last[event.lane]])
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
    assert await line.caught_up()
    assert await stopped_lanes(line) == {}


async def test_a_message_deleted_at_the_end_is_missed_when_a_beacon_tells_of_it(line: Line) -> None:
    await raise_many(line, 60)
    last = {event.lane: event for event in await recorded(line)}
    await publish_recorded(line)
    await lose(line, last.values())
    async with running(line.subscriber().run()):

        async def came_to_the_end() -> bool:
            return sum(lane.seq for lane in (await checkpoint(line)).lanes) == 60 - len(last)

        await until(came_to_the_end)
        async with running(announcing(line)):
            await until(lambda: at_heads(line))
    assert await line.caught_up()
    assert await stopped_lanes(line) == {}


async def test_a_lane_that_lacks_its_end_gets_it_while_other_lanes_have_traffic(line: Line) -> None:
    """Whatever comes of other lanes, the stream has been read past the end of this one."""
    quiet, busy = in_lane(1), in_lane(2)
    await line.raise_to(quiet)
    await line.raise_to(busy)
    await publish_recorded(line, but=lambda event: event.lane == 1)

    async def write() -> None:
        while True:
            await line.raise_to(busy)
            *_, last = [event async for part in line.journal.read(2, 0, 2**40) for event in part]
            await publish(line, last)
            await asyncio.sleep(0.02)

    async with running(line.subscriber().run(), announcing(line), write()):
        await until(lambda: came_to(line, 1, 1), within=10)
        written = (await line.copied())[busy]
        await until(lambda: came_to(line, 2, written + 3))
    assert await stopped_lanes(line) == {}


async def test_a_purged_subject_is_read_in_the_journal(line: Line) -> None:
    counter = uuid4()
    for _ in range(5):
        await line.raise_to(counter)
    await line.raise_to(in_lane(lane_of(counter)))
    await line.raise_to(in_other_lane(counter))
    await publish_recorded(line)
    session = await line.broker.session()
    lane = lane_of(counter)
    await session.jetstream.purge_stream(line.source.stream, subject=line.source.subject(lane, counter))
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
    assert await line.caught_up()


async def test_a_lane_that_aged_out_as_a_whole_is_read_in_the_journal(line: Line) -> None:
    await raise_many(line, 40)
    gone = lane_of(uuid4())
    await publish_recorded(line, but=lambda event: event.lane == gone)
    async with running(line.subscriber().run(), announcing(line)):
        await until(lambda: at_heads(line))
    assert await line.caught_up()


async def test_what_aged_out_before_a_copy_came_to_it_is_read_in_the_journal(line: Line) -> None:
    """A copy that is far behind finds the stream beginning long after its checkpoint."""
    await raise_many(line, 60)
    async with running(line.relay().run()):
        await until(line.published)
        async with running(line.subscriber().run()):
            await until(lambda: at_heads(line))
        await raise_many(line, 120)
        await until(line.published)
        session = await line.broker.session()
        state = (await session.jetstream.stream_info(line.source.stream)).state
        config: StreamConfig = (await session.jetstream.stream_info(line.source.stream)).config
        config.max_msgs = 30
        await session.jetstream.update_stream(config)
        aged = (await session.jetstream.stream_info(line.source.stream)).state
        assert aged.first_seq == state.last_seq - 29
        async with running(line.subscriber().run()):
            await until(lambda: at_heads(line))
    assert await line.caught_up()
    assert await stopped_lanes(line) == {}


async def test_what_the_journal_has_not_any_more_needs_a_copy_made_anew(line: Line) -> None:
    counter = uuid4()
    for _ in range(4):
        await line.raise_to(counter)
    lane = lane_of(counter)
    events = await recorded(line)
    await publish(line, events[0])
    async with running(line.subscriber().run()):
        await until(lambda: came_to(line, lane, 1))
    await line.commands.execute(
        "UPDATE relay_lane SET published = lane.seq FROM lane WHERE lane.lane = relay_lane.lane"
    )
    await age(line)
    await trim(line)
    await line.raise_to(counter)
    (*_, last) = [event async for part in line.journal.read(lane, 4, 5) for event in part]
    await publish(line, last)
    async with running(line.subscriber().run()):
        await until(lambda: asked_anew(line, 1))
        await publish(line, *events[1:])  # too late: nothing more is applied
        session = await line.broker.session()
        await session.client.flush()
        with pytest.raises(TimeoutError):
            await until(lambda: came_to(line, lane, 5), within=1.0)
    (cause,) = line.asked_anew
    assert cause.startswith(f"thing lane {lane}: seq 2 did not come; ")
    assert (await checkpoint(line)).lanes[lane].seq == 1


async def came_to(line: Line, lane: int, seq: int) -> bool:
    """Tell whether the copy has come to a number."""
    return (await checkpoint(line)).lanes[lane].seq >= seq


async def asked_anew(line: Line, times: int) -> bool:
    """Tell whether a copy made anew was asked for so often."""
    return len(line.asked_anew) == times


async def test_while_the_source_is_away_the_lane_waits_and_the_others_go_on(line: Line) -> None:
    port = free_port()
    counter = uuid4()
    other = in_other_lane(counter)
    for _ in range(3):
        await line.raise_to(counter)
        await line.raise_to(other)
    await publish_recorded(line, but=lambda event: event.aggregate_id == counter and event.seq == 2)
    lane = lane_of(counter)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_EAGER) as channel:
        subscriber = line.subscriber(journal=SourceJournal("thing", channel))
        async with running(subscriber.run()):

            async def waits() -> bool:
                reason = (await stopped_lanes(line)).get(lane, "")
                return "gap: seq 2 did not come; thing does not answer" in reason

            await until(waits)
            await line.raise_to(other)
            await publish(line, [event for event in await recorded(line) if event.aggregate_id == other][-1])

            async def others_go_on() -> bool:
                return await line.copied() == {counter: 1, other: 4}

            await until(others_go_on)
            async with serving_journal(line, port):
                await until(lambda: at_heads(line))
            assert await stopped_lanes(line) == {}
    assert await line.caught_up()


async def test_a_source_that_hangs_holds_no_other_lane_up(line: Line) -> None:
    """It takes connections and says nothing, while lanes wait for what only it has."""
    waiting, other = [in_lane(1), in_lane(2), in_lane(3)], in_lane(4)
    for counter in waiting:
        for _ in range(3):
            await line.raise_to(counter)
    await publish_recorded(line, but=lambda event: event.seq == 2)
    server = await asyncio.start_server(lambda *_: asyncio.sleep(3600), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=_EAGER) as channel:
        subscriber = line.subscriber(journal=SourceJournal("thing", channel))
        async with running(subscriber.run(), announcing(line)):

            async def all_wait() -> bool:
                return sorted(await stopped_lanes(line)) == [1, 2, 3]

            await until(all_wait)
            async with asyncio.timeout(8):
                for seq in range(1, 31):
                    await line.raise_to(other)
                    *_, last = [event async for part in line.journal.read(4, 0, 2**40) for event in part]
                    await publish(line, last)
                    while (await checkpoint(line)).lanes[4].seq < seq:  # noqa: ASYNC110 - the world has no events to wait for
                        await asyncio.sleep(0.1)


async def test_a_stream_restored_from_an_older_copy_costs_nothing(
    database: Callable[[], Awaitable[str]], servers_folder: Path, bus_prefix: str
) -> None:
    """The broker's store is put back to an earlier day under everybody's feet, and goes on from there."""
    async with EmbeddedNats(servers_folder / bus_prefix, port=free_port(), durable=False) as broker:
        data, copy = broker.folder / "data", broker.folder / "copy"
        async with make_line(await database(), await database(), broker.url, bus_prefix) as line:
            async with running(line.relay().run(), line.subscriber().run()):
                await raise_many(line, 60)
                await until(lambda: at_heads(line))
                await broker.stop()
                copytree(data, copy)
                await broker.start()
                await raise_many(line, 60)
                await until(lambda: at_heads(line))
                await broker.stop()
                rmtree(data)
                copytree(copy, data)
                await broker.start()
                await raise_many(line, 60)
                await until(lambda: at_heads(line))
            assert await line.caught_up()
            assert await stopped_lanes(line) == {}
            assert line.asked_anew == []


async def test_what_was_published_twice_is_applied_once(line: Line) -> None:
    """As when an acknowledgement was lost, or a wiped stream was filled again from the journal."""
    await raise_many(line, 60)
    await publish_recorded(line)
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
        await publish_recorded(line)
        await raise_many(line, 10)
        await publish_recorded(line)
        await until(lambda: at_heads(line))
    assert await line.caught_up()
    assert await stopped_lanes(line) == {}


async def test_a_lane_that_goes_on_again_is_not_told_as_stopped_though_nothing_comes(line: Line) -> None:
    """A projector that starts tries every lane again; once beacons find nothing wrong, the store is told."""
    counter = uuid4()
    await line.raise_to(counter)
    await publish_recorded(line)
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
    await line.copies.execute("UPDATE checkpoint SET stopped[1] = 'once upon a time'")
    assert list(await stopped_lanes(line)) == [0]
    async with running(line.subscriber().run(), announcing(line)):

        async def goes_on() -> bool:
            return await stopped_lanes(line) == {}

        await until(goes_on)


async def test_a_late_beacon_raises_no_alarm(line: Line) -> None:
    """It tells of fewer events than were applied since; the source, asked, tells of all."""
    counter = uuid4()
    await line.raise_to(counter)
    early = await heads(line)
    await line.raise_to(counter)
    await publish_recorded(line)
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
        async with running(announcing(line, early)):
            await line.raise_to(counter)
            await publish(line, (await recorded(line))[-1])
            await until(lambda: at_heads(line))
            await beacons_were_looked_at(line)
    assert await stopped_lanes(line) == {}


async def test_a_source_that_went_back_stops_its_lanes_visibly(line: Line) -> None:
    """As when a copy of the database's files is put in its place: only an operator can tell what to do."""
    counter = uuid4()
    lane = lane_of(counter)
    other = in_other_lane(counter)
    for _ in range(3):
        await line.raise_to(counter)
    await line.raise_to(other)
    await publish_recorded(line)
    async with running(line.subscriber().run()):
        await until(lambda: at_heads(line))
        await line.commands.execute("DELETE FROM journal WHERE lane = $1 AND seq > 1", lane)
        await line.commands.execute(
            "UPDATE lane SET seq = 1, event_id = journal.event_id, previous_event_id = NULL FROM journal "
            "WHERE lane.lane = $1 AND journal.lane = $1",
            lane,
        )
        async with running(announcing(line)):

            async def alarmed() -> bool:
                reason = (await stopped_lanes(line)).get(lane, "")
                return reason.startswith("the source went back: it ends with seq 1")

            await until(alarmed)
        assert list(await stopped_lanes(line)) == [lane]
        assert line.asked_anew == []
        await line.raise_to(other)
        await publish(line, [event for event in await recorded(line) if event.aggregate_id == other][-1])

        async def others_go_on() -> bool:
            return await line.copied() == {counter: 3, other: 2}

        await until(others_go_on)


async def beacons_were_looked_at(line: Line) -> None:
    """Wait until the copy has been told how fresh it is, by beacons that came after everything else here."""
    found = await line.copies.fetchrow("SELECT as_of FROM checkpoint")
    last = None if found is None else found["as_of"]
    async with running(announcing(line)):

        async def told() -> bool:
            row = await line.copies.fetchrow("SELECT as_of FROM checkpoint")
            return row is not None and row["as_of"] is not None and row["as_of"] != last

        await until(told)
