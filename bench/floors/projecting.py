"""The floor of a projection: fetch(500), `unnest` upserts of ready rows into the same tables, acknowledgement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from bench.floors.streams import BATCH, new_durable
from bench.ground import Ground
from chassis.process import collect_seldom

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only

_DURABLE: Final = "floor_projecting"


@dataclass(frozen=True, slots=True)
class Copied:
    """A table of the read model: its key, the rows to write again, and how many there are to an event."""

    table: str
    key: Sequence[str]
    rows: Sequence[asyncpg.Record]
    types: Mapping[str, str]

    def statement(self) -> str:
        """Return the upsert of many rows."""
        names = list(self.types)
        # An array of arrays of different lengths can't be sent as one parameter: each travels as a text.
        sent = ["text" if kind == "text[]" else kind for kind in self.types.values()]
        given = [f"${number}::{kind}[]" for number, kind in enumerate(sent, 1)]
        chosen = [f"string_to_array({name}, ',')" if self.types[name] == "text[]" else name for name in names]
        kept = ", ".join(f"{name} = excluded.{name}" for name in names if name not in self.key)
        return (
            f"INSERT INTO {self.table} ({', '.join(names)}) SELECT {', '.join(chosen)} "  # noqa: S608 - our own words
            f"FROM unnest({', '.join(given)}) AS given ({', '.join(names)}) "
            f"ON CONFLICT ({', '.join(self.key)}) DO UPDATE SET {kept}"
        )

    def batch(self, at: int, count: int) -> list[list[Any]]:
        """Return the columns of some rows."""
        rows = self.rows[at : at + count]
        return [
            [",".join(row[name]) if kind == "text[]" else row[name] for row in rows]
            for name, kind in self.types.items()
        ]


class Projecting:
    """Writes what the catalogue wrote of a source's first events, by hand."""

    def __init__(self, connection: "Connection", tables: Sequence[Copied]) -> None:
        self._connection = connection
        self._tables = tables

    async def run(self, ground: Ground, stream: str, events: int) -> float:
        """Project so many events into emptied tables; return events a second."""
        await self._connection.execute("; ".join(f"TRUNCATE {table.table}" for table in self._tables))
        batches = [
            [(table.statement(), table.batch(at, BATCH)) for table in self._tables] for at in range(0, events, BATCH)
        ]
        jetstream = await ground.jetstream()
        await new_durable(jetstream, stream, _DURABLE)
        subscription = await jetstream.pull_subscribe_bind(_DURABLE, stream)
        collect_seldom()  # as the services do
        done, pending, begun = 0, iter(batches), perf_counter()
        while done < events:
            messages = await subscription.fetch(BATCH, timeout=10)
            async with self._connection.transaction():
                for statement, columns in next(pending, batches[-1]):
                    await self._connection.execute(statement, *columns)
            await messages[-1].ack()
            done += len(messages)
        rate = done / (perf_counter() - begun)
        await subscription.unsubscribe()
        return rate


async def open_projecting(
    connection: "Connection", read_model: str, keys: Mapping[str, Sequence[str]], events: int
) -> Projecting:
    """Copy tables with their indexes, and take the rows that the catalogue made of so many events."""
    tables = []
    for name, key in keys.items():
        await connection.execute(f"CREATE TABLE projecting.{name} (LIKE {read_model}.{name} INCLUDING ALL)")
        if name == "offer":
            await connection.execute("ALTER TABLE projecting.offer SET (fillfactor = 85)")
        rows = await connection.fetch(f"SELECT * FROM {read_model}.{name} ORDER BY random() LIMIT $1", events)  # noqa: S608 - as above
        columns = await connection.fetch(
            "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
            "WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
            f"{read_model}.{name}",
        )
        tables.append(Copied(f"projecting.{name}", key, rows, {row["attname"]: row["type"] for row in columns}))
    return Projecting(connection, tables)
