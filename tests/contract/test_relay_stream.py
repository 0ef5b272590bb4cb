"""What becomes of the stream, and what the relay makes of it: messages aged out, a store put back, a short journal."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bus.broker import BROKER_ERRORS, Broker
from bus.event import EPOCH_STARTED, Event, headers
from bus.lanes import lane_of
from bus.operations.status import journal_status
from bus.relay.publishing import Publisher
from bus.relay.relay import Relay
from bus.relay.waiting import pending
from bus.topology import StreamLimits, stream_state
from chassis.embedded import EmbeddedNats, temporary_data_folder
from tests.contract.line import Line, make_line, running, until
from tests.contract.stream import assert_stream_is_journal, lanes_of, raise_many


@pytest.fixture
async def own_nats() -> AsyncIterator[EmbeddedNats]:
    """Run a broker whose store can be put back."""
    with temporary_data_folder("training-nats-") as folder:
        async with EmbeddedNats(folder / "nats", durable=False) as server:
            yield server


@pytest.fixture
async def own_line(
    database: Callable[[], Awaitable[str]], own_nats: EmbeddedNats, bus_prefix: str
) -> AsyncIterator[Line]:
    """Make a line on that broker."""
    async with make_line(await database(), await database(), own_nats.url, bus_prefix) as line:
        yield line


def files_of(server: EmbeddedNats) -> tuple[Path, Path]:
    """Return where a broker keeps its store, and where a copy of it can be kept."""
    return server.folder / "data", server.folder / "copy"


async def published_by(line: Line, limits: StreamLimits | None = None) -> None:
    """Publish everything with a relay that ends then."""
    relay = line.relay() if limits is None else Relay(line.relaying, line.broker, line.source, "relay", limits)
    async with running(relay.run()):
        await until(line.published)
    line.woken.clear()


async def stream_is_journal(line: Line) -> bool:
    """Tell whether the stream holds what the journal holds; not while there is no broker, or no stream."""
    try:
        await assert_stream_is_journal(line)
    except (AssertionError, *BROKER_ERRORS):
        return False
    return True


async def trim(line: Line) -> None:
    """Leave each lane's newest event in the journal."""
    await line.commands.execute(
        "DELETE FROM journal USING lane WHERE lane.lane = journal.lane AND journal.seq < lane.seq"
    )


async def test_what_aged_out_is_not_published_again_however_often_the_relay_starts(line: Line) -> None:
    await raise_many(line, 60)
    short = StreamLimits(max_age_seconds=0.5, max_bytes=2**28)
    await published_by(line, short)
    session = await line.broker.session()

    async def is_empty() -> bool:
        return (await session.jetstream.stream_info(line.source.stream)).state.messages == 0

    await until(is_empty)
    for _ in range(3):
        await published_by(line, short)
    assert (await stream_state(session.jetstream, line.source)).last_seq == 60
    await raise_many(line, 30)
    await published_by(line)
    assert (await stream_state(session.jetstream, line.source)).last_seq == 90


async def test_a_running_relay_goes_on_when_its_lanes_have_aged_out(line: Line) -> None:
    await raise_many(line, 30)
    short = StreamLimits(max_age_seconds=0.5, max_bytes=2**28)
    relay = Relay(line.relaying, line.broker, line.source, "relay", short)
    line.woken.append(relay.wake)
    session = await line.broker.session()

    async def is_empty() -> bool:
        return (await session.jetstream.stream_info(line.source.stream)).state.messages == 0

    async with running(relay.run()):
        await until(line.published)
        await until(is_empty)
        await raise_many(line, 30)
        await until(line.published)
    assert (await stream_state(session.jetstream, line.source)).last_seq == 60


@pytest.mark.parametrize("published_on", [False, True])
async def test_a_store_that_is_put_back_gets_what_it_has_forgotten(
    own_line: Line,
    own_nats: EmbeddedNats,
    published_on: bool,  # noqa: FBT001
) -> None:
    """Also when others were published to the stream before anybody noticed, over the forgotten numbers."""
    line = own_line
    store, copy = files_of(own_nats)
    await raise_many(line, 60)
    await published_by(line)
    await own_nats.stop()
    shutil.copytree(store, copy)
    await own_nats.start()
    await raise_many(line, 60)
    await published_by(line)
    await own_nats.stop()
    shutil.rmtree(store)
    copy.rename(store)
    await own_nats.start()
    if published_on:
        await raise_many(line, 10)
    async with running(line.relay().run()):
        await until(lambda: stream_is_journal(line))


