"""A lease is free at once when its holder's connection is gone, whatever becomes of other leases."""

from collections.abc import Awaitable, Callable

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
