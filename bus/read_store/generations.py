"""The registry of a read model's generations: which one answers, which one is being built, and what became of others.

It stands in the home, beside the leases and the views. One row is `current` at most, and one `building`: whoever asks
for another meanwhile is refused by a unique index, whichever processes are involved.

Refusal
├── CatalogueBuilding  no generation of this version answers yet; metadata: read_model
└── RebuildRunning     a generation is being built already; metadata: generation
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import SystemRandom
from typing import Final

import asyncpg
from training.ops.v1.operations_service_pb2 import RebuildMethod, RebuildPhase

from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import GENERATION_BITS, GONE
from bus.read_store import generation_table as table
from bus.read_store.read_model import ReadModel, definition_of, generation_of
from chassis.postgres import Connection, Connections
from chassis.refusal import Refusal
from chassis.sql import Executor

CHANNEL: Final = "generations"
"""The channel on which it is told that the registry calls for something."""

_KEPT: Final = 100
"""How many generations the registry remembers."""

_chance: Final = SystemRandom()


class CatalogueBuilding(Refusal):
    """The copy is being built for the first time in its present form, or anew after it was lost."""

    reason = "CATALOGUE_BUILDING"

    @classmethod
    def of(cls, name: str) -> "CatalogueBuilding":
        """Say which read model is being built."""
        return cls(f"{name} is being built", {"read_model": name}, retry_after=timedelta(seconds=1))


class RebuildRunning(Refusal):
    """A generation is being built already."""

    reason = "REBUILD_RUNNING"


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as the registry tells it; `phase_seconds` is how long it has been in its phase."""

    number: int
    state: str
    method: "RebuildMethod.ValueType"
    cause: str
    begun_at: datetime
    completed_at: datetime | None
    phase: "RebuildPhase.ValueType"
    phase_seconds: float
    done: int
    total: int
    trouble: str
    builder: str


@dataclass(frozen=True, slots=True)
class Registry:
    """What the registry calls for. `schemas` are all that hold a generation, `stands` whether all views are there."""

    current: Generation | None
    building: Generation | None
    schemas: Sequence[int]
    stands: bool

    @property
    def leftovers(self) -> list[int]:
        """The generations whose schemas nobody needs any more."""
        needed = {each.number for each in (self.current, self.building) if each is not None}
        return [number for number in self.schemas if number not in needed]


_SCHEMAS: Final = "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)"
_VIEWS: Final = (
    "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = $1 AND relkind = 'v' AND relname = ANY($2::text[])"
)


async def _alone(connection: Connection, model: ReadModel) -> None:
    """Let no one else change this read model's schemas until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"training {model.name}")


async def make_home(connections: Connections, model: ReadModel) -> None:
    """Make the home unless it is there; any number of processes may do it at once."""
    async with connections.transaction() as connection:
        await _alone(connection, model)
        if await connection.fetchval("SELECT to_regclass($1)", f"{model.name}.generation") is not None:
            return
        await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {model.name}")
        await connection.execute(f"SET LOCAL search_path TO {model.name}")
        for statement in definition_of(table.HOME):
            await connection.execute(statement)


async def read_registry(connection: Connection, model: ReadModel) -> Registry:
    """Read what the registry calls for."""
    rows = await table.READ.fetch(connection)
    found = {row["state"]: _generation(row) for row in rows}
    names = await connection.fetch(_SCHEMAS, f"{model.name}_g")
    numbers = (generation_of(model.name, row["nspname"]) for row in names)
    views = await connection.fetchval(_VIEWS, model.name, model.shown)
    return Registry(
        found.get(table.CURRENT),
        found.get(table.BUILDING),
        sorted(number for number in numbers if number is not None),
        views == len(model.shown),
    )


async def find(on: Executor, number: int) -> Generation | None:
    """Return one generation; None when there is none of that number."""
    row = await table.FIND.fetchrow(on, {"of_number": number})
    return None if row is None else _generation(row)


async def begin(
    connections: Connections, model: ReadModel, method: "RebuildMethod.ValueType", cause: str, *, after: int = 0
) -> int:
    """Write down that a generation is to be built; return its number, larger than any there was and than `after`.

    Raises RebuildRunning.
    """
    try:
        async with connections.transaction() as connection:
            await _alone(connection, model)
            registry = await read_registry(connection, model)
            if registry.building is not None:
                raise _running(registry.building.number)
            row = await table.LATEST.fetchrow(connection)
            number = max(after, *registry.schemas, 0 if row is None else row["number"]) + 1
            await table.BEGIN.execute(connection, {"number": number, "method": method, "cause": cause})
            await table.FORGET.execute(connection, {"oldest": number - _KEPT})
            await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
    except asyncpg.UniqueViolationError as error:
        raise _running(0) from error
    return number


async def create(connections: Connections, model: ReadModel, number: int) -> None:
    """Make a generation's empty tables, whatever was left of them.

    No two generations, and no two attempts at one, have checkpoints of the same version: so equal versions always mean
    equal contents, and who still fills an earlier attempt can't write into this one.
    """
    await drop(connections, model, number)
    version = (number << GENERATION_BITS) + _chance.getrandbits(GENERATION_BITS - 1)
    async with connections.transaction() as connection:
        await _alone(connection, model)
        await connection.execute(f"CREATE SCHEMA {model.schema(number)}")
        await connection.execute(f"SET LOCAL search_path TO {model.schema(number)}")
        for statement in model.definition:
            await connection.execute(statement)
        for source in model.sources:
            await checkpoints.begin(connection, source)
        await connection.execute("UPDATE checkpoint SET version = $1", version)


async def drop(connections: Connections, model: ReadModel, number: int) -> None:
    """Drop a generation's tables, after waiting a little for those who still read them.

    Raises LockNotAvailableError when that was not enough.
    """
    async with connections.transaction() as connection:
        await _alone(connection, model)
        await connection.execute("SET LOCAL lock_timeout TO '2s'")
        await connection.execute(f"DROP SCHEMA IF EXISTS {model.schema(number)} CASCADE")
        await connection.execute(f"DELETE FROM {model.name}.lease WHERE name LIKE $1", f"projector/%/g{number}")  # noqa: S608 - the name of a schema


async def tell(
    on: Executor,
    number: int,
    builder: str,
    phase: "RebuildPhase.ValueType",
    *,
    done: int = 0,
    total: int = 0,
    trouble: str = "",
) -> None:
    """Write down how the building of a generation gets on."""
    values = {"new_phase": phase, "new_done": done, "new_total": total, "new_trouble": trouble, "new_builder": builder}
    await table.TELL.execute(on, {"of_number": number, **values})


async def abandon(on: Executor, number: int, trouble: str) -> None:
    """Give a generation up."""
    await table.ABANDON.execute(on, {"of_number": number, "new_trouble": trouble})


def gone(error: Exception) -> bool:
    """Tell whether an error says that no generation answers: the views are not there."""
    return isinstance(error, GONE)


def _running(number: int) -> RebuildRunning:
    return RebuildRunning("a generation is being built already", {"generation": str(number)})


def _generation(row: asyncpg.Record) -> Generation:
    values = {name: row[name] for name in Generation.__slots__ if name != "phase_seconds"}
    return Generation(**values, phase_seconds=row["phase_time"].total_seconds())
