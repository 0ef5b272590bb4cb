"""The way of one aggregate, or of what one request did, through a journal: what was committed, and whether it went out.

Only what every subscriber may know is told: never who did it, nor the private part of a revision.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import BigInteger, Select, Uuid, bindparam, select
from training.ops.v1.operations_service_pb2 import RecordedEvent

from bus.journal.tables import JOURNAL
from chassis.postgres import Connections
from chassis.sql import Statement

_journal, _stored, _relayed = JOURNAL.journal, JOURNAL.idempotency, JOURNAL.relay_lane


def _recorded() -> Select[Any]:
    published = _journal.c.seq <= _relayed.c.published
    return (
        select(
            _journal.c.aggregate_id,
            _journal.c.revision,
            _journal.c.type,
            _journal.c.recorded_at,
            _journal.c.request_id,
            _journal.c.traceparent,
            _journal.c.epoch,
            _journal.c.lane,
            _journal.c.seq,
            _journal.c.event_id,
            published.label("published"),
        )
        .join_from(_journal, _relayed, _journal.c.lane == _relayed.c.lane)
        .limit(bindparam("most", type_=BigInteger()))
    )


_OF_AGGREGATE: Final = Statement(
    _recorded()
    .where(_journal.c.aggregate_id == bindparam("aggregate_id", type_=Uuid()))
    .order_by(_journal.c.revision.desc())
)
_OF_REQUEST: Final = Statement(
    _recorded()
    .join(_stored, (_stored.c.lane == _journal.c.lane) & (_stored.c.seq == _journal.c.seq))
    # A request that changed nothing remembers the head of its lane, which is another request's event.
    .where(_stored.c.request_id == bindparam("request_id", type_=Uuid()), _journal.c.request_id == _stored.c.request_id)
    .order_by(_journal.c.recorded_at.desc(), _journal.c.lane, _journal.c.seq.desc())
)


class Explaining:
    """Tells of one journal."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def aggregate(self, aggregate_id: UUID, most: int) -> Sequence[RecordedEvent]:
        """Return the latest revisions of an aggregate that the journal still has, the latest first."""
        rows = await _OF_AGGREGATE.fetch(self._connections, {"aggregate_id": aggregate_id, "most": most})
        return [_event(row) for row in rows]

    async def request(self, request_id: UUID, most: int) -> Sequence[RecordedEvent]:
        """Return what requests of this id did, whoever made them, as long as their outcomes are remembered."""
        rows = await _OF_REQUEST.fetch(self._connections, {"request_id": request_id, "most": most})
        return [_event(row) for row in rows]


def _event(row: Any) -> RecordedEvent:  # noqa: ANN401 - asyncpg's records are not typed by column
    time = Timestamp()
    time.FromDatetime(row["recorded_at"])
    return RecordedEvent(
        aggregate_id=str(row["aggregate_id"]),
        revision=row["revision"],
        type=row["type"],
        time=time,
        request_id="" if row["request_id"] is None else str(row["request_id"]),
        traceparent=row["traceparent"],
        epoch=str(row["epoch"]),
        lane=row["lane"],
        seq=row["seq"],
        event_id=str(row["event_id"]),
        published=row["published"],
    )
