"""A read store of a line's counters, in generations, as a process keeps it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import MetaData

from bus.read_store.read_model import ReadModel, definition_of
from bus.read_store.read_store import ReadStore
from chassis.postgres import Connections
from tests.contract.line import COPIES, CopyProjection, Line, running

TABLES = MetaData()
for table in COPIES.sorted_tables:
    if table.name != "lease":  # the leases stand in the home
        table.to_metadata(TABLES)
MODEL = ReadModel("copy_1", definition_of(TABLES), ("copy", "checkpoint", "parked"), {"thing": CopyProjection()})


def make_store(line: Line, dsn: str, instance: str = "one", model: ReadModel = MODEL) -> ReadStore:
    """Make one process's part in a read store."""
    journals = {line.source.name: line.journal}
    return ReadStore(dsn, model, line.broker, [line.source], journals, owner="test", instance=instance)


@asynccontextmanager
async def running_store(line: Line, dsn: str, instance: str = "one") -> AsyncIterator[ReadStore]:
    """Run one process's part in a read store."""
    store = make_store(line, dsn, instance)
    async with running(store.run()):
        yield store


class Reader:
    """Reads what a read store shows, whichever generation is current."""

    def __init__(self, home: Connections) -> None:
        self._home = home

    async def copied(self) -> dict[UUID, int]:
        """Return the copy."""
        return {row["counter_id"]: row["value"] for row in await self._home.fetch("SELECT * FROM copy")}

    async def states(self) -> list[tuple[int, str]]:
        """Return the generations and their states."""
        rows = await self._home.fetch("SELECT number, state FROM generation ORDER BY number")
        return [(row["number"], row["state"]) for row in rows]

    async def schemas(self) -> list[str]:
        """Return the schemas of all generations that are there."""
        rows = await self._home.fetch(
            "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'copy@_1@_g%' ESCAPE '@'"
        )
        return sorted(row["nspname"] for row in rows)
