"""Digests of what a source has published: few bytes by which a copy is compared with it, range by range of ids."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
)
from training.ops.v1 import journal_service_pb2 as pb

from bus.commands.commit import AggregateTable
from bus.digest import as_told, digest_of
from bus.heads import read_heads
from bus.journal.published import PUBLIC_EVENT, PUBLIC_REVISION
from chassis.postgres import Connections
from chassis.sql import Statement

LAST_ID: Final = UUID(int=2**128 - 1)
"""The greatest possible id."""

_AFTER: Final = bindparam("after", type_=Uuid())
_UP_TO: Final = bindparam("up_to", type_=Uuid())
_MOST: Final = bindparam("most", type_=BigInteger())
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid()))

_Select: TypeAlias = "Select[*tuple[Any, ...]]"


class Digests:
    """Computes digests of what is published of one kind of aggregate; each range is read in a snapshot of its own."""

    def __init__(self, connections: Connections, source: str, aggregate: AggregateTable) -> None:
        self._connections = connections
        self._source = source
        self._ranges: Final = {begun: _Range(_from_here(aggregate, begun=begun)) for begun in (False, True)}
        self._chosen: Final = _Range(_published(aggregate).where(_id(aggregate) == func.any(_IDS)))

    async def range(self, after: UUID | None, up_to: UUID, most: int, *, with_entries: bool) -> pb.GetDigestsResponse:
        """Return the digest of the first ids after one (None: from the first), at most so many.

        The range ends with the last of them, or with `up_to` if there are no more.
        """
        values: dict[str, object] = {"up_to": up_to, "most": most}
        if after is not None:
            values["after"] = after
        made = await self._read(self._ranges[after is not None], values, with_entries=with_entries)
        made.after_id = b"" if after is None else after.bytes
        if made.count < most:
            made.up_to_id = up_to.bytes
        return made

    async def of(self, ids: Sequence[UUID]) -> pb.GetDigestsResponse:
        """Return the digest of these aggregates, those that are published, and list them."""
        made = await self._read(self._chosen, {"ids": ids}, with_entries=True)
        made.up_to_id = LAST_ID.bytes
        return made

    async def _read(self, chosen: "_Range", values: dict[str, object], *, with_entries: bool) -> pb.GetDigestsResponse:
        async with self._connections.transaction(readonly=True, snapshot=True) as connection:
            heads = await read_heads(connection, self._source)
            digest = await chosen.digest.fetchrow(connection, values)
            rows = await chosen.entries.fetch(connection, values) if with_entries else []
        if digest is None:
            raise LookupError("an aggregation that always has a row returned none")
        return pb.GetDigestsResponse(
            up_to_id=b"" if digest["last"] is None else digest["last"].bytes,
            count=digest["count"],
            digest=as_told(digest["digest"]),
            heads=heads,
            entries=map(_entry, rows),
        )


class _Range:
    """The statements on some of the published aggregates."""

    def __init__(self, query: _Select) -> None:
        self.digest: Final = Statement(_digest(query.subquery("chosen")))
        self.entries: Final = Statement(query)


def _id(aggregate: AggregateTable) -> ColumnElement[UUID]:
    return aggregate.table.c[aggregate.id_column]


def _published(aggregate: AggregateTable) -> _Select:
    columns = aggregate.table.c
    revision, event_id = columns[PUBLIC_REVISION], columns[PUBLIC_EVENT]
    query = select(_id(aggregate).label("id"), revision.label("revision"), event_id.label("event_id"))
    return query.where(revision.is_not(None)).order_by(_id(aggregate))


def _from_here(aggregate: AggregateTable, *, begun: bool) -> _Select:
    """Select a range; unless it has begun, from the first id, which may be the least there is."""
    query = _published(aggregate).where(_id(aggregate) <= _UP_TO).limit(_MOST)
    return query.where(_id(aggregate) > _AFTER) if begun else query


def _digest(rows: Subquery) -> _Select:
    """Combine rows that are in order of ids."""
    ids = func.array_agg(rows.c.id)
    return select(
        func.count().label("count"),
        digest_of(rows).label("digest"),
        ids[func.array_length(ids, literal_column("1"))].label("last"),
    ).select_from(rows)


def _entry(row: asyncpg.Record) -> pb.DigestEntry:
    return pb.DigestEntry(aggregate_id=row["id"].bytes, revision=row["revision"], event_id=row["event_id"].bytes)
