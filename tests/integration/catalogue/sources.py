"""Stand-ins for the command services: events published as relays do, and the heads that journals would tell."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import reduce
from hashlib import md5
from operator import xor
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceServicer
from uuid_utils.compat import uuid7

from bus.broker import Session
from bus.event import Event
from bus.lanes import LANES, lane_of
from bus.relay.publishing import BATCH_MOST, Publisher
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
        self.states: dict[UUID, tuple[int, UUID, bytes]] = {}
        """What is published of each aggregate last: revision, event and body."""
        self._session = session
        self._publisher = Publisher(session, source)
        self._pending: dict[int, list[Event]] = {}
        self.journal: dict[int, list[Event]] = {lane: [] for lane in range(LANES)}
        """All events of each lane, from seq 1 on."""

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
        self.journal[lane].append(event)
        self._pending.setdefault(lane, []).append(event)
        if body and revision > self.states.get(aggregate_id, (0,))[0]:
            self.states[aggregate_id] = (revision, event.event_id, body)
        return event

    async def flush(self) -> str:
        """Publish what is committed and return the token that covers all of it."""
        for lane, events in self._pending.items():
            for begin in range(0, len(events), BATCH_MOST):
                seq, last, fence = self.heads[lane]
                fence = await self._publisher.publish(lane, events[begin : begin + BATCH_MOST], fence, 0)
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

    def after(self, after_id: bytes, ids: Iterable[bytes]) -> list[tuple[UUID, int, UUID, bytes]]:
        """Return what is published, in order of ids: id, revision, event and body."""
        chosen = {UUID(bytes=each) for each in ids} or self.states.keys()
        return [
            (each, *self.states[each])
            for each in sorted(chosen & self.states.keys())
            if not after_id or each.bytes > after_id
        ]


class Journals(JournalServiceServicer):
    """Tells the heads, the snapshot and the digests of whichever source a caller's port stands for."""

    def __init__(self, source: PublishedSource) -> None:
        self._source = source
        self.chunk_size = 200
        self.gate: Callable[[int], Awaitable[None]] = _go_on
        """Awaited before each chunk of a snapshot, with how many came before."""
        self.asked: list[Mapping[str, str | bytes]] = []

    async def GetLaneHeads(self, request: pb.GetLaneHeadsRequest, context: Any) -> pb.GetLaneHeadsResponse:  # noqa: ANN401, N802 - gRPC's
        """Tell the heads."""
        del request
        self.asked.append(dict(context.invocation_metadata()))
        return pb.GetLaneHeadsResponse(heads=self._source.lane_heads())

    async def ReadJournal(self, request: pb.ReadJournalRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Tell the events of one lane."""
        events = self._source.journal[request.lane][request.after :]
        wanted = events[: request.limit or len(events)]
        for begin in range(0, len(wanted), self.chunk_size):
            entries = map(_entry, wanted[begin : begin + self.chunk_size])
            await context.write(pb.ReadJournalResponse(entries=entries))

    async def ExportSnapshot(self, request: pb.ExportSnapshotRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Tell what is published, each chunk with the heads of its moment."""
        after, chunks = request.after_id, 0
        while True:
            await self.gate(chunks)
            found = self._source.after(after, request.aggregate_ids)[: self.chunk_size]
            entries = [
                pb.SnapshotEntry(aggregate_id=each.bytes, revision=revision, event_id=event_id.bytes, body=body)
                for each, revision, event_id, body in found
            ]
            if not entries and chunks:
                return
            total = len(self._source.states)
            await context.write(
                pb.ExportSnapshotResponse(entries=entries, heads=self._source.lane_heads(), total=total)
            )
            chunks += 1
            if not entries:
                return
            after = entries[-1].aggregate_id

    async def GetDigests(self, request: pb.GetDigestsRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Tell digests of what is published, by ranges that cover all ids."""
        last = request.up_to_id or b"\xff" * 16
        found = [each for each in self._source.after(request.after_id, request.aggregate_ids) if each[0].bytes <= last]
        size = len(found) + 1 if request.aggregate_ids else request.range_size or 1000
        after = request.after_id
        for begin in range(0, max(1, len(found)), size):
            part = found[begin : begin + size]
            up_to = last if begin + size >= len(found) else part[-1][0].bytes
            entries = [
                pb.DigestEntry(aggregate_id=each.bytes, revision=revision, event_id=event_id.bytes)
                for each, revision, event_id, _ in part
            ]
            await context.write(
                pb.GetDigestsResponse(
                    after_id=after,
                    up_to_id=up_to,
                    count=len(part),
                    digest=reduce(xor, map(_digest, entries), 0),
                    heads=self._source.lane_heads(),
                    entries=entries if request.with_entries or request.aggregate_ids else [],
                )
            )
            after = up_to


def _entry(event: Event) -> pb.JournalEntry:
    recorded = Timestamp()
    recorded.FromDatetime(event.time)
    return pb.JournalEntry(
        epoch=event.epoch.bytes,
        lane=event.lane,
        seq=event.seq,
        event_id=event.event_id.bytes,
        previous_event_id=event.previous.bytes if event.previous else b"",
        aggregate_id=event.aggregate_id.bytes,
        revision=event.revision,
        type=event.type,
        time=recorded,
        traceparent=event.traceparent,
        body=event.body,
    )


async def _go_on(_: int) -> None:
    """Hold nothing up."""


def _digest(entry: pb.DigestEntry) -> int:
    told = entry.aggregate_id + entry.revision.to_bytes(8, "big") + entry.event_id
    return int.from_bytes(md5(told, usedforsecurity=False).digest()[:8], "big")
