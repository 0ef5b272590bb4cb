"""What the command path reads before it decides: the aggregate and the stored response of the request, at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Uuid, bindparam, func, literal_column, select, true

from bus.commit import AggregateTable
from bus.journal import JOURNAL
from chassis.postgres import Connection
from chassis.sql import Statement

RequestKey = Mapping[str, object]
"""By what a request is known: `principal`, `method`, `request_id`."""


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
        self._locking: Final = Statement(_lock(aggregate))
        lane = JOURNAL.lane
        self.lane_head: Final = Statement(
            select(lane.c.epoch, lane.c.seq).where(lane.c.lane == bindparam("lane", type_=lane.c.lane.type))
        )

    async def load(self, connection: Connection, aggregate_id: UUID, request: RequestKey, *, locked: bool) -> Loaded:
        """Read in one snapshot; `locked` takes the aggregate's row first, so that nobody is faster again."""
        if locked:
            await self._locking.fetchrow(connection, {"aggregate_id": aggregate_id})
        values = {"aggregate_id": aggregate_id, **request}
        row = await self._plain.fetchrow(connection, values)
        if row is None:
            raise LookupError("a query without FROM returned no row")
        stored = None
        if row["seq"] is not None:
            stored = StoredResponse(row["fingerprint"], row["response"], row["epoch"], row["lane"], row["seq"])
        return Loaded(row["now"], row["revision"] or 0, row["state"], stored)


def _load(aggregate: AggregateTable) -> Select[Any]:
    table, stored = aggregate.table, JOURNAL.idempotency
    instant = select(func.clock_timestamp().label("now")).subquery("instant")
    response = (
        select(stored.c.fingerprint, stored.c.response, stored.c.epoch, stored.c.lane, stored.c.seq)
        .where(
            stored.c.principal == bindparam("principal", type_=stored.c.principal.type),
            stored.c.method == bindparam("method", type_=stored.c.method.type),
            stored.c.request_id == bindparam("request_id", type_=Uuid()),
        )
        .subquery("response")
    )
    here = select(table.c.revision, table.c.state).where(_is_it(aggregate)).subquery("here")
    return select(instant.c.now, here.c.revision, here.c.state, *response.c).select_from(
        instant.outerjoin(here, true()).outerjoin(response, true())
    )


def _lock(aggregate: AggregateTable) -> Select[Any]:
    return select(literal_column("1")).select_from(aggregate.table).where(_is_it(aggregate)).with_for_update()


def _is_it(aggregate: AggregateTable) -> ColumnElement[bool]:
    return aggregate.table.c[aggregate.id_column] == bindparam("aggregate_id", type_=Uuid())
