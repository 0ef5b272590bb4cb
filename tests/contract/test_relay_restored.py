"""The relay of a database that was restored, or replaced by a copy: what followers see is in order, and all of it."""

import asyncio
from uuid import UUID, uuid4

import nats.errors
import pytest
from training.ops.v1.journal_service_pb2 import LaneHeads

from bus.event import Event
from bus.heads import SourceSuperseded, read_heads
from bus.lanes import LANES, lane_of
from bus.operations.status import journal_is_fresh, journal_status
from bus.relay.relay import Relay
from tests.contract.line import Line, running, some_ids, until
from tests.contract.places import Place
from tests.contract.stream import assert_stream_is_journal, is_whole, lanes_of, raise_many


async def published_by(line: Line) -> Relay:
    """Publish everything with a relay that ends then."""
    relay = line.relay()
    async with running(relay.run()):
        await until(line.published)
    line.woken.clear()
    return relay


async def is_stopped(line: Line, relay: Relay, reason: str) -> bool:
    """Tell whether the relay stopped, in all lanes, for a reason."""
    status = await journal_status(line.commands, "thing", relay)
    return all(reason in lane.stopped_reason for lane in status.lanes) and not journal_is_fresh(status)


def of_epoch(events: list[Event], epoch: UUID) -> list[Event]:
    """Return a lane's events of one epoch."""
    return [event for event in events if event.epoch == epoch]


async def test_a_clean_failover_breaks_no_lane(line: Line, place: Place) -> None:
    """Nothing was lost: every lane's new epoch follows the lane's last event, so nobody has to synchronise anew."""
    async with running(line.relay().run()):
        await raise_many(line, 80)
        await until(line.published)
        backup = await place.back_up()
        await place.restore(backup)
        await raise_many(line, 80)
        await until(line.published)
    lanes = await lanes_of(line)
    assert len(lanes) == LANES
    assert all(is_whole(events) and sum(event.starts_epoch for event in events) == 1 for events in lanes.values())
    await assert_stream_is_journal(line)
    await place.drop(backup)


async def test_a_failover_before_everything_was_published_breaks_no_lane(line: Line, place: Place) -> None:
    """The new database publishes what the old one had committed, too."""
    await raise_many(line, 40)
    await published_by(line)
    await raise_many(line, 40)
    backup = await place.back_up()
    await place.restore(backup)
    await published_by(line)
    assert all(is_whole(events) for events in (await lanes_of(line)).values())
    await assert_stream_is_journal(line)
    await place.drop(backup)


async def test_what_was_published_since_the_backup_was_remembered_is_found(line: Line, place: Place) -> None:
    """The backup's memory lags, as it does after a crash; nothing of what both databases have is published twice."""
    await raise_many(line, 60)
    await published_by(line)
    await line.commands.execute(
        "UPDATE relay_lane SET published = 1, stream_sequence = 0, event_id = journal.event_id "
        "FROM journal WHERE journal.lane = relay_lane.lane AND journal.seq = 1"
    )
    for lane, events in (await lanes_of(line)).items():
        sequence = await sequence_of(line, lane, events[0])
        await line.commands.execute("UPDATE relay_lane SET stream_sequence = $2 WHERE lane = $1", lane, sequence)
    backup = await place.back_up()
    await raise_many(line, 30, counters=60)
    await published_by(line)
    forgotten = await line.lane_events()
    await place.restore(backup)
    await raise_many(line, 30)
    await published_by(line)
    kept = await line.lane_events()
    for lane, events in (await lanes_of(line)).items():
        ids = [event.event_id for event in events]
        assert len(ids) == len(set(ids))
        assert set(ids) == {event for _, event, _ in (*forgotten.get(lane, []), *kept[lane])}
    await place.drop(backup)


async def sequence_of(line: Line, lane: int, event: Event) -> int:
    """Return where an event stands in the stream."""
    session = await line.broker.session()
    message = await session.jetstream.get_msg(
        line.source.stream, seq=1, subject=line.source.lane_subjects(lane), next=True
    )
    assert message.headers is not None
    assert message.headers["ce-id"] == str(event.event_id)
    return message.seq or 0


