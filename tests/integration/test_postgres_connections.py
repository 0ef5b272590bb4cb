"""What is raised when the database is at fault, and when it is not."""

import asyncio

import asyncpg
import pytest

from chassis.embedded import EmbeddedPostgres
from chassis.embedded.ports import LOOPBACK, free_port
from chassis.migrations import migrate
from chassis.postgres import UNAVAILABLE, Connections, Unreachable
from tests.conftest import NewDatabase

SLOW = "SELECT pg_sleep(20)"
_RUNNING = "SELECT pid FROM pg_stat_activity WHERE query = $1 AND state = 'active' AND datname = current_database()"


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    nowhere = f"postgresql://training@{LOOPBACK}:{free_port()}/none"
    async with Connections(nowhere, size=1, name="test") as connections:
        for _ in range(2):
            with pytest.raises(Unreachable):
                await connections.answer()
    with pytest.raises(Unreachable):
        await migrate(nowhere, "offer_svc")


async def test_a_statement_that_takes_too_long_is_the_databases_fault(database: NewDatabase) -> None:
    dsn = await database()
    async with Connections(dsn, size=1, name="test", statement_timeout=0.1) as connections:
        with pytest.raises(Unreachable):
            await connections.execute(SLOW)
    async with Connections(dsn, size=1, name="test", statement_timeout=0.5) as connections:
        with pytest.raises(Unreachable):
            async with connections.transaction() as connection:
                await connection.fetchval(SLOW)


async def test_the_impatience_and_the_errors_of_a_user_stay_its_own(database: NewDatabase) -> None:
    async with Connections(await database(), size=1, name="test") as connections:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1), connections.transaction() as connection:
                await connection.fetch(SLOW)
        with pytest.raises(ConnectionResetError):
            async with connections.transaction():
                raise ConnectionResetError
        assert await connections.answer()


@pytest.mark.parametrize("statement", ["SELECT pg_cancel_backend($1)", "SELECT pg_terminate_backend($1)"])
async def test_an_operators_hand_is_the_databases_fault(statement: str, database: NewDatabase) -> None:
    async with (
        Connections(dsn := await database(), size=1, name="victim") as connections,
        Connections(dsn, size=1, name="operator") as operator,
    ):
        slow = asyncio.ensure_future(connections.fetch(SLOW))
        async with asyncio.timeout(10):
            while (victim := await operator.fetchrow(_RUNNING, SLOW)) is None:
                assert not slow.done()
        await operator.execute(statement, victim["pid"])
        with pytest.raises(UNAVAILABLE):
            await slow
        assert await connections.answer()


async def test_neither_an_error_nor_the_servers_log_tells_what_stands_in_a_row(
    database: NewDatabase, postgres: EmbeddedPostgres
) -> None:
    async with Connections(await database(), size=1, name="test") as connections:
        await connections.execute("CREATE TABLE person (name text PRIMARY KEY)")
        await connections.execute("INSERT INTO person VALUES ($1)", "Secretia Privata")
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await connections.execute("INSERT INTO person VALUES ($1)", "Secretia Privata")
    assert "person_pkey" in str(refused.value)
    assert "Secretia" not in f"{refused.value} {refused.value!r} {refused.value.as_dict()}"
    written = postgres.log.read_text()
    assert "person_pkey" in written
    assert "Secretia" not in written


async def test_refreshed_connections_are_new_ones(database: NewDatabase) -> None:
    async with Connections(await database(), size=2, name="test") as connections:
        async with connections.lent() as kept, connections.lent() as idle:
            in_use, old = kept.get_server_pid(), idle.get_server_pid()
        async with connections.lent() as kept:
            first = kept.get_server_pid()
            await connections.refresh()
            async with connections.lent() as another:
                assert another.get_server_pid() not in {in_use, old}
        assert first in {in_use, old}
        assert await connections.answer()


async def test_nobody_gets_an_old_connection_while_they_are_refreshed(database: NewDatabase) -> None:
    async with Connections(await database(), size=2, name="test") as connections:
        async with connections.lent() as first, connections.lent() as second:
            old = {first.get_server_pid(), second.get_server_pid()}
        refreshing = asyncio.create_task(connections.refresh())
        await asyncio.sleep(0)
        async with connections.lent() as third, connections.lent() as fourth:
            assert old.isdisjoint({third.get_server_pid(), fourth.get_server_pid()})
        await refreshing
        assert await connections.answer()


async def test_who_waits_while_connections_are_refreshed_gets_one(database: NewDatabase) -> None:
    async with Connections(await database(), size=1, name="test") as connections, asyncio.timeout(10):
        assert await connections.answer()
        await asyncio.gather(connections.refresh(), *(connections.answer() for _ in range(3)))
        refreshing = asyncio.create_task(connections.refresh())
        await asyncio.sleep(0)
        refreshing.cancel()
        assert await connections.answer()
        await asyncio.gather(refreshing, return_exceptions=True)


async def test_who_stops_in_a_transaction_loses_it_and_what_it_has_locked(database: NewDatabase) -> None:
    dsn = await database()
    async with (
        Connections(dsn, size=1, name="stopped", idle_timeout=0.2) as stopped,
        Connections(dsn, size=1, name="others") as others,
    ):
        await others.execute("CREATE TABLE lane (seq bigint)")

        async def stop() -> None:
            async with stopped.transaction() as connection:
                await connection.execute("LOCK TABLE lane")
                async with asyncio.timeout(5):
                    await others.execute("INSERT INTO lane VALUES (1)")

        with pytest.raises(UNAVAILABLE):
            await stop()
        assert await stopped.answer()


async def test_a_stopped_or_vanished_client_is_given_up_by_default(database: NewDatabase) -> None:
    async with Connections(await database(), size=1, name="test") as connections:
        for setting, value in {
            "idle_in_transaction_session_timeout": "5s",
            "tcp_keepalives_idle": "15",
            "tcp_keepalives_interval": "5",
            "tcp_keepalives_count": "3",
        }.items():
            found = await connections.fetchrow("SELECT current_setting($1) AS value", setting)
            assert found is not None
            assert found["value"] == value
