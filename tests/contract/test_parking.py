"""Events that can't be applied: parked with their aggregates alone, while everything else of their lanes goes on."""

from dataclasses import replace
from uuid import UUID, uuid4

import asyncpg
import pytest

from bus.event import Event
from bus.following import parking
from bus.following.applying import Applying, NoRoom
from bus.following.checkpoint import Checkpoint
from bus.following.parking import ParkedEventClosed, Place, State
from bus.following.retrying import Difference, retry
from bus.following.source_answers import SNAPSHOT
from bus.lanes import lane_of
from chassis.refusal import ResourceNotFound
from tests.contract.by_hand import event
from tests.contract.copies import at_heads, checkpoint, in_lane, parked, stopped_lanes
from tests.contract.line import POISON, CopyProjection, CopyRow, Line, running, until

WHO = "olga"


async def states(line: Line) -> list[tuple[UUID, int, State]]:
    """Return what is parked: aggregate, revision, state, the first parked first."""
    return [(each.event.aggregate_id, each.event.revision, each.state) for each in reversed(await parked(line))]


async def test_a_poison_event_is_parked_and_its_lane_goes_on(line: Line) -> None:
    poisoned = uuid4()
    other = in_lane(lane_of(poisoned))
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(poisoned, body=POISON)
        await line.raise_to(other)
        await until(lambda: at_heads(line))
    assert await line.copied() == {other: 1}
    assert await stopped_lanes(line) == {}
    (listed,) = await parked(line)
    one = await parking.get(line.copies, "thing", listed.event.event_id)
    row = await line.commands.fetchrow("SELECT * FROM journal WHERE aggregate_id = $1", poisoned)
    assert row is not None
    expected = (row["event_id"], row["lane"], row["seq"], row["epoch"], row["revision"], row["public"])
    kept = one.event
    assert (kept.event_id, kept.lane, kept.seq, kept.epoch, kept.revision, kept.body) == expected
    assert (one.state, one.error, one.retries) == (State.OPEN, "poison", 0)
    (aggregate,) = await parking.open_parked(line.copies)
    assert (aggregate.aggregate_id, aggregate.lane, aggregate.seq, aggregate.events) == (poisoned, kept.lane, 1, 1)


async def test_the_next_good_event_closes_what_is_parked_of_its_aggregate(line: Line) -> None:
    poisoned, other = uuid4(), uuid4()
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(other, body=POISON)
        for _ in range(2):
            await line.raise_to(poisoned, body=POISON)
        await until(lambda: at_heads(line))
        assert [each.events for each in await parking.open_parked(line.copies)] in ([1, 2], [2, 1])
        await line.raise_to(poisoned)
        await until(lambda: at_heads(line))
    assert (await line.copied())[poisoned] == 3
    assert set(await states(line)) == {  # of two lanes, either may be the first
        (other, 1, State.OPEN),
        (poisoned, 1, State.SUPERSEDED),
        (poisoned, 2, State.SUPERSEDED),
    }


async def test_an_event_without_state_closes_nothing(line: Line) -> None:
    poisoned = uuid4()
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(poisoned, body=POISON)
        await line.raise_to(poisoned, body=b"")
        await until(lambda: at_heads(line))
    assert await states(line) == [(poisoned, 1, State.OPEN)]


async def test_a_good_event_in_the_same_batch_closes_it_too(line: Line) -> None:
    poisoned = uuid4()
    await line.raise_to(poisoned, body=POISON)
    await line.raise_to(poisoned)
    async with running(line.relay().run()):
        await until(line.published)
        async with running(line.subscriber().run()):
            await until(line.caught_up)
    assert await states(line) == [(poisoned, 1, State.SUPERSEDED)]


