"""A source's journal as those read it who mend, build or compare copies of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import grpc.aio
import pytest
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceServicer, add_JournalServiceServicer_to_server

from bus.following.source_answers import SNAPSHOT
from bus.following.source_journal import EpochMoved, JournalShort, JournalTrimmed, SourceJournal
from bus.freshness.consistency import SourceUnavailable
from bus.lanes import LANES, lane_of
from chassis.embedded.ports import free_port
from tests.contract.ageing import age, trim
from tests.contract.line import Line, running, until
from tests.contract.stream import lanes_of, raise_many


async def test_it_reads_what_the_stream_brings(line: Line) -> None:
    async with running(line.relay().run()):
        await raise_many(line, 60)
        await until(line.published)
    for lane, events in (await lanes_of(line)).items():
        read = [event async for part in line.journal.read(lane, 1, len(events) - 1) for event in part]
        assert read == events[1:-1]
    heads = await line.journal.heads()
    rows = await line.commands.fetch("SELECT epoch, seq, event_id FROM lane ORDER BY lane")
    assert [(lane.epoch, lane.seq, lane.event_id) for lane in heads.lanes] == [tuple(row) for row in rows]
    assert list(heads.published) == [row["seq"] for row in rows]
    assert dict(heads.committed.lanes) == {number: row["seq"] for number, row in enumerate(rows) if row["seq"]}


async def test_entries_of_a_snapshot_are_events_that_a_copy_can_apply(line: Line) -> None:
    counter = uuid4()
    await line.raise_to(counter, 3)
    await line.raise_to(counter, 8)
    chunks = [each async for each in line.journal.snapshot()]
    chunk, (entry,) = chunks[0], [entry for each in chunks for entry in each.entries]
    assert (entry.aggregate_id, entry.revision, entry.body, entry.type) == (counter, 8, b"8", SNAPSHOT)
    assert (entry.lane, entry.seq, entry.epoch) == (lane_of(counter), 0, chunk.heads.epoch)
    assert entry.event_id == chunk.heads.lanes[entry.lane].event_id
    assert [list(each.entries) async for each in line.journal.snapshot(ids=[uuid4()])] == [[]]
    (digest,) = [each async for each in line.journal.digests(with_entries=True)]
    assert [(each.id, each.revision, each.event_id) for each in digest.entries] == [(counter, 8, entry.event_id)]


async def test_it_tells_when_it_does_not_go_back_that_far_or_ends_before(line: Line) -> None:
    counter = uuid4()
    lane = lane_of(counter)
    for _ in range(3):
        await line.raise_to(counter)
    with pytest.raises(JournalShort):
        [part async for part in line.journal.read(lane, 4, 9)]
    await line.commands.execute(
        "UPDATE relay_lane SET published = lane.seq FROM lane WHERE lane.lane = relay_lane.lane"
    )
    await age(line)
    await trim(line)
    with pytest.raises(JournalTrimmed):
        [part async for part in line.journal.read(lane, 0, 3)]
    assert [event.seq async for part in line.journal.read(lane, 2, 3) for event in part] == [3]


async def test_a_source_that_is_away_is_told_as_such() -> None:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{free_port()}") as channel:
        journal = SourceJournal("thing", channel)
        with pytest.raises(SourceUnavailable, match="thing does not tell its heads: UNAVAILABLE"):
            await journal.heads()
        with pytest.raises(SourceUnavailable):
            [part async for part in journal.read(0, 0, 5)]
        assert [part async for part in journal.read(0, 5, 5)] == []


class _Moving(JournalServiceServicer):
    """A source that begins an epoch between two chunks, and tells heads that are none."""

    async def GetLaneHeads(self, request: pb.GetLaneHeadsRequest, context: Any) -> pb.GetLaneHeadsResponse:  # noqa: ANN401, N802 - gRPC's
        """Tell the heads of no lane."""
        del request, context
        return pb.GetLaneHeadsResponse(heads=pb.LaneHeads(source="thing", epoch=UUID(int=1).bytes))

    async def ReadJournal(self, request: pb.ReadJournalRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Tell an event that is none."""
        del request
        await context.write(pb.ReadJournalResponse(entries=[pb.JournalEntry(epoch=b"short")]))

    async def ExportSnapshot(self, request: pb.ExportSnapshotRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Tell two chunks."""
        del request
        for epoch in (1, 2):
            lanes = [pb.LaneHead(lane=lane) for lane in range(LANES)]
            heads = pb.LaneHeads(source="thing", epoch=UUID(int=epoch).bytes, lanes=lanes)
            await context.write(pb.ExportSnapshotResponse(heads=heads))

    async def GetDigests(self, request: pb.GetDigestsRequest, context: Any) -> None:  # type: ignore[override] # noqa: ANN401, N802 - gRPC's
        """Tell nothing."""


@asynccontextmanager
async def moving() -> AsyncIterator[SourceJournal]:
    """Serve such a source."""
    server = grpc.aio.server()
    add_JournalServiceServicer_to_server(_Moving(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield SourceJournal("thing", channel)
    finally:
        await server.stop(None)


async def test_a_snapshot_is_of_one_epoch_or_refused() -> None:
    async with moving() as journal:
        chunks = journal.snapshot()
        assert (await anext(chunks)).heads.epoch == UUID(int=1)
        with pytest.raises(EpochMoved):
            await anext(chunks)


async def test_what_can_not_be_understood_is_as_good_as_no_answer() -> None:
    async with moving() as journal:
        with pytest.raises(SourceUnavailable):
            await journal.heads()
        with pytest.raises(SourceUnavailable):
            [part async for part in journal.read(0, 0, 1)]
