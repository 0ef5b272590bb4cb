"""The relay's turns: what fences it in the database, what it reads in a round, how it walks past others' messages."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from bus.journal.epochs import present_epoch
from bus.lanes import LANES
from bus.lease import Lease, LeaseLost
from bus.operations.status import journal_is_fresh, journal_status
from bus.relay import store
from bus.relay.publishing import BATCH_MOST, LARGEST_BYTES
from bus.relay.tail import GoOn, Tail
from bus.relay.tails import Tails
from bus.relay.waiting import PENDING, pending
from chassis.embedded import EmbeddedNats, temporary_data_folder
from tests.contract.copies import in_lane
from tests.contract.line import Line, make_line, running, until
from tests.contract.stream import assert_stream_is_journal, raise_many

BACKLOG = 6 * BATCH_MOST


async def test_a_lease_that_was_copied_to_a_promoted_database_lets_the_old_relay_write_nothing(
    line: Line, database: Callable[[], Awaitable[str]]
) -> None:
    """The lease's row is there as it was in the old one; the epoch is another."""
    await raise_many(line, 20)
    old = await present_epoch(line.commands)
    async with (
        line.relaying.lent() as holding,
        make_line(await database(), await database(), line.nats_url, line.source.prefix) as promoted,
    ):
        lease = await Lease.take(holding, store.LEASE_NAME, "old", ttl=3600.0)
        assert lease is not None
        row = await holding.fetchrow("SELECT * FROM lease")
        assert row is not None
        await promoted.commands.execute("DELETE FROM lease")
        await promoted.commands.execute("INSERT INTO lease VALUES ($1, $2, $3, $4, $5, $6, $7)", *row.values())
        at = {3: GoOn(77, 5, uuid4(), 5)}
        with pytest.raises(LeaseLost):
            await store.remember(promoted.commands, lease, old.epoch, datetime.now(UTC), at)
        with pytest.raises(LeaseLost):
            await store.stop(promoted.commands, lease, old.epoch, "superseded")
        untouched = await promoted.commands.fetch(
            "SELECT FROM relay_lane WHERE published = 0 AND stopped_reason IS NULL"
        )
        assert len(untouched) == LANES
        epoch = (await present_epoch(promoted.commands)).epoch
        await store.remember(promoted.commands, lease, epoch, datetime.now(UTC), at)


async def test_a_relay_that_was_succeeded_and_stands_by_has_no_trouble(line: Line) -> None:
    first, second = line.relay("first"), line.relay("second")
    async with running(first.run()):
        await raise_many(line, 20)
        await until(line.published)
        async with running(second.run()):
            await line.commands.execute("UPDATE lease SET holder = 'another', term = term + 1, expires_at = now()")

            async def has_trouble() -> bool:
                return "LeaseLost" in first.trouble

            async def stands_by() -> bool:
                return first.trouble == "" and second.trouble == "" and await line.published()

            await until(has_trouble)
            await raise_many(line, 20)
            await until(stands_by)


async def test_a_round_reads_no_more_than_it_publishes_though_the_journal_has_no_statistics(line: Line) -> None:
    await line.raise_to(counter := in_lane(5))
    async with line.commands.transaction() as connection:
        await connection.execute(
            "INSERT INTO journal (lane, seq, epoch, event_id, aggregate_id, revision, type, principal, traceparent,"
            " public, private) SELECT 5, number, epoch, gen_random_uuid(), $1, number, 'test.Raised', 'alice', '', '1',"
            " '' FROM lane, generate_series(2, $2::bigint) AS number WHERE lane = 5",
            counter,
            BACKLOG,
        )
        await connection.execute("UPDATE lane SET seq = $1 WHERE lane = 5", BACKLOG)
    read = await pending(line.relaying, {5: 100}, 2**20)
    assert [event.seq for event in read[5]] == list(range(101, 101 + BATCH_MOST))
    async with line.relaying.transaction() as connection:
        for plan in ("enable_indexscan", "enable_seqscan"):  # whatever is chosen, it's not a sort of everything
            await connection.execute(f"SET LOCAL {plan} = off")
        values = {"lanes": [5], "published": [100], "events": BATCH_MOST, "bytes": 2**20}
        explained = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {PENDING.text}", *PENDING.bind(values))
    assert 0 < max(rows_read(json.loads(explained)[0]["Plan"])) <= BATCH_MOST


