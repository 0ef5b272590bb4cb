"""A journal is trimmed by time, never more than is published; what was shown of it is shown for longer."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from bus.journal.history import History
from bus.journal.partitions import database_time, partitions
from bus.journal.retention import Bounds, Retention
from bus.journal.tables import JOURNAL
from bus.journal.trimming import trim_journal
from bus.lanes import LANES, lane_of
from chassis.postgres import UNAVAILABLE, Connection, Connections
from tests.contract.ageing import age, retention, trim
from tests.contract.line import Line, running, until

EXCLUSIVE = (
    "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock'"
    " AND relation = 'journal'::regclass"
)


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


class Stopped(Connections):
    """The connections of a process that is stopped as soon as it has locked the whole journal, before it commits."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn, size=1, name="stopped")
        self.locked = False
        self.go_on = asyncio.Event()

    @asynccontextmanager
    async def transaction(self, *, readonly: bool = False, snapshot: bool = False) -> AsyncGenerator[Connection]:
        """Stop at the end of the block."""
        async with super().transaction(readonly=readonly, snapshot=snapshot) as connection:
            yield connection
            if await connection.fetchval(EXCLUSIVE):
                self.locked = True
                await self.go_on.wait()


async def test_a_process_that_is_stopped_while_it_trims_stalls_no_commit_for_long(line: Line) -> None:
    [counter, *_] = await counters(line, 2)
    await publish(line)
    await age(line)
    horizon = await database_time(line.commands) - timedelta(days=35)
    async with Stopped(line.dsn) as stopped:
        trimming = asyncio.create_task(trim_journal(stopped, horizon, history_width=730))
        await until(lambda: has_locked(stopped))
        async with asyncio.timeout(4):
            await line.raise_to(counter)
        stopped.go_on.set()
        with pytest.raises(UNAVAILABLE):
            await trimming
    await trim(line)
    assert (await numbers(line))[lane_of(counter)] == [2, 3]


async def has_locked(stopped: Stopped) -> bool:
    return stopped.locked


async def test_what_all_commits_wait_for_is_one_statement_whatever_a_partition_holds(line: Line) -> None:
    await counters(line, 3)
    await publish(line)
    await age(line)
    asked: list[str] = []
    patience: list[float] = []

    async def listen(connection: Any) -> None:  # noqa: ANN401 - its timeout is not for everyone to see
        connection.add_query_logger(lambda query: asked.append(query.query))
        patience.append(connection._config.command_timeout)

    assert await Retention(line.dsn, Bounds(), "keeper", prepare=listen).round()
    locking = [(query, after) for query, after in pairwise(asked) if "ACCESS EXCLUSIVE" in query]
    assert locking
    assert all("DROP TABLE" in query and after.startswith("COMMIT") for query, after in locking)
    assert not [query for query in asked if "count(*)" in query and "LIMIT" not in query]
    assert min(patience) > 60


async def test_what_is_written_into_the_past_after_the_copy_is_not_lost(line: Line) -> None:
    [counter, *_] = await counters(line, 2)
    await publish(line)
    await age(line)
    lane = lane_of(counter)

    class Late(Connections):
        """Whoever has copied sees one more event recorded in the past."""

        @asynccontextmanager
        async def transaction(self, *, readonly: bool = False, snapshot: bool = False) -> AsyncGenerator[Connection]:
            if await line.commands.fetch("SELECT 1 FROM history") and (await numbers(line))[lane] == [1, 2]:
                await line.raise_to(counter)
                await line.commands.execute(
                    "UPDATE journal SET recorded_at = (SELECT max(recorded_at) FROM journal WHERE seq = 2)"
                    " WHERE lane = $1 AND seq = 3",
                    lane,
                )
                await publish(line)
            async with super().transaction(readonly=readonly, snapshot=snapshot) as connection:
                yield connection

    horizon = await database_time(line.commands) - timedelta(days=35)
    async with Late(line.dsn, size=1, name="late") as late:
        await trim_journal(late, horizon, history_width=730)
    assert (await numbers(line))[lane] == [1, 2, 3]
    await trim(line)
    assert (await numbers(line))[lane] == [3]
    assert [each.revision for each in await History(line.commands).of(counter, None, 9)] == [3, 2, 1]


async def test_one_process_at_a_time_sees_to_it(line: Line) -> None:
    async with line.relaying.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('partitions of journal'))")
        async with running(retention(line, holder="first").run()):
            await until(line.waits_for_a_lock)
            assert not await retention(line, holder="second").round()
    assert await retention(line, holder="second").round()