async def test_a_restored_database_walks_past_what_it_has_forgotten(line: Line, place: Place) -> None:
    """The forgotten events stay in the stream; the new epoch comes after them, whole."""
    async with running(line.relay().run()):
        await raise_many(line, 60)
        await until(line.published)
        backup = await place.back_up()
        remembered = await line.lane_events()
        await raise_many(line, 60)
        await until(line.published)
        forgotten = await line.lane_events()
        await place.restore(backup)
        await raise_many(line, 60)
        await until(line.published)
    kept = await line.lane_events()
    row = await line.commands.fetchrow("SELECT epoch FROM lane WHERE lane = 0")
    assert row is not None
    for lane, events in (await lanes_of(line)).items():
        head = len(remembered.get(lane, []))
        after = of_epoch(events, row["epoch"])
        assert [event.event_id for event in events[: len(events) - len(after)]] == [
            event for _, event, _ in forgotten.get(lane, [])
        ]
        assert [event.event_id for event in after] == [event for _, event, _ in kept[lane][head:]]
        assert after[0].starts_epoch
        assert after[0].seq == head + 1
    await place.drop(backup)


async def test_restored_twice_from_one_backup_only_the_last_epoch_goes_on(line: Line, place: Place) -> None:
    async with running(line.relay().run()):
        await raise_many(line, 40)
        await until(line.published)
        backup = await place.back_up()
        for _ in range(2):
            await raise_many(line, 40)
            await until(line.published)
            await place.restore(backup)
        await raise_many(line, 40)
        await until(line.published)
    kept = await line.lane_events()
    for lane, events in (await lanes_of(line)).items():
        assert [event.epoch for event in events] == sorted(event.epoch for event in events)
        assert sum(event.starts_epoch for event in events) == 2
        last = of_epoch(events, events[-1].epoch)
        assert [event.event_id for event in last] == [event for _, event, _ in kept[lane]][-len(last) :]
        assert last[0].starts_epoch
    await place.drop(backup)


async def test_a_database_restored_beside_a_wiped_broker_publishes_everything(line: Line, place: Place) -> None:
    async with running(line.relay().run()):
        await raise_many(line, 40)
        await until(line.published)
        backup = await place.back_up()
        await raise_many(line, 40)
        await until(line.published)
    line.woken.clear()
    await place.restore(backup)
    session = await line.broker.session()
    await session.jetstream.delete_stream(line.source.stream)
    await raise_many(line, 40)
    await published_by(line)
    await assert_stream_is_journal(line)
    await place.drop(backup)


@pytest.fixture
async def superseded(line: Line, place: Place) -> Relay:
    """Let the stream go on in an epoch of which the line's database knows nothing; return its relay, not running.

    The database is that of an old primary that lives on, or restarts, after another one was promoted.
    """
    await raise_many(line, 60)
    await published_by(line)
    async with line.commands.lent() as connection:
        await line.epochs.begin(connection, "of the other database")
    await raise_many(line, 60)
    await published_by(line)
    await line.commands.execute(
        "WITH first AS (SELECT epoch FROM epoch ORDER BY epoch LIMIT 1), gone AS (DELETE FROM journal USING first"
        " WHERE journal.epoch > first.epoch RETURNING journal.epoch), unknown AS (DELETE FROM epoch USING first"
        " WHERE epoch.epoch > first.epoch) UPDATE relay_lane SET stream_sequence = 0 FROM first"
    )
    await line.commands.execute(
        "WITH head AS (SELECT lane.lane, coalesce(max(journal.seq), 0) AS seq FROM lane LEFT JOIN journal USING (lane)"
        " GROUP BY lane.lane) UPDATE lane SET seq = head.seq, epoch = (SELECT epoch FROM epoch), event_id ="
        " (SELECT event_id FROM journal WHERE journal.lane = head.lane AND journal.seq = head.seq) FROM head"
        " WHERE head.lane = lane.lane"
    )
    return line.relay()


