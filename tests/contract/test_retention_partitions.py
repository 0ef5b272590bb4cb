"""Partitions are there before they are needed; what lands in the net under them does not stay there."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

from bus.journal.partitions import (
    ALWAYS,
    Span,
    cover,
    database_time,
    net_of,
    oldest_in_net,
    partitions,
    uncovered,
    width_of,
)
from bus.journal.tables import JOURNAL
from chassis.postgres import Connections
from tests.contract.ageing import retention, trim
from tests.contract.line import Line, until

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def days(first: float, last: float) -> Span:
    return Span(DAY + timedelta(days=first), DAY + timedelta(days=last))


async def in_net(line: Line) -> int:
    """Count the journal's rows in its DEFAULT partition."""
    rows = await line.commands.fetch(f"SELECT 1 FROM {net_of(JOURNAL.journal).name}")  # noqa: S608 - a name of ours
    return len(rows)


def test_a_partition_is_a_fifth_of_what_is_kept_and_at_least_a_day() -> None:
    assert [width_of(days) for days in (1, 4, 15, 35, 3650)] == [1, 1, 3, 7, 730]


def test_time_is_cut_the_same_way_whenever_one_looks() -> None:
    [first, second] = uncovered([], DAY, DAY + timedelta(days=7), 7)
    assert first.upper == second.lower
    assert first.upper - first.lower == timedelta(days=7)
    later = uncovered([], first.upper - timedelta(seconds=1), first.upper, 7)
    assert later == [first]
    assert uncovered([], first.upper, first.upper + timedelta(seconds=1), 7) == [second]


def test_what_is_there_is_not_made_again_and_every_hole_is_filled() -> None:
    assert uncovered([days(0, 1), days(2, 3)], DAY, DAY + timedelta(days=4), 1) == [days(1, 2), days(3, 4)]
    before = Span(ALWAYS, DAY + timedelta(hours=6))
    assert uncovered([before], DAY, DAY + timedelta(days=2), 1) == [days(0.25, 1), days(1, 2)]
    assert uncovered([days(0, 1.5)], DAY, DAY + timedelta(days=2), 1) == [days(1.5, 2)]
    assert uncovered([days(0.25, 0.5), days(0.75, 0.8)], DAY, DAY + timedelta(hours=1), 1) == [
        days(0, 0.25),
        days(0.5, 0.75),
        days(0.8, 1),
    ]


async def test_a_new_database_has_partitions_for_now_and_ahead_whoever_is_first(line: Line) -> None:
    await asyncio.gather(*(retention(line, holder=f"{n}").prepare(line.relaying) for n in range(4)))
    now = await database_time(line.commands)
    spans = [each.span for each in await partitions(line.commands, JOURNAL.journal)]
    assert spans[0].lower <= now < spans[0].upper
    assert spans[-1].upper >= now + timedelta(days=7)
    assert [each.lower for each in spans[1:]] == [each.upper for each in spans[:-1]]
    await line.raise_to(uuid4())
    assert await in_net(line) == 0


async def test_partitions_are_known_again_whatever_way_a_database_writes_dates(line: Line) -> None:
    await retention(line).prepare(line.commands)
    made = await partitions(line.commands, JOURNAL.journal)
    name = (await line.commands.fetch("SELECT current_database() AS name"))[0]["name"]
    await line.commands.execute(f"ALTER DATABASE \"{name}\" SET datestyle TO 'SQL, DMY'")
    async with Connections(line.dsn, size=1, name="next start") as connections:
        await retention(line).prepare(connections)
        assert await partitions(connections, JOURNAL.journal) == made


async def test_a_start_does_not_wait_for_long_for_who_changes_the_partitions(line: Line) -> None:
    async with line.relaying.transaction() as busy, asyncio.timeout(4):
        await busy.execute("SELECT pg_advisory_xact_lock(hashtext('partitions of journal'))")
        await retention(line).prepare(line.commands)
    assert await partitions(line.commands, JOURNAL.journal) == []
    await retention(line).prepare(line.commands)
    assert await partitions(line.commands, JOURNAL.journal) != []


async def test_a_start_does_not_fail_when_the_connection_is_lost_meanwhile(line: Line) -> None:
    async with Connections(line.dsn, size=1, name="lost") as connections:
        await connections.close()
        await retention(line).prepare(connections)


async def test_what_was_recorded_without_a_partition_is_moved_into_one(line: Line) -> None:
    """The partition begins a moment later than now; what is older follows when that moment has come."""
    counters = [uuid4() for _ in range(5)]
    for counter in counters:
        await line.raise_to(counter)
    before = await line.lane_events()
    assert await in_net(line) == len(counters)

    async def moved() -> bool:
        await trim(line)
        return await in_net(line) == 0

    await until(moved)
    assert await line.lane_events() == before
    for counter in counters:
        await line.raise_to(counter)
    assert await in_net(line) == 0


async def test_rows_loaded_with_times_of_their_own_are_moved_to_where_they_belong(line: Line) -> None:
    await retention(line).prepare(line.commands)
    counter = uuid4()
    for _ in range(3):
        await line.raise_to(counter)
    for revision, age in ((1, 20), (2, 12), (3, 0)):
        await line.commands.execute(
            "UPDATE journal SET recorded_at = recorded_at - $1::interval WHERE revision = $2",
            timedelta(days=age),
            revision,
        )
    assert await in_net(line) == 2
    before = await line.lane_events()
    await trim(line)
    assert await in_net(line) == 0
    assert await line.lane_events() == before
    spans = [each.span for each in await partitions(line.commands, JOURNAL.journal)]
    assert all(earlier.upper <= later.lower for earlier, later in pairwise(spans))


async def test_commits_go_on_while_a_partition_is_made_for_them(line: Line) -> None:
    counters = [uuid4() for _ in range(4)]
    covered = asyncio.Event()

    async def write(number: int) -> None:
        while not covered.is_set():
            await line.raise_to(counters[number])

    async def make() -> None:
        try:
            await until(anything_in_net)
            await cover(line.relaying, JOURNAL.journal, 7)
            latest = (await partitions(line.relaying, JOURNAL.journal))[0]
            await until(lambda: began(latest.name))
        finally:
            covered.set()

    async def anything_in_net() -> bool:
        return await oldest_in_net(line.relaying, JOURNAL.journal, ALWAYS) is not None

    async def began(partition: str) -> bool:
        return bool(await line.relaying.fetch(f'SELECT 1 FROM "{partition}" LIMIT 1'))  # noqa: S608 - a name of ours

    await asyncio.gather(make(), *(write(number) for number in range(4)))
    revisions = await line.commands.fetch(
        "SELECT count(*) AS count, max(revision) AS latest FROM journal GROUP BY aggregate_id"
    )
    assert all(row["count"] == row["latest"] for row in revisions)
