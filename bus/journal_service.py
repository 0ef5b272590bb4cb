"""`JournalService`: a command service's journal for those who repair and rebuild copies of it. Public parts only."""

from typing import Any, Final, TypeAlias

import grpc.aio
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import BigInteger, SmallInteger, bindparam, select
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceServicer

from bus.heads import read_heads
from bus.journal import JOURNAL
from chassis.postgres import Connections
from chassis.refusal import Refusal
from chassis.sql import Statement

_PAGE_EVENTS: Final = 200

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_journal: Final = JOURNAL.journal
_PAGE: Final = Statement(
    select(
        _journal.c.epoch,
        _journal.c.lane,
        _journal.c.seq,
        _journal.c.event_id,
        _journal.c.previous_event_id,
        _journal.c.aggregate_id,
        _journal.c.revision,
        _journal.c.type,
        _journal.c.recorded_at,
        _journal.c.traceparent,
        _journal.c.public,
    )
    .where(
        _journal.c.lane == bindparam("lane", type_=SmallInteger()),
        _journal.c.seq > bindparam("after", type_=BigInteger()),
    )
    .order_by(_journal.c.seq)
    .limit(bindparam("events", type_=BigInteger()))
)


class JournalPositionUnknown(Refusal):
    """The journal has no such position; metadata: `lane`, `after`, `head`."""

    reason = "JOURNAL_POSITION_UNKNOWN"


class JournalService(JournalServiceServicer):
    """Reads one source's journal."""

    def __init__(self, connections: Connections, source: str) -> None:
        self._connections = connections
        self._source = source

    async def GetLaneHeads(self, request: pb.GetLaneHeadsRequest, context: _Context) -> pb.GetLaneHeadsResponse:
        """Return the heads of all lanes in one snapshot."""
        del request, context
        return pb.GetLaneHeadsResponse(heads=await read_heads(self._connections, self._source))

    async def ReadJournal(self, request: pb.ReadJournalRequest, context: _Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Stream the events of one lane, page by page, each page its own short read."""
        heads = await read_heads(self._connections, self._source)
        head = heads.lanes[request.lane].committed
        if request.after > head:
            detail = {"lane": str(request.lane), "after": str(request.after), "head": str(head)}
            raise JournalPositionUnknown(f"lane {request.lane} ends with seq {head}", detail)
        after, left = request.after, request.limit or head - request.after
        while left > 0:
            values = {"lane": request.lane, "after": after, "events": min(left, _PAGE_EVENTS)}
            rows = await _PAGE.fetch(self._connections, values)
            if not rows:
                return
            await context.write(pb.ReadJournalResponse(entries=[_entry(row) for row in rows]))
            after, left = rows[-1]["seq"], left - len(rows)

    async def ExportSnapshot(self, request: pb.ExportSnapshotRequest, context: _Context) -> None:  # type: ignore[override]
        """Not served yet."""
        raise NotImplementedError

    async def GetDigests(self, request: pb.GetDigestsRequest, context: _Context) -> None:  # type: ignore[override]
        """Not served yet."""
        raise NotImplementedError


def _entry(row: Any) -> pb.JournalEntry:  # noqa: ANN401 - asyncpg's records are not typed by column
    time = Timestamp()
    time.FromDatetime(row["recorded_at"])
    previous = row["previous_event_id"]
    return pb.JournalEntry(
        epoch=row["epoch"].bytes,
        lane=row["lane"],
        seq=row["seq"],
        event_id=row["event_id"].bytes,
        previous_event_id=b"" if previous is None else previous.bytes,
        aggregate_id=row["aggregate_id"].bytes,
        revision=row["revision"],
        type=row["type"],
        time=time,
        traceparent=row["traceparent"],
        body=row["public"],
    )