async def test_what_the_store_refuses_is_found_among_many_and_parked_alone(line: Line) -> None:
    await line.copies.execute("ALTER TABLE copy ADD CHECK (value NOT IN (13, 14))")
    refused = [uuid4(), uuid4()]
    others = [uuid4() for _ in range(40)]
    for number, other in enumerate(others):
        if number in {7, 30}:
            await line.raise_to(refused.pop(), 13 if number == 7 else 14)
        await line.raise_to(other)
    async with running(line.relay().run()):
        await until(line.published)
        async with running(line.subscriber().run()):
            await until(lambda: at_heads(line))
    assert await line.copied() == dict.fromkeys(others, 1)
    assert await stopped_lanes(line) == {}
    reasons = [each.error for each in await parked(line)]
    assert len(reasons) == 2
    assert all(asyncpg.CheckViolationError.sqlstate in reason for reason in reasons)


async def test_when_too_many_are_parked_the_lane_stops_until_there_is_room(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "PARKED_MOST", 2)
    counters = [in_lane(5) for _ in range(4)]
    elsewhere = in_lane(6)
    for counter in counters[:3]:
        await line.raise_to(counter, body=POISON)
    await line.raise_to(counters[3])
    await line.raise_to(elsewhere)
    async with running(line.relay().run(), line.subscriber().run()):

        async def stopped() -> bool:
            return "2 aggregates have parked events" in (await stopped_lanes(line)).get(5, "")

        await until(stopped)

        async def others_go_on() -> bool:
            return await line.copied() == {elsewhere: 1}

        await until(others_go_on)
        assert [aggregate for aggregate, _, _ in await states(line)] == counters[:2]
        (_, first) = await parked(line)
        await parking.skip(line.copies, "thing", first.event.event_id, reason="a test", who=WHO)
        await until(lambda: at_heads(line))
    assert await stopped_lanes(line) == {}
    assert await line.copied() == {elsewhere: 1, counters[3]: 1}
    assert [state for _, _, state in await states(line)] == [State.SKIPPED, State.OPEN, State.OPEN]


async def test_a_retry_that_fails_changes_nothing_but_its_count(line: Line) -> None:
    poisoned = uuid4()
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(poisoned)
        await line.raise_to(poisoned, body=POISON)
        await until(lambda: at_heads(line))
        tried = await retry(line.copies, "thing", CopyProjection(), poisoned, who=WHO)
        assert (tried.applied, tried.error, tried.differences) == (False, "poison", ())
        assert (tried.parked.state, tried.parked.retries) == (State.OPEN, 1)
        tried = await retry(line.copies, "thing", CopyProjection(), poisoned, who=WHO, dry_run=True)
        assert tried.parked.retries == 2
    (one,) = await parked(line)
    assert (one.state, one.retries) == (State.OPEN, 1)


async def test_a_dry_run_tells_what_would_change_and_a_retry_changes_it(line: Line) -> None:
    await line.copies.execute("ALTER TABLE copy ADD CONSTRAINT no_two CHECK (value NOT IN (2, 3))")
    refused, other = uuid4(), uuid4()
    async with running(line.relay().run(), line.subscriber().run()):
        for value in (1, 2, 3):
            await line.raise_to(refused, value)
        await until(lambda: at_heads(line))
        assert await line.copied() == {refused: 1}
        await line.copies.execute("ALTER TABLE copy DROP CONSTRAINT no_two")
        version = (await checkpoint(line)).version

        would = await retry(line.copies, "thing", CopyProjection(), refused, who=WHO, dry_run=True)
        assert would.applied
        assert Difference("value", "1", "3") in would.differences
        assert {difference.column for difference in would.differences} == {"revision", "event_id", "value"}
        assert await line.copied() == {refused: 1}
        assert {state for _, _, state in await states(line)} == {State.OPEN}
        assert (await checkpoint(line)).version == version

        did = await retry(line.copies, "thing", CopyProjection(), refused, who=WHO)
        assert did.differences == would.differences
        assert (did.parked.state, did.parked.closed_by, did.parked.retries) == (State.APPLIED, WHO, 1)
        assert await line.copied() == {refused: 3}
        assert await states(line) == [(refused, 2, State.SUPERSEDED), (refused, 3, State.APPLIED)]
        assert (await checkpoint(line)).version > version  # who follows the copy reads again
        await line.raise_to(other)
        await line.raise_to(refused, 4)
        await until(line.caught_up)
    with pytest.raises(ResourceNotFound):
        await retry(line.copies, "thing", CopyProjection(), refused, who=WHO)


