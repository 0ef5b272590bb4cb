"""The registry of generations, and the flip from one to the next under those who read and write meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid
from training.ops.v1.operations_service_pb2 import REBUILD_METHOD_SNAPSHOT
from uuid_utils.compat import uuid7

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import LaneCheckpoint, checkpoint_table
from bus.following.parked_table import parked_table
from bus.lanes import LANES
from bus.lease import Lease, LeaseLost
from bus.read_store.flip import NotFlipped, flip, read_checkpoints
from bus.read_store.generation_schema import create, drop
from bus.read_store.generations import NobodyBuilds, RebuildRunning, abandon, begin, make_home, read_registry
from bus.read_store.read_model import ReadModel, definition_of
from chassis.postgres import Connections

TABLES = MetaData()
checkpoint_table(TABLES)
parked_table(TABLES)
Table("copy", TABLES, Column("counter_id", Uuid, primary_key=True), Column("value", BigInteger, nullable=False))
MODEL = ReadModel("copy_1", definition_of(TABLES), ("copy", "checkpoint", "parked"), {"thing": None})  # type: ignore[dict-item] # nothing is projected here
COUNTER = UUID(int=1)


@pytest.fixture
async def home(database: Callable[[], Awaitable[str]]) -> AsyncIterator[Connections]:
    """Make a home and lend connections that look names up there."""
    async with Connections(await database(), size=12, name="home", schema=MODEL.name) as connections:
        await make_home(connections, MODEL)
        yield connections


@asynccontextmanager
async def leased(home: Connections) -> AsyncIterator[Lease]:
    """Hold the lease of the builder."""
    async with home.lent() as connection:
        lease = await Lease.await_turn(connection, "builder", "test")
        try:
            yield lease
        finally:
            await lease.give_up(connection)


async def made(home: Connections, value: int, lane: LaneCheckpoint | None = None) -> int:
    """Make a generation whose copy holds one value."""
    number = await begin(home, MODEL, REBUILD_METHOD_SNAPSHOT, f"value {value}")
    async with leased(home) as lease:
        await create(home, MODEL, number, lease)
    await home.execute(f"INSERT INTO {MODEL.schema(number)}.copy VALUES ($1, $2)", COUNTER, value)  # noqa: S608 - our own words
    if lane is not None:
        await moved(home, number, lane)
    return number


async def moved(home: Connections, number: int, lane: LaneCheckpoint) -> None:
    """Move a generation's checkpoint, as a subscriber does."""
    async with home.transaction() as connection:
        await connection.execute(f"SET LOCAL search_path TO {MODEL.schema(number)}")
        before = await checkpoints.begin(connection, "thing")
        await checkpoints.move(connection, before, replace(before, lanes=(lane,) * LANES))


async def flipped(home: Connections, number: int) -> int:
    """Let a generation answer."""
    async with leased(home) as lease:
        return await flip(home, MODEL, number, lease)


async def shown(home: Connections) -> int:
    """Return the value that readers see."""
    row = await home.fetchrow("SELECT value FROM copy WHERE counter_id = $1", COUNTER)
    assert row is not None
    return int(row["value"])


async def test_a_home_is_made_once_by_however_many_begin_at_once(database: Callable[[], Awaitable[str]]) -> None:
    """The registry and the leases are there afterwards, and nothing answers yet."""
    async with Connections(await database(), size=6, name="home", schema=MODEL.name) as home:
        await asyncio.gather(*(make_home(home, MODEL) for _ in range(6)))
        async with home.lent() as connection:
            registry = await read_registry(connection, MODEL)
        assert (registry.current, registry.building, registry.schemas, registry.stands) == (None, None, [], False)