async def test_a_superseded_relay_publishes_nothing_and_announces_nothing(line: Line, superseded: Relay) -> None:
    before = await lanes_of(line)
    session = await line.broker.session()
    beacons = await session.client.subscribe(line.source.beacon_subject)
    async with running(superseded.run()):
        await until(lambda: is_stopped(line, superseded, "superseded"))
        await raise_many(line, 30)
        with pytest.raises(nats.errors.TimeoutError):
            await beacons.next_msg(timeout=1.5)
        with pytest.raises(SourceSuperseded):
            await read_heads(line.commands, "thing")
        assert "superseded" in superseded.trouble
    assert await lanes_of(line) == before


async def test_an_operator_lets_a_superseded_database_go_on(line: Line, superseded: Relay) -> None:
    """The epoch that is begun is above the one at the tails: it is this database that counts from now on."""
    async with running(superseded.run()):
        await until(lambda: is_stopped(line, superseded, "superseded"))
        await raise_many(line, 30)
        other = max(events[-1].epoch for events in (await lanes_of(line)).values())
        async with line.commands.lent() as connection:
            epoch, _ = await line.epochs.begin(connection, "by hand")
        assert epoch > other
        superseded.wake()
        await until(line.published)
        assert journal_is_fresh(await journal_status(line.commands, "thing", superseded))
        assert (await read_heads(line.commands, "thing")).epoch == epoch.bytes
    for events in (await lanes_of(line)).values():
        assert events[-1].epoch == epoch


async def test_a_copy_of_the_files_that_forgot_events_is_noticed(line: Line) -> None:
    """Its identity is the same, so it begins no epoch; a tail of its own epoch that it does not know stops it."""
    counter = uuid4()
    for _ in range(5):
        await line.raise_to(counter)
    await published_by(line)
    lane = lane_of(counter)
    await line.commands.execute("DELETE FROM journal WHERE lane = $1 AND seq > 3", lane)
    await line.commands.execute(
        "UPDATE lane SET seq = 3, event_id = (SELECT event_id FROM journal WHERE journal.lane = $1 AND journal.seq = 3)"
        " WHERE lane = $1",
        lane,
    )
    relay = line.relay()
    async with running(relay.run()):
        await until(lambda: is_stopped(line, relay, "the journal does not have"))
        await line.raise_to(next(each for each in iter(uuid4, None) if lane_of(each) == lane))
        await line.raise_to(next(each for each in iter(uuid4, None) if lane_of(each) == lane))
        await until(lambda: is_stopped(line, relay, "another event"))
        async with line.commands.lent() as connection:
            epoch, _ = await line.epochs.begin(connection, "the files were put back")
        relay.wake()
        await until(line.published)
    events = (await lanes_of(line))[lane]
    assert [(event.epoch == epoch, event.seq) for event in events] == [
        *((False, seq) for seq in (1, 2, 3, 4, 5)),
        *((False, seq) for seq in (4, 5)),
        (True, 6),
    ]


async def test_the_beacon_tells_the_new_epoch_only_when_its_lanes_were_compared(line: Line) -> None:
    session = await line.broker.session()
    beacons = await session.client.subscribe(line.source.beacon_subject)
    counters = some_ids(20)
    async with running(line.relay().run()):
        await asyncio.gather(*(line.raise_to(counter) for counter in counters))
        async with line.commands.lent() as connection:
            epoch, _ = await line.epochs.begin(connection, "by hand")

        async def announced() -> bool:
            heads = LaneHeads.FromString((await beacons.next_msg(timeout=5)).data)
            return heads.epoch == epoch.bytes and all(lane.published == lane.committed for lane in heads.lanes)

        await until(announced)
        heads = await read_heads(line.commands, "thing")
    assert all(head.published_event_id == head.event_id != b"" for head in heads.lanes)
