"""The registry of a read model's generations: which one answers, which one is being built, and what became of others.

It stands in the home, beside the leases and the views. One row is `current` at most, and one `building`: whoever asks
for another meanwhile is refused by a unique index, whichever processes are involved. Who makes a generation, gives it
up, shows it or takes it away holds the builder's lease until that is committed: who was succeeded changes nothing.

Refusal
├── CatalogueBuilding  no generation of this version answers yet; metadata: read_model
└── RebuildRunning     a generation is being built already; metadata: generation
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg
from training.ops.v1.operations_service_pb2 import RebuildMethod, RebuildPhase

from bus.following.checkpoint import GONE
from bus.lease import Lease, LeaseLost
from bus.read_store import generation_table as table
from bus.read_store.read_model import ReadModel, definition_of, generation_of
from chassis.postgres import Connection, Connections
from chassis.refusal import Refusal
from chassis.sql import Executor

CHANNEL: Final = "generations"
"""The channel on which it is told that the registry calls for something."""

_KEPT: Final = 100
"""How many generations the registry remembers."""


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


class NobodyBuilds(Exception):
    """The generation is not being built: it was given up, or answers already."""

    def __init__(self, number: int) -> None:
        super().__init__(f"nobody builds generation {number} any more")


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
    def needed(self) -> set[int]:
        """The generations that answer or are being built."""
        return {each.number for each in (self.current, self.building) if each is not None}

    @property
    def leftovers(self) -> list[int]:
        """The generations whose schemas nobody needs any more."""
        return [number for number in self.schemas if number not in self.needed]


_SCHEMAS: Final = "SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)"
_VIEWS: Final = (
    "SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = $1 AND relkind = 'v' AND relname = ANY($2::text[])"
)


async def alone(connection: Connection, model: ReadModel) -> None:
    """Let no one else change this read model's schemas until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", f"training {model.name}")


async def hold(connection: Connection, lease: Lease) -> None:
    """Keep the lease from being taken until the transaction ends. Raises LeaseLost when another has it."""
    held = "SELECT 1 FROM lease WHERE name = $1 AND term = $2 AND expires_at > clock_timestamp() FOR SHARE"
    if await connection.fetchval(held, lease.name, lease.term) is None:
        raise LeaseLost(lease.name)


async def make_home(connections: Connections, model: ReadModel) -> None:
    """Make the home unless it is there; any number of processes may do it at once."""
    async with connections.transaction() as connection:
        await alone(connection, model)
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
            await alone(connection, model)
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


async def abandon(connections: Connections, number: int, trouble: str, lease: Lease) -> None:
    """Give a generation up that is being built; any other stays what it is.

    Raises LeaseLost when another builds now.
    """
    async with connections.transaction() as connection:
        await hold(connection, lease)
        values = {"of_number": number, "of_state": table.BUILDING, "new_trouble": trouble}
        await table.ABANDON.execute(connection, values)


async def lose(on: Executor, number: int, trouble: str) -> None:
    """Take note that the tables of the current generation are lost: it can't answer ever again.

    Whoever notices says so, at any time: what was lost is not found again, and no other generation is touched.
    """
    values = {"of_number": number, "of_state": table.CURRENT, "new_trouble": trouble}
    await table.ABANDON.execute(on, values)


def gone(error: Exception, model: ReadModel) -> bool:
    """Tell whether an error says that no generation of this read model answers: its views, or its home, are not there.

    PostgreSQL names what it misses in the error's message only, as the statement does: with or without the home.
    """
    if not isinstance(error, GONE):
        return False
    views = "|".join(map(re.escape, (*model.shown, table.GENERATION.name)))
    missed = rf"(?<![\w.])(?:{model.name}|(?:{model.name}\.)?(?:{views}))(?![\w.])"
    return re.search(missed, str(error)) is not None


def _running(number: int) -> RebuildRunning:
    return RebuildRunning("a generation is being built already", {"generation": str(number)})


def _generation(row: asyncpg.Record) -> Generation:
    values = {name: row[name] for name in Generation.__slots__ if name != "phase_seconds"}
    return Generation(**values, phase_seconds=row["phase_time"].total_seconds())
