"""The floor of a rebuild: COPY of the same rows into the same tables with the same indexes."""

import io
from collections.abc import Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Final

import asyncpg

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only

_SCHEMA: Final = "copying"


async def copy_tables(connection: "Connection", schema: str, tables: Sequence[str]) -> float:
    """Copy the rows of tables into empty ones like them; return the seconds that writing them took."""
    await connection.execute(f"CREATE SCHEMA {_SCHEMA}")
    spent = 0.0
    for name in tables:
        rows = io.BytesIO()
        await connection.copy_from_table(name, schema_name=schema, output=rows, format="binary")
        await connection.execute(f"CREATE TABLE {_SCHEMA}.{name} (LIKE {schema}.{name} INCLUDING ALL)")
        rows.seek(0)
        begun = perf_counter()
        await connection.copy_to_table(name, schema_name=_SCHEMA, source=rows, format="binary")
        spent += perf_counter() - begun
    await connection.execute(f"DROP SCHEMA {_SCHEMA} CASCADE")
    return spent
