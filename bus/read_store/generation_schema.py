"""The schema of one generation: made for who builds it, dropped when nobody needs it."""

from random import SystemRandom
from typing import Final

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import GENERATION_BITS
from bus.lease import Lease
from bus.read_store.generations import NobodyBuilds, alone, hold, read_registry
from bus.read_store.read_model import ReadModel
from chassis.postgres import Connection, Connections

_chance: Final = SystemRandom()


async def create(connections: Connections, model: ReadModel, number: int, lease: Lease) -> None:
    """Make the empty tables of a generation that is being built, whatever was left of them.

    No two generations, and no two attempts at one, have checkpoints of the same version: so equal versions always mean
    equal contents, and who still fills an earlier attempt can't write into this one.

    Raises NobodyBuilds, LeaseLost when another builds now, and what `drop` raises.
    """
    version = (number << GENERATION_BITS) + _chance.getrandbits(GENERATION_BITS - 1)
    async with connections.transaction() as connection:
        await hold(connection, lease)
        await alone(connection, model)
        building = (await read_registry(connection, model)).building
        if building is None or building.number != number:
            raise NobodyBuilds(number)
        await _drop(connection, model, number)
        await connection.execute(f"CREATE SCHEMA {model.schema(number)}")
        await connection.execute(f"SET LOCAL search_path TO {model.schema(number)}")
        for statement in model.definition:
            await connection.execute(statement)
        for source in model.sources:
            await checkpoints.begin(connection, source)
        await connection.execute("UPDATE checkpoint SET version = $1", version)


async def drop(connections: Connections, model: ReadModel, number: int, lease: Lease) -> bool:
    """Drop a generation's tables, after waiting a little for those who still read them; tell whether nobody needs them.

    One that answers or is being built stays. Raises LockNotAvailableError when the wait was not enough, LeaseLost when
    another sweeps now.
    """
    async with connections.transaction() as connection:
        await hold(connection, lease)
        await alone(connection, model)
        if number in (await read_registry(connection, model)).needed:
            return False
        await _drop(connection, model, number)
        return True


async def _drop(connection: Connection, model: ReadModel, number: int) -> None:
    await connection.execute("SET LOCAL lock_timeout TO '2s'")
    await connection.execute(f"DROP SCHEMA IF EXISTS {model.schema(number)} CASCADE")
    await connection.execute(f"DELETE FROM {model.name}.lease WHERE name LIKE $1", f"projector/%/g{number}")  # noqa: S608 - the name of a schema
