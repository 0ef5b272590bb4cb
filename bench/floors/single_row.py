"""The floor of a hot offer: one row, updated by one statement that commits by itself, as fast as its lock allows."""

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only


async def prepare_row(connection: "Connection") -> None:
    """Make the row, with a counter and nothing else."""
    await connection.execute("CREATE TABLE single_row (id int PRIMARY KEY, taken bigint NOT NULL)")
    await connection.execute("ALTER TABLE single_row SET (fillfactor = 10)")
    await connection.execute("INSERT INTO single_row VALUES (1, 0)")


async def update_row(dsn: str, connections: int, seconds: float) -> float:
    """Update the row on so many connections at once; return commits a second."""
    opened = [await asyncpg.connect(dsn) for _ in range(connections)]
    try:
        ends = perf_counter() + seconds
        begun = perf_counter()
        counts = await asyncio.gather(*(_update(connection, ends) for connection in opened))
        return sum(counts) / (perf_counter() - begun)
    finally:
        for connection in opened:
            await connection.close()


async def _update(connection: "Connection", ends: float) -> int:
    statement = await connection.prepare("UPDATE single_row SET taken = taken + 1 WHERE id = 1 RETURNING taken")
    count = 0
    while perf_counter() < ends:
        await statement.fetchval()
        count += 1
    return count
