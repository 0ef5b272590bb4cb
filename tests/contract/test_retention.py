"""A journal is trimmed by time, never more than is published; what was shown of it is shown for longer."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from bus.journal.history import History
from bus.journal.partitions import database_time, partitions
from bus.journal.retention import Bounds
from bus.journal.tables import JOURNAL
from bus.journal.trimming import trim_journal
from bus.lanes import LANES, lane_of
from tests.contract.ageing import age, retention, trim
from tests.contract.line import Line, running, until


async def numbers(line: Line) -> dict[int, list[int]]:
    """Return which numbers the journal has, by lane."""
    return {lane: [seq for seq, _, _ in events] for lane, events in (await line.lane_events()).items()}


async def publish(line: Line) -> None:
    """Publish everything."""
    async with running(line.relay().run()):
        await until(line.published)


async def counters(line: Line, revisions: int) -> list[UUID]:
    """Make counters in every lane, each with so many revisions."""
    found: dict[int, UUID] = {}
    while len(found) < LANES:
        counter = uuid4()
        found.setdefault(lane_of(counter), counter)
    for counter in found.values():
        for _ in range(revisions):
            await line.raise_to(counter)
    return list(found.values())


async def test_what_is_old_and_published_goes_but_for_each_lane_s_newest_event(line: Line) -> None:
    await counters(line, 4)
    await publish(line)
    await age(line)
    before = [each.name for each in await partitions(line.commands, JOURNAL.journal)]
    await trim(line)
    assert await numbers(line) == {lane: [4] for lane in range(LANES)}
    after = [each.name for each in await partitions(line.commands, JOURNAL.journal)]
    assert len(after) < len(before)
    await trim(line)
    assert await numbers(line) == {lane: [4] for lane in range(LANES)}


async def test_what_is_younger_than_the_bound_stays(line: Line) -> None:
    [counter, *_] = await counters(line, 3)
    await publish(line)
    await age(line, 30.0)
    await trim(line)
    assert await numbers(line) == {lane: [1, 2, 3] for lane in range(LANES)}
    assert [each.revision for each in await History(line.commands).of(counter, None, 9)] == [3, 2, 1]
    assert await line.commands.fetch("SELECT 1 FROM history") == []


async def test_nothing_is_trimmed_of_a_time_in_which_anything_is_unpublished(line: Line) -> None:
    [counter, *_] = await counters(line, 3)
    await publish(line)
    await line.raise_to(counter)
    await age(line)
    await trim(line)
    found = await numbers(line)
    assert found.pop(lane_of(counter)) == [1, 2, 3, 4]
    assert set(map(tuple, found.values())) == {(1, 2, 3)}
    await publish(line)
    await trim(line)
    assert (await numbers(line))[lane_of(counter)] == [4]


async def test_the_history_is_whole_across_a_trim(line: Line) -> None:
    [counter, *_] = await counters(line, 5)
    history = History(line.commands)
    whole = await history.of(counter, None, 9)
    await publish(line)
    await age(line)
    await line.raise_to(counter)
    aged = await history.of(counter, None, 9)
    await trim(line)
    told = await history.of(counter, None, 9)
    assert told == aged
    assert [(each.revision, each.principal, each.private) for each in told[1:]] == [
        (each.revision, each.principal, each.private) for each in whole
    ]
    assert await history.of(counter, 4, 2) == told[3:5]


async def test_an_event_kept_of_a_lane_goes_when_the_lane_has_a_newer_one(line: Line) -> None:
    [counter, *_] = await counters(line, 2)
    await publish(line)
    await age(line)
    await trim(line)
    await line.raise_to(counter)
    await trim(line)
    assert (await numbers(line))[lane_of(counter)] == [2, 3]  # the newer one is not published
    await publish(line)
    await trim(line)
    assert (await numbers(line))[lane_of(counter)] == [3]
    assert [each.revision for each in await History(line.commands).of(counter, None, 9)] == [3, 2, 1]


async def test_an_event_recorded_out_of_order_does_not_tear_its_lane(line: Line) -> None:
    [counter, *_] = await counters(line, 5)
    await publish(line)
    await age(line)
    lane = lane_of(counter)
    await line.commands.execute(
        "UPDATE journal SET recorded_at = recorded_at + interval '58 days' WHERE lane = $1 AND seq = 3", lane
    )
    await trim(line)
    assert (await numbers(line))[lane] == [3, 4, 5]
    assert [each.revision for each in await History(line.commands).of(counter, None, 9)] == [5, 4, 3, 2, 1]


async def test_the_history_and_stored_responses_have_bounds_of_their_own(line: Line) -> None:
    counter, old, young = uuid4(), uuid4(), uuid4()
    await line.raise_to(counter, request_id=old)
    await publish(line)
    await age(line, 150.0)
    await line.raise_to(counter, request_id=young)
    await trim(line, Bounds(history=200))
    assert [each.revision for each in await History(line.commands).of(counter, None, 9)] == [2, 1]
    assert [row["request_id"] for row in await line.commands.fetch("SELECT * FROM idempotency")] == [young]
    await publish(line)
    await trim(line, Bounds(history=100))
    assert [each.revision for each in await History(line.commands).of(counter, None, 9)] == [2]
    assert await line.commands.fetch("SELECT 1 FROM history") == []


async def test_commands_are_taken_and_published_while_what_is_old_is_trimmed(line: Line) -> None:
    """Whoever trims beside the others, a process that lost its turn for example, loses nothing either."""
    made = await counters(line, 4)
    await publish(line)
    await age(line)
    done, rounds = asyncio.Event(), 0

    async def write(part: Sequence[UUID]) -> None:
        nonlocal rounds
        while not done.is_set():
            for counter in part:
                await line.raise_to(counter)
            rounds += 1

    async def trimming() -> None:
        try:
            now = await database_time(line.commands)
            trims = (trim_journal(line.commands, now - timedelta(days=35), history_width=730) for _ in range(3))
            trimmed = await asyncio.gather(*trims)
            assert sum(trimmed) > 0
        finally:
            done.set()

    async with running(line.relay().run()):
        await asyncio.gather(trimming(), write(made[:8]), write(made[8:]))
        await until(line.published)
    for lane, seqs in (await numbers(line)).items():
        assert seqs == list(range(4, seqs[-1] + 1)), lane
    assert rounds >= 2
    for counter in made:
        revisions = [each.revision for each in await History(line.commands).of(counter, None, 10_000)]
        assert revisions == list(range(len(revisions), 0, -1))
    assert len(await line.commands.fetch("SELECT 1 FROM history")) == 4 * LANES


async def test_a_table_in_use_is_left_for_later_and_commits_are_not_held_up(line: Line) -> None:
    [counter, *_] = await counters(line, 2)
    await publish(line)
    await age(line)
    async with line.relaying.transaction() as reading:
        await reading.fetch("SELECT 1 FROM journal LIMIT 1")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await retention(line).round()
        await line.raise_to(counter)
    await trim(line)
    assert (await numbers(line))[lane_of(counter)] == [2, 3]


async def test_one_process_at_a_time_sees_to_it(line: Line) -> None:
    async with line.relaying.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('partitions of journal'))")
        async with running(retention(line, holder="first").run()):
            await until(line.waits_for_a_lock)
            assert not await retention(line, holder="second").round()
    assert await retention(line, holder="second").round()