async def test_a_store_that_is_lost_while_the_relay_runs_is_filled_again(
    own_line: Line, own_nats: EmbeddedNats
) -> None:
    line = own_line
    store, _ = files_of(own_nats)
    async with running(line.relay().run()):
        await raise_many(line, 60)
        await until(line.published)
        await own_nats.kill()
        shutil.rmtree(store)
        await own_nats.start()
        await raise_many(line, 10)

        await until(lambda: stream_is_journal(line))


async def test_a_journal_that_was_trimmed_is_published_again_from_where_it_begins(line: Line) -> None:
    await raise_many(line, 160)
    await published_by(line)
    await trim(line)
    await raise_many(line, 40)
    session = await line.broker.session()
    await session.jetstream.delete_stream(line.source.stream)
    await published_by(line)
    await assert_stream_is_journal(line)


async def test_a_tail_that_was_trimmed_in_the_journal_stops_nothing(own_line: Line, own_nats: EmbeddedNats) -> None:
    """The broker's store is older than the journal is long."""
    line = own_line
    store, copy = files_of(own_nats)
    await raise_many(line, 60)
    await published_by(line)
    await own_nats.stop()
    shutil.copytree(store, copy)
    await own_nats.start()
    await raise_many(line, 160)
    await published_by(line)
    await trim(line)
    await own_nats.stop()
    shutil.rmtree(store)
    copy.rename(store)
    await own_nats.start()
    await raise_many(line, 40)
    await published_by(line)
    kept = await line.lane_events()
    for lane, events in (await lanes_of(line)).items():
        ids = [event for _, event, _ in kept[lane]]
        assert [event.event_id for event in events][-len(ids) :] == ids


async def test_a_relay_takes_commands_to_a_broker_that_comes_late(line: Line, own_nats: EmbeddedNats) -> None:
    """What was published to one broker's stream says nothing about another's."""
    await raise_many(line, 40)
    await published_by(line)
    line.broker = Broker(own_nats.url, line.source.prefix)
    relay = line.relay()
    async with running(line.broker.run(), relay.run()):
        await until(lambda: stream_is_journal(line))
        assert not any(lane.stopped_reason for lane in (await journal_status(line.commands, "thing", relay)).lanes)


async def test_an_epoch_that_supersedes_is_noticed_while_nothing_happens(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bus.relay.rounds._COMPARE_SECONDS", 0.2)
    await raise_many(line, 60)
    relay = line.relay()
    async with running(relay.run()):
        await until(line.published)
        later = UUID("ff000000-0000-7000-8000-000000000000")
        event = Event(later, 3, 1, uuid4(), None, later, 4, EPOCH_STARTED, datetime.now(UTC), "", b"")
        session = await line.broker.session()
        await session.jetstream.publish(line.source.subject_of(event), b"", headers=headers(event, line.source))

        async def is_stopped() -> bool:
            return all(lane.stopped_reason for lane in (await journal_status(line.commands, "thing", relay)).lanes)

        await until(is_stopped)
        assert "superseded" in relay.trouble


async def test_deleted_messages_at_the_end_of_a_lane_are_published_again(line: Line) -> None:
    """Those before its end are not: followers find the gap and read the journal."""
    counters = [next(each for each in iter(uuid4, None) if lane_of(each) == lane) for lane in (3, 4, 5)]
    for counter in counters:
        for _ in range(4):
            await line.raise_to(counter)
    session = await line.broker.session()
    name, subjects = line.source.stream, [line.source.subjects]
    await session.jetstream.add_stream(
        name=name, subjects=subjects, allow_atomic=True
    )  # as long as it can be deleted from
    publisher = Publisher(session, line.source)
    created = (await stream_state(session.jetstream, line.source)).created
    for lane, events in (await pending(line.relaying, dict.fromkeys(range(16), 0), 2**20)).items():
        last = await publisher.publish(lane, events, 0, 0)
        await line.commands.execute(
            "UPDATE relay_lane SET published = 4, event_id = $2, stream_created = $3, stream_sequence = $4 "
            "WHERE lane = $1",
            lane,
            events[-1].event_id,
            created,
            last,
        )
    # One in the middle of lane 3, the last two of lane 4, all of lane 5.
    for sequence in (2, 7, 8, 9, 10, 11, 12):
        await session.jetstream.delete_msg(name, sequence)
    async with running(line.relay().run()):

        async def is_repaired() -> bool:
            found = {lane: [event.seq for event in events] for lane, events in (await lanes_of(line)).items()}
            return found == {3: [1, 3, 4], 4: [1, 2, 3, 4], 5: [1, 2, 3, 4]}

        await until(is_repaired)
