"""The floor of a command: one point read and one commit of the same bytes into the same kind of tables.

The tables are copies of the service's own, with their indexes, in the schema `floor` of its database; the commit is
one statement, durable. Nothing is parsed, decided or encoded.
"""

import asyncio
import os
from collections.abc import Mapping
from itertools import count, cycle
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID, uuid4

import asyncpg

from bench.floors.serving import Answer, serve

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only

_CONNECTIONS: Final = 8
_LANES: Final = 16

_INTO_LOG: Final = """
lane AS (UPDATE lane SET seq = seq + 1, previous_event_id = event_id, event_id = $1
    WHERE lane = $2 AND (SELECT count(*) FROM done) > 0 RETURNING epoch, seq, previous_event_id),
logged AS (INSERT INTO journal (lane, seq, epoch, event_id, previous_event_id, aggregate_id, revision, type, principal,
    request_id, traceparent, public, private)
    SELECT $2, seq, epoch, $1, previous_event_id, $3, $4, $5, $6, $7, $8, $9, $10 FROM lane),
answered AS (INSERT INTO idempotency (principal, method, request_id, fingerprint, response, epoch, lane, seq)
    SELECT $6, $11, $7, $12, $13, epoch, $2, seq FROM lane)
SELECT seq FROM lane
"""
_INSERT: Final = """
WITH done AS (INSERT INTO {table} ({columns}) VALUES ($3, $4, {values}) RETURNING 1),
"""
_UPDATE: Final = """
WITH done AS (UPDATE {table} SET revision = $4, {settings} WHERE {id} = $3 AND revision = $4 - 1 RETURNING 1),
"""


class _Pool:
    """A few connections, the last returned first out."""

    def __init__(self, connections: list["Connection"]) -> None:
        self._idle = connections
        self._free = asyncio.Semaphore(len(connections))

    async def take(self) -> "Connection":
        await self._free.acquire()
        return self._idle.pop()

    def give_back(self, connection: "Connection") -> None:
        self._idle.append(connection)
        self._free.release()


async def _make(given: Mapping[str, Any]) -> Answer:
    """Make a handler that inserts, or that updates the rows given by id in turn."""
    table, id_column, columns = given["table"], given["id_column"], list(given["columns"])
    places = [f"${number}" for number in range(14, 14 + len(columns))]
    settings = ", ".join(f"{name} = {place}" for name, place in zip(columns, places, strict=True))
    insert = _INSERT.format(table=table, columns=", ".join((id_column, "revision", *columns)), values=", ".join(places))
    update = _UPDATE.format(table=table, settings=settings, id=id_column)
    read = f"SELECT revision, state FROM {table} WHERE {id_column} = $1"  # noqa: S608 - our own words
    connections = [
        await asyncpg.connect(given["dsn"], server_settings={"search_path": "floor", "jit": "off"})
        for _ in range(_CONNECTIONS)
    ]
    pool, chance, commits = _Pool(connections), Random(os.getpid()), count(1)  # noqa: S311 - lanes, not secrets
    known = cycle(map(UUID, given["ids"])) if given["ids"] else None
    statement = (insert if known is None else update) + _INTO_LOG
    row = await _row(connections[0], given)
    fixed = [row[name] for name in ("type", "principal", "traceparent", "public", "private", "method", "response")]
    kind, principal, trace, public, private, method, response = fixed
    rest, fingerprint, lanes = (
        [row[name] for name in columns],
        b"f" * 32,
        [chance.randrange(_LANES) for _ in range(999)],
    )

    async def answer(request: bytes, context: object) -> bytes:
        del request, context
        aggregate = uuid4() if known is None else next(known)
        connection = await pool.take()
        try:
            found = await connection.fetchrow(read, aggregate)
            revision = 1 if found is None else found["revision"] + 1
            lane = lanes[next(commits) % len(lanes)]
            log = (uuid4(), lane, aggregate, revision, kind, principal, uuid4(), trace, public, private)
            await connection.fetchval(statement, *log, method, fingerprint, response, *rest)
        finally:
            pool.give_back(connection)
        return bytes(response)

    return answer


async def _row(connection: "Connection", given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the service wrote for one such command, to be written again and again."""
    row = await connection.fetchrow(
        f"SELECT aggregate.*, journal.type, principal, traceparent, public, private, method, response "  # noqa: S608 - as above
        f"FROM public.journal JOIN public.idempotency USING (principal, request_id, lane, seq) "
        f"JOIN public.{given['table']} AS aggregate ON aggregate.{given['id_column']} = journal.aggregate_id "
        f"WHERE method = $1 ORDER BY journal.recorded_at DESC LIMIT 1",
        given["method"],
    )
    if row is None:
        raise LookupError(f"no command of {given['method']} has been carried out")
    return dict(row)


if __name__ == "__main__":
    serve(_make)
