"""Stand-ins for the command services: events published as relays do, and the heads that journals would tell."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceServicer
from uuid_utils.compat import uuid7

from bus.broker import Session
from bus.event import Event
from bus.lanes import LANES, lane_of
from bus.publishing import BATCH_MOST, Publisher
from bus.source import Source
from bus.tokens import Position, encode
from bus.topology import StreamLimits, ensure_stream

LIMITS = StreamLimits(max_bytes=64 * 1024**2)


class PublishedSource:
    """One source of events, without a command database."""

    def __init__(self, session: Session, source: Source) -> None:
        self.source = source
        self.epoch = uuid7()
        self.heads: dict[int, tuple[int, UUID | None, int]] = dict.fromkeys(range(LANES), (0, None, 0))
        self._session = session
        self._publisher = Publisher(session, source)
        self._pending: dict[int, list[Event]] = {}

    async def prepare(self) -> None:
        """Make the stream."""
        await ensure_stream(self._session.jetstream, self.source, LIMITS)

    def event(self, aggregate_id: UUID, revision: int, kind: str, body: bytes) -> Event:
        """Return the next event of the aggregate's lane; it counts as committed."""
        lane = lane_of(aggregate_id)
        seq, previous, fence = self.heads[lane]
        event = Event(
            self.epoch, lane, seq + 1, uuid7(), previous, aggregate_id, revision, kind, datetime.now(UTC), "", body
        )
        self.heads[lane] = (event.seq, event.event_id, fence)
        self._pending.setdefault(lane, []).append(event)
        return event

    async def flush(self) -> str:
        """Publish what is committed and return the token that covers all of it."""
        for lane, events in self._pending.items():
            for begin in range(0, len(events), BATCH_MOST):
                seq, last, fence = self.heads[lane]
                fence = await self._publisher.publish(lane, events[begin : begin + BATCH_MOST], fence)
                self.heads[lane] = (seq, last, fence)
        self._pending.clear()
        return self.token()

    async def publish(self, events: Iterable[tuple[UUID, int, str, bytes]]) -> str:
        """Commit and publish events and return the token that covers them."""
        for aggregate_id, revision, kind, body in events:
            self.event(aggregate_id, revision, kind, body)
        return await self.flush()

    def token(self) -> str:
        """Return the token of all that is committed."""
        lanes = {lane: seq for lane, (seq, _, _) in self.heads.items() if seq}
        return encode({self.source.name: Position(self.epoch, lanes)})

    def lane_heads(self) -> pb.LaneHeads:
        """Return the heads as the source tells them."""
        now = Timestamp()
        now.GetCurrentTime()
        pending = {lane: len(events) for lane, events in self._pending.items()}
        lanes = [
            pb.LaneHead(
                lane=lane, committed=seq, published=seq - pending.get(lane, 0), event_id=last.bytes if last else b""
            )
            for lane, (seq, last, _) in self.heads.items()
        ]
        return pb.LaneHeads(source=self.source.name, epoch=self.epoch.bytes, time=now, lanes=lanes)

    async def announce(self) -> None:
        """Send a beacon."""
        await self._session.client.publish(self.source.beacon_subject, self.lane_heads().SerializeToString())


class Journals(JournalServiceServicer):
    """Tells the heads of whichever source a caller's port stands for."""

    def __init__(self, source: PublishedSource) -> None:
        self._source = source
        self.asked: list[Mapping[str, str | bytes]] = []

    async def GetLaneHeads(self, request: pb.GetLaneHeadsRequest, context: Any) -> pb.GetLaneHeadsResponse:  # noqa: ANN401, N802 - gRPC's
        """Tell the heads."""
        del request
        self.asked.append(dict(context.invocation_metadata()))
        return pb.GetLaneHeadsResponse(heads=self._source.lane_heads())

    async def ReadJournal(self, request: pb.ReadJournalRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Have nothing to tell: repair does not ask here."""
        del request, context
