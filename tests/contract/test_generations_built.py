"""Building generations of a real source: from its snapshot or its events, under writes, faults and other builders."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from random import Random
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
from training.ops.v1.operations_service_pb2 import (
    REBUILD_METHOD_REPLAY,
    REBUILD_METHOD_SNAPSHOT,
    REBUILD_PHASE_ABANDONED,
    REBUILD_PHASE_COMPLETE,
)

from bus.following.checkpoint import GONE
from bus.read_store.generations import RebuildRunning
from bus.read_store.read_store import ReadStore
from chassis.postgres import Connections
from tests.contract.line import POISON, Line, running, some_ids, until
from tests.contract.places import Place
from tests.contract.stores import MODEL, Reader, make_store, running_store


@pytest.fixture
async def dsn(database: Callable[[], Awaitable[str]]) -> str:
    """Lend the database of the read store."""
    return await database()


@pytest.fixture
async def home(dsn: str) -> AsyncIterator[Connections]:
    """Lend connections of readers."""
    async with Connections(dsn, size=10, name="readers", schema=MODEL.name) as connections:
        yield connections


async def answers(store: ReadStore, number: int) -> None:
    """Wait until a generation answers."""

    async def current() -> bool:
        return store.generation == number

    await until(current)


async def equal(line: Line, home: Connections) -> None:
    """Wait until the copy is the truth."""

    async def equals() -> bool:
        return await Reader(home).copied() == await line.values()

    await until(equals)


async def test_the_first_generation_is_made_of_the_snapshot_and_what_came_since(
    line: Line, dsn: str, home: Connections
) -> None:
    counters, done = some_ids(40), asyncio.Event()
    for counter in counters:
        await line.raise_to(counter)

    async def write() -> None:
        chance = Random(3)  # noqa: S311 - choices, not secrets
        while not done.is_set():
            await line.raise_to(chance.choice(counters))

    async with running(line.relay().run()), asyncio.TaskGroup() as group:
        group.create_task(write())
        async with running_store(line, dsn) as store:
            await answers(store, 1)
            done.set()
            await equal(line, home)
    assert await Reader(home).states() == [(1, "current")]


async def test_readers_find_every_counter_at_no_less_than_before_while_generations_follow_each_other(
    line: Line, dsn: str, home: Connections
) -> None:
    counters, done = some_ids(30), asyncio.Event()
    for counter in counters:
        await line.raise_to(counter)
    reads = 0

    async def write() -> None:
        chance = Random(5)  # noqa: S311 - choices, not secrets
        while not done.is_set():
            await line.raise_to(chance.choice(counters))

    async def read() -> None:
        nonlocal reads
        last: dict[UUID, int] = {}
        while not done.is_set():
            found = await Reader(home).copied()
            assert found.keys() == set(counters)
            assert all(found[counter] >= value for counter, value in last.items())
            last = found
            reads += 1

    async with running(line.relay().run()), running_store(line, dsn) as store:
        await answers(store, 1)
        async with asyncio.TaskGroup() as group:
            for work in (write, write, read, read, read, read):
                group.create_task(work())
            for number in (2, 3):
                assert await store.rebuild(REBUILD_METHOD_SNAPSHOT, "asked for") == number
                await answers(store, number)
            done.set()
        await equal(line, home)

        async def alone() -> bool:
            return await Reader(home).schemas() == ["copy_1_g3"]

        await until(alone)
        session = await line.broker.session()
        names = [info.name for info in await session.jetstream.consumers_info(line.source.stream)]
        assert names == ["test-copy_1-g3-thing"]
    assert reads > 10
    assert await Reader(home).states() == [(1, "retired"), (2, "retired"), (3, "current")]


async def test_a_replay_makes_the_same_of_every_event(line: Line, dsn: str, home: Connections) -> None:
    counters = some_ids(20)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for counter in [*counters, *counters[:7]]:
            await line.raise_to(counter)
        async with line.commands.lent() as connection:
            await line.epochs.begin(connection, "the test says so")
        await line.raise_to(counters[0])
        await answers(store, 1)
        assert await store.rebuild(REBUILD_METHOD_REPLAY, "from the first event") == 2
        await answers(store, 2)
        await equal(line, home)
        progress = await store.progress(2)
        assert progress is not None
        assert (progress.phase, progress.cause, progress.trouble) == (
            REBUILD_PHASE_COMPLETE,
            "from the first event",
            "",
        )


async def test_a_replay_of_a_trimmed_journal_is_refused_and_the_current_generation_stays(
    line: Line, dsn: str, home: Connections
) -> None:
    [counter] = some_ids(1)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for _ in range(3):
            await line.raise_to(counter)
        await answers(store, 1)
        await until(line.published)
        await line.commands.execute("DELETE FROM journal WHERE seq = 1")
        number = await store.rebuild(REBUILD_METHOD_REPLAY, "from the first event")
        assert "begins with seq 2" in await given_up(store, number)
        assert store.generation == 1
        await line.raise_to(counter)
        await equal(line, home)


async def given_up(store: ReadStore, number: int) -> str:
    """Wait until a generation is given up; return why."""
    told = ""

    async def abandoned() -> bool:
        nonlocal told
        progress = await store.progress(number)
        told = "" if progress is None else progress.trouble
        return progress is not None and progress.phase == REBUILD_PHASE_ABANDONED

    await until(abandoned)
    return told


async def test_a_replay_after_a_restore_leaves_out_what_was_forgotten(
    line: Line, dsn: str, home: Connections, place: Place
) -> None:
    """The stream still has it."""
    counters = some_ids(30)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for counter in counters:
            await line.raise_to(counter)
        await answers(store, 1)
        backup = await place.back_up()
        for counter in counters[:10]:
            await line.raise_to(counter)
        await equal(line, home)
        await place.restore(backup)
        await line.raise_to(counters[20])
        await answers(store, 2)
        assert await store.rebuild(REBUILD_METHOD_REPLAY, "from the first event") == 3
        await answers(store, 3)
        await equal(line, home)
        await line.raise_to(counters[5])
        await equal(line, home)
        await place.drop(backup)


async def test_a_replay_that_fails_twice_for_the_same_cause_is_given_up(line: Line, dsn: str) -> None:
    """Another rebuild can be asked for then."""
    [counter] = some_ids(1)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for _ in range(3):
            await line.raise_to(counter)
        await answers(store, 1)
        await until(line.published)
        await line.commands.execute("DELETE FROM journal WHERE seq = 2")
        number = await store.rebuild(REBUILD_METHOD_REPLAY, "from the first event")
        assert "twice" in await given_up(store, number)
        number = await store.rebuild(REBUILD_METHOD_SNAPSHOT, "from the present states")
        await answers(store, number)


async def test_what_is_filled_can_be_asked_for_while_generations_follow_each_other(line: Line, dsn: str) -> None:
    """The new one is filled before the old one is left."""
    async with running(line.relay().run()), running_store(line, dsn) as store:
        await line.raise_to(some_ids(1)[0])
        await answers(store, 1)

        async def ask() -> None:
            while True:
                assert store.projecting is not None
                await asyncio.sleep(0)

        asking = asyncio.create_task(ask())
        number = await store.rebuild(REBUILD_METHOD_SNAPSHOT, "asked for")
        await answers(store, number)
        assert not asking.done()
        asking.cancel()


async def test_an_epoch_begun_while_a_snapshot_is_taken_makes_it_begin_again(
    line: Line, dsn: str, home: Connections, place: Place
) -> None:
    """The database is restored from a backup while generations are built: what was forgotten is shown by none."""
    counters = some_ids(30)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for counter in counters:
            await line.raise_to(counter)
        await answers(store, 1)
        await equal(line, home)
        backup = await place.back_up()
        for counter in counters[:10]:
            await line.raise_to(counter)
        await equal(line, home)
        await store.rebuild(REBUILD_METHOD_SNAPSHOT, "asked for")
        await place.restore(backup)

        async def written() -> bool:
            with suppress(Exception):
                await line.raise_to(counters[20])
                return True
            return False

        await until(written)
        await equal(line, home)
        await place.drop(backup)


async def test_a_copy_that_is_ahead_of_a_restored_source_is_made_anew_by_itself(
    line: Line, dsn: str, home: Connections, place: Place
) -> None:
    counters = some_ids(30)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for counter in counters:
            await line.raise_to(counter)
        await answers(store, 1)
        backup = await place.back_up()
        for counter in counters[:10]:
            await line.raise_to(counter)
        await equal(line, home)
        await place.restore(backup)
        await line.raise_to(counters[20])
        await answers(store, 2)
        await equal(line, home)
        status = await store.status()
        assert status.generation == 2
        assert "epoch" in status.cause
        await place.drop(backup)


async def test_who_stands_by_takes_over_from_a_builder_that_dies(line: Line, dsn: str, home: Connections) -> None:
    """The generation keeps its number, and whatever the first had made of it is gone."""
    for counter in some_ids(10):
        await line.raise_to(counter)  # nothing relays: no stream, so the first builder waits for one

    async def begun() -> bool:
        with suppress(*GONE):
            return await Reader(home).schemas() == ["copy_1_g1"]
        return False

    async with running_store(line, dsn, "second") as second:
        async with running_store(line, dsn, "first"):
            await until(begun)
            row = await home.fetchrow("SELECT builder FROM generation")
            assert row is not None
        async with running(line.relay().run()):
            await answers(second, 1)
            await equal(line, home)
    assert await Reader(home).states() == [(1, "current")]


async def test_a_second_rebuild_is_refused_while_one_runs(line: Line, dsn: str) -> None:
    async with (
        running_store(line, dsn) as first,
        running_store(line, dsn, "second") as second,
        running(line.relay().run()),
    ):
        await answers(first, 1)
        await answers(second, 1)
        number = await second.rebuild(REBUILD_METHOD_SNAPSHOT, "once")
        with pytest.raises(RebuildRunning) as refused:
            await first.rebuild(REBUILD_METHOD_SNAPSHOT, "twice")
        assert refused.value.metadata == {"generation": str(number)}
        await answers(first, number)
        await answers(second, number)


async def test_a_read_store_that_is_dropped_is_made_anew_by_itself(line: Line, dsn: str, home: Connections) -> None:
    async with running(line.relay().run()), running_store(line, dsn) as store:
        for counter in some_ids(10):
            await line.raise_to(counter)
        await answers(store, 1)
        await equal(line, home)
        await home.execute("DROP SCHEMA copy_1 CASCADE")
        await answers(store, 2)
        await equal(line, home)
        await home.execute("DROP SCHEMA copy_1_g2 CASCADE")
        await answers(store, 3)
        await equal(line, home)
        assert await Reader(home).states() == [(2, "abandoned"), (3, "current")]


async def test_a_state_that_can_not_be_applied_is_parked_in_the_new_generation_too(
    line: Line, dsn: str, home: Connections
) -> None:
    [poisoned, healthy] = some_ids(2)
    async with running(line.relay().run()), running_store(line, dsn) as store:
        await line.raise_to(healthy)
        await line.raise_to(poisoned, body=POISON)
        await answers(store, 1)
        await store.rebuild(REBUILD_METHOD_SNAPSHOT, "asked for")
        await answers(store, 2)

        async def parked() -> bool:
            rows = await home.fetch("SELECT aggregate_id FROM parked WHERE state = 'open'")
            return {row["aggregate_id"] for row in rows} == {poisoned}

        await until(parked)
        await line.raise_to(poisoned)
        await equal(line, home)


async def test_an_old_version_goes_when_nobody_has_used_it_for_a_day(line: Line, dsn: str, home: Connections) -> None:
    async with running(line.relay().run()):
        async with running_store(line, dsn) as store:
            await answers(store, 1)
        await home.execute(
            "CREATE SCHEMA copy_0; CREATE SCHEMA other_1; CREATE TABLE other_1.lease (LIKE copy_1.lease INCLUDING ALL)"
        )

        async def named() -> set[str]:
            rows = await home.fetch("SELECT nspname::text FROM pg_namespace WHERE nspname ~ '_[0-9]'")
            return {row["nspname"] for row in rows}

        newer = replace(MODEL, name="copy_2")
        async with running((young := make_store(line, dsn, "newer", newer)).run()):
            await answers(young, 1)
        assert {"copy_1", "copy_1_g1", "copy_2", "copy_2_g1", "other_1"} <= await named()
        await home.execute("UPDATE copy_1.lease SET renewed_at = renewed_at - interval '25 hours'")
        async with running((young := make_store(line, dsn, "newer", newer)).run()):
            await answers(young, 1)

            async def swept() -> bool:
                return not {"copy_1", "copy_1_g1"} & await named()

            await until(swept)
        assert {"copy_0", "copy_2", "copy_2_g1", "other_1"} <= await named()


async def test_old_versions_are_swept_by_a_role_that_owns_nothing_but_its_database(
    line: Line, dsn: str, home: Connections
) -> None:
    """It may not look into every schema that there is."""
    parts = urlsplit(dsn)
    role, name = f"owner_{uuid4().hex}", parts.path.removeprefix("/")
    await home.execute("CREATE SCHEMA copy_1; CREATE TABLE copy_1.lease (renewed_at timestamptz)")
    await home.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'known'")
    await home.execute(f'ALTER DATABASE "{name}" OWNER TO {role}; ALTER SCHEMA copy_1 OWNER TO {role}')
    await home.execute(f"ALTER TABLE copy_1.lease OWNER TO {role}")
    plain = parts._replace(netloc=f"{role}:known@{parts.hostname}:{parts.port}").geturl()

    async def swept() -> bool:
        return await home.fetchrow("SELECT FROM pg_namespace WHERE nspname = 'copy_1'") is None

    try:
        store = make_store(line, plain, model=replace(MODEL, name="copy_2"))
        async with running(line.relay().run(), store.run()):
            await answers(store, 1)
            await until(swept)
    finally:
        await home.execute(f"REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}")