async def test_one_generation_is_built_at_a_time(home: Connections) -> None:
    """Of those who ask at once one is heard, and the others are told which generation is being built."""
    asked = [begin(home, MODEL, REBUILD_METHOD_SNAPSHOT, "asked") for _ in range(4)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    [number] = [each for each in outcomes if isinstance(each, int)]
    refused = [each for each in outcomes if isinstance(each, RebuildRunning)]
    assert len(refused) == 3
    assert {each.metadata["generation"] for each in refused} == {str(number)}
    async with leased(home) as lease:
        await abandon(home, number, "the test says so", lease)
    assert await begin(home, MODEL, REBUILD_METHOD_SNAPSHOT, "again") == number + 1


async def test_checkpoints_of_two_generations_or_attempts_never_have_equal_versions(home: Connections) -> None:
    """Nor can who still fills an earlier attempt write into the next."""
    number = await made(home, 1)
    [first] = (await read_checkpoints(home, MODEL.schema(number))).values()
    async with leased(home) as lease:
        await create(home, MODEL, number, lease)
    [second] = (await read_checkpoints(home, MODEL.schema(number))).values()
    assert first.version >> 40 == second.version >> 40 == number
    assert first.version != second.version
    async with home.transaction() as connection:
        await connection.execute(f"SET LOCAL search_path TO {MODEL.schema(number)}")
        with pytest.raises(checkpoints.CheckpointMoved):
            await checkpoints.move(connection, first, first)


async def test_no_reader_fails_or_sees_two_generations_at_once_while_one_follows_the_other(home: Connections) -> None:
    """Eight readers, statements alone and snapshots of several statements, during a dozen flips."""
    await flipped(home, await made(home, 0))
    done = asyncio.Event()
    reads: list[int] = []

    async def read_alone() -> None:
        last = 0
        while not done.is_set():
            value = await shown(home)
            assert value >= last
            last = value
            reads.append(value)

    async def read_in_snapshots() -> None:
        while not done.is_set():
            async with home.transaction(readonly=True, snapshot=True) as connection:
                value = await connection.fetchval("SELECT value FROM copy WHERE counter_id = $1", COUNTER)
                version = await connection.fetchval("SELECT version FROM checkpoint")
                assert await connection.fetchval("SELECT value FROM copy") == value
                assert version >> 40 == value + 1  # the first generation holds 0
                reads.append(value)

    async with asyncio.TaskGroup() as group:
        for reader in (read_alone, read_in_snapshots) * 4:
            group.create_task(reader())
        former = 1
        for value in range(1, 13):
            number = await made(home, value)
            assert await flipped(home, number) == former
            assert await shown(home) == value
            async with leased(home) as lease:
                assert await drop(home, MODEL, former, lease)
            former = number
        done.set()
    assert set(reads) >= set(range(1, 12))
    async with home.lent() as connection:
        registry = await read_registry(connection, MODEL)
    assert registry.current is not None
    assert (registry.current.number, registry.schemas, registry.leftovers) == (former, [former], [])


async def test_a_generation_behind_the_current_one_does_not_take_its_place(home: Connections) -> None:
    """It does once it has come as far; what the current one has of a superseded epoch does not count."""
    epoch, event = uuid7(), uuid7()
    await flipped(home, await made(home, 1, LaneCheckpoint(epoch, 7, event)))
    number = await made(home, 2, LaneCheckpoint(epoch, 6, event))
    with pytest.raises(NotFlipped):
        await flipped(home, number)
    assert await shown(home) == 1
    await moved(home, number, LaneCheckpoint(epoch, 7, event))
    await flipped(home, number)
    later = await made(home, 3, LaneCheckpoint(uuid7(), 1, event))
    await flipped(home, later)
    assert await shown(home) == 3
    former = await made(home, 4, LaneCheckpoint(epoch, 99, event))
    with pytest.raises(NotFlipped):
        await flipped(home, former)


async def test_a_row_locked_through_a_view_is_the_current_generations_until_its_command_commits(
    home: Connections,
) -> None:
    """The flip waits for the command; who locks after it locks the new row."""
    await flipped(home, await made(home, 1))
    number = await made(home, 2)
    locked, commit = asyncio.Event(), asyncio.Event()

    async def command() -> None:
        async with home.transaction() as connection:
            assert await connection.fetchval("SELECT value FROM copy FOR SHARE") == 1
            locked.set()
            await commit.wait()
            assert await connection.fetchval("SELECT value FROM copy") == 1

    async with asyncio.TaskGroup() as group:
        group.create_task(command())
        await locked.wait()
        with pytest.raises(NotFlipped):
            await flipped(home, number)
        commit.set()
    await flipped(home, number)
    async with home.transaction() as holder, home.transaction() as writer:
        assert await holder.fetchval("SELECT value FROM copy FOR SHARE") == 2
        await writer.execute("SET LOCAL lock_timeout TO '50ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await writer.execute(f"UPDATE {MODEL.schema(number)}.copy SET value = 3")  # noqa: S608 - our own words
        await holder.execute("SELECT 1")


async def test_who_was_succeeded_as_builder_changes_nothing(home: Connections) -> None:
    """The lease is looked at in the transaction of each change."""
    await flipped(home, await made(home, 1))
    await flipped(home, await made(home, 2))
    number = await made(home, 3)
    async with leased(home) as zombie:
        pass
    async with leased(home):
        for change in (
            flip(home, MODEL, number, zombie),
            create(home, MODEL, number, zombie),
            drop(home, MODEL, 1, zombie),
            abandon(home, number, "the test says so", zombie),
        ):
            with pytest.raises(LeaseLost):
                await change
    assert await shown(home) == 2
    async with home.lent() as connection:
        registry = await read_registry(connection, MODEL)
    assert registry.building is not None
    assert (registry.building.number, registry.schemas) == (number, [1, 2, number])
    row = await home.fetchrow(f"SELECT value FROM {MODEL.schema(number)}.copy")  # noqa: S608 - our own words
    assert row is not None
    assert row["value"] == 3


async def test_what_answers_is_not_made_anew_given_up_or_dropped(home: Connections) -> None:
    """Nor is what was given up shown."""
    current = await made(home, 1)
    await flipped(home, current)
    given_up = await made(home, 2)
    async with leased(home) as lease:
        await abandon(home, given_up, "the test says so", lease)
        for change in (flip(home, MODEL, given_up, lease), create(home, MODEL, current, lease)):
            with pytest.raises(NobodyBuilds):
                await change
        await abandon(home, current, "the test says so", lease)
        assert not await drop(home, MODEL, current, lease)
    assert await shown(home) == 1
    async with home.lent() as connection:
        registry = await read_registry(connection, MODEL)
    assert registry.current is not None
    assert registry.current.number == current
