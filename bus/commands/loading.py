"""What the command path reads before it decides: the aggregate and the stored response of the request, at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Subquery,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
    true,
)

from bus.commands.commit import AggregateTable
from bus.commands.handling import CommandCall
from bus.journal.tables import JOURNAL
from chassis.postgres import Connection
from chassis.sql import Statement

RequestKey = tuple[str, str, UUID]
"""By what a request is known when it is repeated: principal, method, request id."""


_REQUEST: Final = (
    bindparam("principal", type_=Text()),
    bindparam("method", type_=Text()),
    bindparam("request_id", type_=Uuid()),
)


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """The outcome of a request carried out before."""

    fingerprint: bytes
    response: bytes
    epoch: UUID
    lane: int
    seq: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """An aggregate as it stands, or as it does not exist yet; `now` is the database's time."""

    now: datetime
    revision: int
    state: bytes | None
    stored: StoredResponse | None


class Loading:
    """The reads of the command path on one kind of aggregate, compiled."""

    def __init__(self, aggregate: AggregateTable) -> None:
        self._plain: Final = Statement(_load(aggregate))
        self._batch: Final = Statement(_load_for_many(aggregate))
        self._stored: Final = Statement(_response(*_REQUEST))
        self._locking: Final = Statement(_lock(aggregate))
        lane = JOURNAL.lane
        self.lane_head: Final = Statement(
            select(lane.c.epoch, lane.c.seq).where(lane.c.lane == bindparam("lane", type_=lane.c.lane.type))
        )

    async def load(self, connection: Connection, aggregate_id: UUID, call: CommandCall, *, locked: bool) -> Loaded:
        """Read in one snapshot; `locked` takes the aggregate's row first, so that nobody is faster again."""
        if locked:
            await self._locking.fetchrow(connection, {"aggregate_id": aggregate_id})
        row = await self._plain.fetchrow(connection, {"aggregate_id": aggregate_id, **_asked(call)})
        if row is None:
            raise LookupError("a query without FROM returned no row")
        stored = None if row["seq"] is None else _stored_in(row)
        return Loaded(row["now"], row["revision"] or 0, row["state"], stored)

    async def load_for(
        self, connection: Connection, aggregate_id: UUID, requests: Sequence[RequestKey], *, locked: bool
    ) -> tuple[Loaded, Mapping[RequestKey, StoredResponse]]:
        """Read for several commands in one snapshot, with the stored responses of those requests that have one."""
        if locked:
            await self._locking.fetchrow(connection, {"aggregate_id": aggregate_id})
        rows = await self._batch.fetch(
            connection,
            {
                "aggregate_id": aggregate_id,
                "principals": [principal for principal, _, _ in requests],
                "methods": [method for _, method, _ in requests],
                "request_ids": [request_id for _, _, request_id in requests],
            },
        )
        stored = {requests[row["n"] - 1]: _stored_in(row) for row in rows if row["n"] is not None}
        return Loaded(rows[0]["now"], rows[0]["revision"] or 0, rows[0]["state"], None), stored

    async def stored_response(self, connection: Connection, call: CommandCall) -> StoredResponse | None:
        """Read the stored response of a request."""
        row = await self._stored.fetchrow(connection, _asked(call))
        return None if row is None else _stored_in(row)


def _asked(call: CommandCall) -> Mapping[str, object]:
    return {"principal": call.principal, "method": call.method, "request_id": call.request_id}


def _load(aggregate: AggregateTable) -> Select[Any]:
    return _here_and(aggregate, _response(*_REQUEST).subquery("response"))


def _load_for_many(aggregate: AggregateTable) -> Select[Any]:
    """Look the requests up one after the other, so that each look-up is by the index."""
    asked = (
        func.unnest(
            bindparam("principals", type_=ARRAY(Text())),
            bindparam("methods", type_=ARRAY(Text())),
            bindparam("request_ids", type_=ARRAY(Uuid())),
        )
        .table_valued("principal", "method", "request_id", with_ordinality="n")
        .render_derived("asked")
    )
    one = _response(asked.c.principal, asked.c.method, asked.c.request_id).limit(literal_column("1"))
    found = one.correlate(asked).subquery("found").lateral()
    return _here_and(
        aggregate, select(asked.c.n, *found.c).select_from(asked.join(found, true())).subquery("responses")
    )


def _here_and(aggregate: AggregateTable, responses: Subquery) -> Select[Any]:
    table = aggregate.table
    instant = select(func.clock_timestamp().label("now")).subquery("instant")
    here = select(table.c.revision, table.c.state).where(_is_it(aggregate)).subquery("here")
    return select(instant.c.now, here.c.revision, here.c.state, *responses.c).select_from(
        instant.outerjoin(here, true()).outerjoin(responses, true())
    )


def _response(principal: ColumnElement[Any], method: ColumnElement[Any], request_id: ColumnElement[Any]) -> Select[Any]:
    """Select a stored response, in the lane's present epoch.

    What is stored here was not forgotten, and numbers go on from epoch to epoch: the token it stood for still holds.
    """
    stored, lane = JOURNAL.idempotency, JOURNAL.lane
    return (
        select(stored.c.fingerprint, stored.c.response, lane.c.epoch, stored.c.lane, stored.c.seq)
        .join_from(stored, lane, lane.c.lane == stored.c.lane)
        .where(stored.c.principal == principal, stored.c.method == method, stored.c.request_id == request_id)
    )


def _stored_in(row: asyncpg.Record) -> StoredResponse:
    return StoredResponse(row["fingerprint"], row["response"], row["epoch"], row["lane"], row["seq"])


def _lock(aggregate: AggregateTable) -> Select[Any]:
    return select(literal_column("1")).select_from(aggregate.table).where(_is_it(aggregate)).with_for_update()


def _is_it(aggregate: AggregateTable) -> ColumnElement[bool]:
    return aggregate.table.c[aggregate.id_column] == bindparam("aggregate_id", type_=Uuid())
