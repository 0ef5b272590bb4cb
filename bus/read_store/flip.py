"""How a generation takes the place of another, so that no query fails and no reader goes back.

The pointer is the views themselves, replaced in one transaction. Queries under way hold the views they read and are
waited for, later ones wait for the transaction and then find the new tables; so does a command that locks rows through
a view. Whoever can't be waited for soon is let through first: the flip is tried again, each time a little more patient.

The views are replaced in the order in which readers come to them. Were it another, a reader could hold one view and
wait for the next, which the flip has, while the flip waits for the first.
"""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Final

import asyncpg

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import Checkpoint, LaneCheckpoint
from bus.lease import Lease
from bus.read_store.generation_table import BUILDING, CURRENT, RETIRED
from bus.read_store.generations import CHANNEL, NobodyBuilds, hold, read_registry
from bus.read_store.read_model import ReadModel
from chassis.postgres import Connection, Connections

_PATIENCE_SECONDS: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
_HELD_SECONDS: Final = 0.3
"""How long the old generation may stand still until the new one has come as far."""
_LOOK_SECONDS: Final = 0.005
_PAUSE_SECONDS: Final = 0.05


class NotFlipped(Exception):
    """The generation could not take the place of the current one yet."""


def covers(new: Mapping[str, Checkpoint], old: Mapping[str, Checkpoint]) -> bool:
    """Tell whether readers of the old generation find all they have seen in the new one.

    What the old one has of an epoch that the new one knows to be superseded does not count.
    """
    return all(
        source in new and all(map(_contains, new[source].lanes, checkpoint.lanes)) for source, checkpoint in old.items()
    )


def _contains(new: LaneCheckpoint, old: LaneCheckpoint) -> bool:
    if old.epoch is None or (new.epoch is None and old.seq == 0):
        return True
    if new.epoch is None or new.epoch < old.epoch:
        return False
    return new.epoch > old.epoch or new.seq >= old.seq


async def read_checkpoints(connection: Connection | Connections, schema: str) -> dict[str, Checkpoint]:
    """Read how far a generation has come."""
    rows = await connection.fetch(f"SELECT * FROM {schema}.checkpoint")  # noqa: S608 - the name of a schema
    return {row["source"]: checkpoints.of_row(row) for row in rows}


async def flip(connections: Connections, model: ReadModel, number: int, lease: Lease) -> int:
    """Let a generation answer from now on; return the one it takes the place of, 0 when there was none.

    Raises NotFlipped when it has not come as far as the current one, or readers could not be waited for; NobodyBuilds
    when it is not being built; LeaseLost when another builds now.
    """
    for patience in _PATIENCE_SECONDS:
        try:
            async with connections.transaction() as connection:
                await connection.execute("SELECT set_config('lock_timeout', $1, true)", f"{round(patience * 1000)}ms")
                await hold(connection, lease)
                former = await _former(connection, model, number)
                await _point(connection, model, number)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return former
    raise NotFlipped("readers could not be waited for")


async def _former(connection: Connection, model: ReadModel, number: int) -> int:
    """Hold the current generation, if there is one, until the new one has come as far; return its number."""
    current = (await read_registry(connection, model)).current
    new = model.schema(number)
    if current is None or model.schema(current.number) == new:
        return 0
    if await connection.fetchval("SELECT to_regclass($1)", f"{model.schema(current.number)}.checkpoint") is None:
        return current.number
    await connection.execute(f"SELECT 1 FROM {model.schema(current.number)}.checkpoint ORDER BY source FOR UPDATE")  # noqa: S608 - the name of a schema
    old = await read_checkpoints(connection, model.schema(current.number))
    until = monotonic() + _HELD_SECONDS
    while not covers(await read_checkpoints(connection, new), old):
        if monotonic() > until:
            raise NotFlipped("it has not come as far as the current generation")
        await asyncio.sleep(_LOOK_SECONDS)
    await connection.execute(f"SELECT 1 FROM {new}.checkpoint ORDER BY source FOR UPDATE")  # noqa: S608 - as above
    if not covers(await read_checkpoints(connection, new), old):
        raise NotFlipped("it went back")
    return current.number


async def _point(connection: Connection, model: ReadModel, number: int) -> None:
    """Point the views at a generation, and say so."""
    for table in model.shown:
        await connection.execute(
            f"CREATE OR REPLACE VIEW {model.name}.{table} AS SELECT * FROM {model.schema(number)}.{table}"  # noqa: S608 - as above
        )
    retire = "UPDATE generation SET state = $1 WHERE state = $2"
    await connection.execute(retire, RETIRED, CURRENT)
    complete = (
        "UPDATE generation SET state = $2, phase = 5, completed_at = clock_timestamp(), done = total, trouble = '' "
        "WHERE number = $1 AND state = $3"
    )
    if await connection.execute(complete, number, CURRENT, BUILDING) != "UPDATE 1":
        raise NobodyBuilds(number)
    for channel in (checkpoints.CHANNEL, CHANNEL):
        await connection.execute("SELECT pg_notify($1, '')", channel)
