"""The present public state of everything that a source has published, in chunks that are each a short read.

A long read would keep PostgreSQL from clearing the old versions of the lanes' rows, which every commit writes, and make
all commits slower. So each chunk is a snapshot of its own, with the heads of the lanes in it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, BigInteger, ColumnElement, Select, Uuid, bindparam, func, literal_column, select
from training.ops.v1 import journal_service_pb2 as pb

from bus.commands.commit import AggregateTable
from bus.heads import read_heads
from bus.journal.published import PUBLIC_EVENT, PUBLIC_REVISION, Published
from chassis.postgres import Connections
from chassis.sql import Statement

_MOST_ENTRIES: Final = 500
_MOST_BYTES: Final = 1024**2
"""How large the stored states of one chunk are together, give or take one; what is public of them is less."""
_AT_ONCE: Final = 16
"""How many states are read before others have their turn."""

_AFTER: Final = bindparam("after", type_=Uuid())
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid()))

_Select: TypeAlias = "Select[*tuple[Any, ...]]"


class Snapshots:
    """Reads what is published of one kind of aggregate."""

    def __init__(self, connections: Connections, source: str, aggregate: AggregateTable, published: Published) -> None:
        self._connections = connections
        self._source = source
        self._published = published
        column = aggregate.table.c[aggregate.id_column]
        self._first: Final = Statement(_chunk(aggregate))
        self._next: Final = Statement(_chunk(aggregate, column > _AFTER))
        self._chosen: Final = Statement(_chunk(aggregate, column == func.any(_IDS)))
        self._count: Final = Statement(_count(aggregate))
        self._count_chosen: Final = Statement(_count(aggregate, column == func.any(_IDS)))

    async def count(self, ids: Sequence[UUID] = ()) -> int:
        """Return how many aggregates are published, of these or of all."""
        row = await (
            self._count_chosen.fetchrow(self._connections, {"ids": ids})
            if ids
            else self._count.fetchrow(self._connections)
        )
        return 0 if row is None else row["count"]

    async def chunk(self, after: UUID | None, ids: Sequence[UUID] = ()) -> pb.ExportSnapshotResponse:
        """Return the next entries after an id (None: from the first), of these ids or of all; none if none is left."""
        async with self._connections.transaction(readonly=True, snapshot=True) as connection:
            heads = await read_heads(connection, self._source)
            if ids:
                left = [each for each in ids if after is None or each > after]
                rows = await self._chosen.fetch(connection, {"ids": left})
            elif after is None:
                rows = await self._first.fetch(connection)
            else:
                rows = await self._next.fetch(connection, {"after": after})
        made = pb.ExportSnapshotResponse(heads=heads)
        for begin in range(0, len(rows), _AT_ONCE):
            made.entries.extend(map(self._entry, rows[begin : begin + _AT_ONCE]))
            await asyncio.sleep(0)
        return made

    def _entry(self, row: asyncpg.Record) -> pb.SnapshotEntry:
        return pb.SnapshotEntry(
            aggregate_id=row["id"].bytes,
            revision=row["revision"],
            event_id=row["event_id"].bytes,
            body=self._published.body_of(row["state"], row["revision"]),
        )


def _chunk(aggregate: AggregateTable, *chosen: ColumnElement[bool]) -> _Select:
    """Select the next rows, as many as are small enough together, and the first however large it is."""
    columns = aggregate.table.c
    key, state = columns[aggregate.id_column], columns["state"]
    size = func.octet_length(state)
    rows = (
        select(
            key.label("id"),
            columns[PUBLIC_REVISION].label("revision"),
            columns[PUBLIC_EVENT].label("event_id"),
            state.label("state"),
            (func.sum(size).over(order_by=key, rows=(None, 0)) - size).label("before"),
        )
        .where(columns[PUBLIC_REVISION].is_not(None), *chosen)
        .order_by(key)
        .limit(bindparam("most", _MOST_ENTRIES, type_=BigInteger()))
        .subquery("rows")
    )
    within = rows.c.before < bindparam("bytes", _MOST_BYTES, type_=BigInteger())
    return select(rows.c.id, rows.c.revision, rows.c.event_id, rows.c.state).where(within).order_by(rows.c.id)


def _count(aggregate: AggregateTable, *chosen: ColumnElement[bool]) -> _Select:
    published = aggregate.table.c[PUBLIC_REVISION].is_not(None)
    return select(func.count(literal_column("*")).label("count")).select_from(aggregate.table).where(published, *chosen)
