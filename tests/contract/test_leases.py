"""A lease is free at once when its holder's connection is gone, and never before it expires while the holder lives."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg

from bus.lease import Lease
from bus.read_store.generations import make_home
from chassis.postgres import Connections
from tests.contract.line import until
from tests.contract.stores import MODEL


async def test_a_lease_whose_holder_is_gone_is_free_at_once_though_another_lease_is_held(
    database: Callable[[], Awaitable[str]],
) -> None:
    async with Connections(await database(), size=4, name="leases", schema=MODEL.name) as connections:
        await make_home(connections, MODEL)
        async with connections.lent() as lasting, connections.lent() as next_one:
            assert await Lease.take(lasting, "other", "lasting", ttl=3600.0) is not None
            async with connections.lent() as killed:
                first = await Lease.take(killed, "wanted", "killed", ttl=3600.0)
                assert first is not None
                assert await Lease.take(next_one, "wanted", "next", ttl=3600.0) is None
                killed.terminate()

            async def taken() -> bool:
                lease = await Lease.take(next_one, "wanted", "next", ttl=3600.0)
                return lease is not None and lease.term == first.term + 1

            await until(taken)
            assert await Lease.take(next_one, "other", "next", ttl=3600.0) is None


async def test_a_holder_that_connects_as_another_role_is_alive(database: Callable[[], Awaitable[str]]) -> None:
    """The server does not tell a role since when another's sessions are."""
    dsn = await database()
    roles = [f"role_{uuid4().hex[:12]}" for _ in range(2)]
    async with Connections(dsn, size=1, name="leases", schema=MODEL.name) as connections:
        await make_home(connections, MODEL)
        for role in roles:
            await connections.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'x'")
            await connections.execute(f"GRANT USAGE ON SCHEMA {MODEL.name} TO {role}")
            await connections.execute(f"GRANT SELECT, INSERT, UPDATE ON {MODEL.name}.lease TO {role}")
        settings = {"search_path": MODEL.name}
        one, other = [
            await asyncpg.connect(dsn, user=role, password="x", timeout=10, server_settings=settings) for role in roles
        ]
        try:
            assert await Lease.take(one, "wanted", "one", ttl=3600.0) is not None
            assert await Lease.take(other, "wanted", "other", ttl=3600.0) is None
        finally:
            await one.close()
            await other.close()
            for role in roles:
                await connections.execute(f"DROP OWNED BY {role}")
                await connections.execute(f"DROP ROLE {role}")