async def test_an_event_is_given_up_once_with_its_reason(line: Line) -> None:
    poisoned = uuid4()
    async with running(line.relay().run(), line.subscriber().run()):
        await line.raise_to(poisoned, body=POISON)
        await until(lambda: at_heads(line))
    (one,) = await parked(line)
    skipped = await parking.skip(line.copies, "thing", one.event.event_id, reason="never mind", who=WHO)
    assert (skipped.state, skipped.close_reason, skipped.closed_by) == (State.SKIPPED, "never mind", WHO)
    assert skipped.closed_at is not None
    assert await parking.open_parked(line.copies) == []
    with pytest.raises(ParkedEventClosed) as refused:
        await parking.skip(line.copies, "thing", one.event.event_id, reason="again", who=WHO)
    assert refused.value.metadata["state"] == "skipped"
    with pytest.raises(ResourceNotFound):
        await parking.get(line.copies, "thing", uuid4())


async def test_parked_events_are_listed_the_latest_first_page_by_page(line: Line) -> None:
    async with running(line.relay().run(), line.subscriber().run()):
        for _ in range(5):
            await line.raise_to(uuid4(), body=POISON)
        await until(lambda: at_heads(line))
    everything = await parked(line)
    assert [each.parked_at for each in everything] == sorted((each.parked_at for each in everything), reverse=True)
    listed: list[UUID] = []
    after: Place | None = None
    while found := await parking.page(line.copies, source="thing", most=2, after=after):
        listed += [each.event.event_id for each in found]
        after = Place(found[-1].parked_at, found[-1].source, found[-1].event.event_id)
    assert listed == [each.event.event_id for each in everything]
    await parking.skip(line.copies, "thing", listed[0], reason="a test", who=WHO)
    assert len(await parking.page(line.copies)) == 4
    assert await parking.page(line.copies, source="another", include_closed=True) == []


def applying(line: Line) -> Applying[CopyRow]:
    """Return what applies events to the line's copy."""
    return Applying(line.copies, "thing", CopyProjection())


def entry(counter: UUID, revision: int, body: bytes) -> Event:
    """Return an entry of a snapshot."""
    return replace(event(revision, counter), seq=0, previous=None, type=SNAPSHOT, traceparent="", body=body)


async def test_an_entry_of_a_snapshot_that_is_refused_is_parked_like_an_event(line: Line) -> None:
    good, bad = uuid4(), uuid4()
    begun = await checkpoint(line)
    moved = await applying(line).apply([entry(good, 4, b"4"), entry(bad, 7, POISON)], begun, begun)
    assert moved.version == begun.version + 1
    assert await line.copied() == {good: 4}
    (aggregate,) = await parking.open_parked(line.copies)
    assert (aggregate.aggregate_id, aggregate.seq, aggregate.revision) == (bad, 0, 7)


async def test_a_refused_event_older_than_what_the_copy_shows_is_no_trouble(line: Line) -> None:
    counter = uuid4()
    begun = await checkpoint(line)
    at = applying(line)
    moved = await at.apply([entry(counter, 4, b"4")], begun, begun)
    await at.apply([replace(event(3, counter), body=POISON)], moved, moved)
    assert [state for _, _, state in await states(line)] == [State.SUPERSEDED]
    assert await parking.open_parked(line.copies) == []


async def test_where_there_is_no_room_nothing_is_written(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parking, "PARKED_MOST", 1)
    begun: Checkpoint = await checkpoint(line)
    first, second = entry(uuid4(), 1, POISON), replace(entry(uuid4(), 1, POISON), event_id=uuid4())
    with pytest.raises(NoRoom) as refused:
        await applying(line).apply([entry(uuid4(), 1, b"1"), first, second], begun, begun)
    assert refused.value.event == second
    assert (await line.copied(), await parked(line), await checkpoint(line)) == ({}, [], begun)