def rows_read(plan: dict[str, object]) -> list[float]:
    """Return how many rows each scan of the journal has found."""
    below = plan.get("Plans", [])
    assert isinstance(below, list)
    found = [rows for each in below for rows in rows_read(each)]
    if str(plan.get("Relation Name", "")).startswith("journal"):
        found.append(float(str(plan["Actual Rows"])) * float(str(plan["Actual Loops"])))
    return found


async def test_tails_are_walked_past_side_by_side_and_no_farther_than_something_can_be_found(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = {3: [in_lane(3) for _ in range(10)], 4: [in_lane(4) for _ in range(10)]}
    for counters in ours.values():
        for counter in counters:
            await line.raise_to(counter)
    async with running(line.relay().run()):
        await until(line.published)
    line.woken.clear()
    session = await line.broker.session()
    for lane in ours:
        for _ in range(20):
            await session.jetstream.publish(f"{line.source.prefix}.v1.thing.{lane}.{uuid4()}", b"strange")
    await line.commands.execute("UPDATE relay_lane SET published = 0, event_id = NULL, stream_sequence = 0")
    steps: list[int] = []
    both = asyncio.Barrier(2)
    walk = Tails.walk

    async def noted(self: Tails, lane: int, after: int, up_to: int) -> AsyncGenerator[Tail]:
        async for tail in walk(self, lane, after, up_to):
            steps.append(lane)
            if steps.count(lane) == 1:
                await both.wait()
            yield tail

    monkeypatch.setattr(Tails, "walk", noted)
    async with running(line.relay().run()):
        await line.raise_to(in_lane(5))
        await until(line.published)
    assert [steps.count(lane) for lane in ours] == [10, 10]
    await assert_stream_is_journal(line)


@pytest.fixture
async def narrow(database: Callable[[], Awaitable[str]], bus_prefix: str) -> AsyncIterator[Line]:
    """Make a line on a broker that takes what an event needs, and hardly more."""
    with temporary_data_folder("training-nats-") as folder:
        async with (
            EmbeddedNats(folder / "nats", durable=False, max_payload=LARGEST_BYTES) as server,
            make_line(await database(), await database(), server.url, bus_prefix) as made,
        ):
            yield made


async def lags(line: Line) -> dict[int, int]:
    """Return how many events of each lane wait, where any do."""
    query = "SELECT lane, seq - published AS lag FROM lane JOIN relay_lane USING (lane) WHERE seq > published"
    return {row["lane"]: row["lag"] for row in await line.commands.fetch(query)}


async def test_an_event_that_the_broker_does_not_take_stops_its_own_lane_only(narrow: Line) -> None:
    """Nothing is published past it; the others go on in the same term."""
    for lane in range(LANES):
        for _ in range(3):
            await narrow.raise_to(in_lane(lane), body=b"1" * 1000)
    for _ in range(41):
        await narrow.raise_to(in_lane(7))
    too_large = b"1" * LARGEST_BYTES  # no command makes one
    await narrow.commands.execute("UPDATE journal SET public = $1 WHERE lane = 7 AND seq = 4", too_large)
    relay = narrow.relay()

    async def waits_in_lane_7() -> bool:
        return await lags(narrow) == {7: 41}

    async with running(relay.run()):
        await until(waits_in_lane_7)
        for lane in range(LANES):
            if lane != 7:
                await narrow.raise_to(in_lane(lane))
        await until(waits_in_lane_7)
        status = await journal_status(narrow.commands, "thing", relay)
        assert {lane.lane: lane.stopped_reason for lane in status.lanes if lane.stopped_reason} == {
            7: f"seq 4 is larger than the broker takes ({LARGEST_BYTES} bytes)"
        }
        assert not journal_is_fresh(status)
        assert relay.trouble == ""
        leases = await narrow.commands.fetch("SELECT term FROM lease WHERE name = 'relay'")
        assert [row["term"] for row in leases] == [1]
        session = await narrow.broker.session()
        beacons = await session.client.subscribe(narrow.source.beacon_subject)
        await beacons.next_msg(timeout=5)


async def test_a_broker_that_does_not_take_what_an_event_may_be_is_refused(
    database: Callable[[], Awaitable[str]], bus_prefix: str
) -> None:
    with temporary_data_folder("training-nats-") as folder:
        async with (
            EmbeddedNats(folder / "nats", durable=False, max_payload=LARGEST_BYTES - 1) as server,
            make_line(await database(), await database(), server.url, bus_prefix) as line,
        ):
            await line.raise_to(in_lane(3))
            relay = line.relay()

            async def is_told() -> bool:
                return "max_payload" in relay.trouble

            async with running(relay.run()):
                await until(is_told)
                assert await lags(line) == {3: 1}
