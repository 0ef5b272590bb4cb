"""Statements written in SQLAlchemy Core, compiled once, executed by asyncpg.

SQLAlchemy's own asyncio execution costs four to six times the CPU of asyncpg's; its language does not.
"""

from collections.abc import Mapping
from typing import Final, Protocol

import asyncpg
from sqlalchemy.dialects.postgresql import asyncpg as postgresql
from sqlalchemy.sql import ClauseElement

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped
_NOTHING: Final[Mapping[str, object]] = {}


class Executor(Protocol):
    """What executes statements: a connection, or the connections of a database."""

    async def fetch(self, query: str, /, *args: object) -> list[asyncpg.Record]:
        """Return all rows."""
        ...

    async def fetchrow(self, query: str, /, *args: object) -> asyncpg.Record | None:
        """Return the first row."""
        ...

    async def execute(self, query: str, /, *args: object) -> str:
        """Return the status."""
        ...


class Statement:
    """One compiled statement: its `text`, and its `parameters` in order."""

    __slots__ = ("_literals", "parameters", "text")

    def __init__(self, clause: ClauseElement) -> None:
        compiled = clause.compile(dialect=_DIALECT)
        self.text: Final[str] = str(compiled)
        self.parameters: Final[tuple[str, ...]] = tuple(getattr(compiled, "positiontup", None) or ())
        self._literals: Final[Mapping[str, object]] = compiled.params

    async def fetch(self, on: Executor, values: Mapping[str, object] = _NOTHING) -> list[asyncpg.Record]:
        """Execute with these values and return all rows."""
        return await on.fetch(self.text, *self.bind(values))

    async def fetchrow(self, on: Executor, values: Mapping[str, object] = _NOTHING) -> asyncpg.Record | None:
        """Execute with these values and return the first row."""
        return await on.fetchrow(self.text, *self.bind(values))

    async def execute(self, on: Executor, values: Mapping[str, object] = _NOTHING) -> str:
        """Execute with these values and return the status, for example `UPDATE 1`."""
        return await on.execute(self.text, *self.bind(values))

    def bind(self, values: Mapping[str, object]) -> list[object]:
        """Return the arguments in order; a parameter without a value has the literal it was written with.

        Raises KeyError for a value that the statement does not know.
        """
        literals = self._literals
        if not values.keys() <= literals.keys():
            raise KeyError(f"not parameters of the statement: {sorted(values.keys() - literals.keys())}")
        return [values[name] if name in values else literals[name] for name in self.parameters]
