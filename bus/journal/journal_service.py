"""`JournalService`: a command service's journal for those who repair and rebuild copies of it. Public parts only."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc.aio
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceServicer

from bus.commands.commit import AggregateTable
from bus.heads import read_heads
from bus.journal.digests import LAST_ID, Digests
from bus.journal.given_ids import given_id
from bus.journal.pages import read_page
from bus.journal.published import Published
from bus.journal.snapshots import Snapshots
from chassis.postgres import Connections
from chassis.refusal import Refusal

_RANGE_SIZE: Final = 1000

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"


class JournalPositionUnknown(Refusal):
    """The journal has no such position; metadata: `lane`, `after`, `head`."""

    reason = "JOURNAL_POSITION_UNKNOWN"


class JournalTrimmed(Refusal):
    """The journal does not reach back that far any more; metadata: `lane`, `after`, `first`."""

    reason = "JOURNAL_TRIMMED"


class JournalService(JournalServiceServicer):
    """Reads one source's journal, and what it has published of its aggregates.

    Everything is read in short pieces, and nothing is held while the caller takes one: a slow caller hinders nobody.
    """

    def __init__(self, connections: Connections, source: str, aggregate: AggregateTable, published: Published) -> None:
        self._connections = connections
        self._source = source
        self._snapshots = Snapshots(connections, source, aggregate, published)
        self._digests = Digests(connections, source, aggregate)

    async def GetLaneHeads(self, request: pb.GetLaneHeadsRequest, context: _Context) -> pb.GetLaneHeadsResponse:
        """Return the heads of all lanes in one snapshot."""
        del request, context
        return pb.GetLaneHeadsResponse(heads=await read_heads(self._connections, self._source))

    async def ReadJournal(self, request: pb.ReadJournalRequest, context: _Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Stream the events of one lane, page by page."""
        heads = await read_heads(self._connections, self._source)
        head = heads.lanes[request.lane].committed
        if request.after > head:
            detail = {"lane": str(request.lane), "after": str(request.after), "head": str(head)}
            raise JournalPositionUnknown(f"lane {request.lane} ends with seq {head}", detail)
        after, left = request.after, request.limit or head - request.after
        while left > 0:
            entries = await read_page(self._connections, request.lane, after, left)
            if not entries:
                return
            if (first := entries[0].seq) != after + 1:
                detail = {"lane": str(request.lane), "after": str(after), "first": str(first)}
                raise JournalTrimmed(f"lane {request.lane} begins with seq {first}", detail)
            await context.write(pb.ReadJournalResponse(entries=entries))
            after, left = entries[-1].seq, left - len(entries)

    async def ExportSnapshot(self, request: pb.ExportSnapshotRequest, context: _Context) -> None:  # type: ignore[override] # as above
        """Stream what is published, chunk by chunk."""
        after, ids = given_id("after_id", request.after_id), _ids(request.aggregate_ids)
        total = await self._snapshots.count(ids)
        while True:
            chunk = await self._snapshots.chunk(after, ids)
            chunk.total = total
            await context.write(chunk)
            if not chunk.entries:
                return
            after = UUID(bytes=chunk.entries[-1].aggregate_id)

    async def GetDigests(self, request: pb.GetDigestsRequest, context: _Context) -> None:  # type: ignore[override] # as above
        """Stream the digests, range by range."""
        after, up_to = given_id("after_id", request.after_id), given_id("up_to_id", request.up_to_id) or LAST_ID
        if ids := _ids(request.aggregate_ids):
            await context.write(await self._digests.of(ids))
            return
        most = request.range_size or _RANGE_SIZE
        while True:
            made = await self._digests.range(after, up_to, most, with_entries=request.with_entries)
            await context.write(made)
            after = UUID(bytes=made.up_to_id)
            if after >= up_to:
                return


def _ids(given: Sequence[bytes]) -> list[UUID]:
    return [UUID(bytes=each) for each in given]
