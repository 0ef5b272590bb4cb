"""The snapshot of what a source has published: true at every moment, in chunks that hold nothing up."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import grpc.aio
import pytest
from training.ops.v1 import journal_service_pb2 as pb
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub

from bus.journal import snapshots
from bus.lanes import lane_of
from tests.contract.journal_server import serving_journal
from tests.contract.line import Line, some_ids, until

if TYPE_CHECKING:
    from training.ops.v1.journal_service_pb2_grpc import JournalServiceAsyncStub


async def exported(
    journal: "JournalServiceAsyncStub", *, after: bytes = b"", ids: Sequence[UUID] = ()
) -> list[pb.ExportSnapshotResponse]:
    """Return all chunks of a snapshot."""
    request = pb.ExportSnapshotRequest(after_id=after, aggregate_ids=[each.bytes for each in ids])
    return [chunk async for chunk in journal.ExportSnapshot(request)]


def entries(chunks: Sequence[pb.ExportSnapshotResponse]) -> dict[UUID, tuple[int, bytes]]:
    """Return the revision and the body of each entry."""
    return {UUID(bytes=entry.aggregate_id): (entry.revision, entry.body) for chunk in chunks for entry in chunk.entries}


async def test_a_snapshot_has_what_is_published_and_nothing_else(
    line: Line, journal: "JournalServiceAsyncStub"
) -> None:
    shown, raised_in_private, hidden = some_ids(3)
    await line.raise_to(shown, 3)
    await line.raise_to(raised_in_private, 2)
    await line.raise_to(raised_in_private, 5, body=b"")
    await line.raise_to(hidden, 1, body=b"")
    chunks = await exported(journal)
    assert entries(chunks) == {shown: (3, b"3"), raised_in_private: (2, b"2")}
    assert {chunk.total for chunk in chunks} == {2}
    names = {UUID(bytes=entry.aggregate_id): UUID(bytes=entry.event_id) for chunk in chunks for entry in chunk.entries}
    rows = await line.commands.fetch("SELECT aggregate_id, event_id FROM journal WHERE public <> ''")
    assert names == {row["aggregate_id"]: row["event_id"] for row in rows}


async def test_the_last_public_revision_of_a_batch_is_named(line: Line, journal: "JournalServiceAsyncStub") -> None:
    counter_id = some_ids(1)[0]
    await line.raise_to(counter_id, 1)
    bodies = [b"first", b"last", b"", b""]
    await asyncio.gather(*(line.raise_to(counter_id, body=body, hot=True) for body in bodies))
    journalled = await line.commands.fetch("SELECT revision, public, event_id FROM journal ORDER BY seq")
    assert len(journalled) == 5
    last = [row for row in journalled if row["public"]][-1]
    (entry,) = (entry for chunk in await exported(journal) for entry in chunk.entries)
    assert (entry.revision, entry.body, entry.event_id) == (last["revision"], last["public"], last["event_id"].bytes)


async def test_a_batch_that_publishes_nothing_leaves_what_was_published(
    line: Line, journal: "JournalServiceAsyncStub"
) -> None:
    counter_id = some_ids(1)[0]
    await line.raise_to(counter_id, 1)
    await asyncio.gather(*(line.raise_to(counter_id, body=b"", hot=True) for _ in range(3)))
    assert entries(await exported(journal)) == {counter_id: (1, b"1")}


async def test_an_empty_source_sends_one_chunk_with_its_heads(line: Line, journal: "JournalServiceAsyncStub") -> None:
    (chunk,) = await exported(journal)
    assert not chunk.entries
    assert chunk.total == 0
    assert chunk.heads.source == line.source.name
    assert [lane.committed for lane in chunk.heads.lanes] == [0] * 16


async def test_chunks_go_by_id_and_any_number_of_entries_fits(
    line: Line, journal: "JournalServiceAsyncStub", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "_MOST_ENTRIES", 3)
    ids = some_ids(10)
    for counter_id in ids:
        await line.raise_to(counter_id, 1)
    async with serving_journal(line) as channel:
        chunks = await exported(JournalServiceStub(channel))
    assert [len(chunk.entries) for chunk in chunks] == [3, 3, 3, 1, 0]
    assert [entry.aggregate_id for chunk in chunks for entry in chunk.entries] == sorted(each.bytes for each in ids)
    assert {chunk.total for chunk in chunks} == {10}


async def test_the_least_and_the_greatest_id_are_among_them(line: Line, journal: "JournalServiceAsyncStub") -> None:
    ends = [UUID(int=0), UUID(int=2**128 - 1)]
    for counter_id in ends:
        await line.raise_to(counter_id, 1)
    assert list(entries(await exported(journal))) == ends
    assert list(entries(await exported(journal, after=ends[0].bytes))) == ends[1:]


async def test_a_chunk_ends_before_it_is_too_large_and_one_large_entry_is_a_chunk(
    line: Line, journal: "JournalServiceAsyncStub"
) -> None:
    ids = some_ids(7)
    large = b"x" * (400 * 1024)
    for counter_id in ids:
        await line.raise_to(counter_id, 1, body=large)
    chunks = await exported(journal)
    assert [len(chunk.entries) for chunk in chunks] == [3, 3, 1, 0]
    assert max(chunk.ByteSize() for chunk in chunks) < 3 * 1024**2


async def test_only_the_ids_asked_for_are_told_if_they_are_published(
    line: Line, journal: "JournalServiceAsyncStub"
) -> None:
    asked, hidden, other, unknown = sorted(some_ids(4))
    for counter_id in (asked, other):
        await line.raise_to(counter_id, 4)
    await line.raise_to(hidden, 1, body=b"")
    chunks = await exported(journal, ids=[hidden, asked, unknown])
    assert entries(chunks) == {asked: (4, b"4")}
    assert {chunk.total for chunk in chunks} == {1}
    assert entries(await exported(journal, after=asked.bytes, ids=[asked, other])) == {other: (4, b"4")}


async def test_each_chunk_has_everything_that_its_heads_cover(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_MOST_ENTRIES", 2)
    ids = some_ids(8)
    for counter_id in ids:
        await line.raise_to(counter_id, 1)
    stop = asyncio.Event()

    async def write() -> None:
        while not stop.is_set():
            for counter_id in ids:
                await line.raise_to(counter_id)

    async with serving_journal(line) as channel:
        writing = asyncio.create_task(write())
        chunks = [chunk for _ in range(5) for chunk in await exported(JournalServiceStub(channel))]
        stop.set()
        await writing
    journalled = await line.commands.fetch("SELECT lane, seq, aggregate_id, revision FROM journal")
    for chunk in chunks:
        heads = {lane.lane: lane.committed for lane in chunk.heads.lanes}
        for counter_id, (revision, _) in entries([chunk]).items():
            own = [row for row in journalled if row["aggregate_id"] == counter_id]
            covered = max(row["revision"] for row in own if row["seq"] <= heads[lane_of(counter_id)])
            assert revision == covered


async def test_an_id_that_is_none_is_refused(journal: "JournalServiceAsyncStub") -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await exported(journal, after=b"x" * 15)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "after_id" in (refused.value.details() or "")


async def test_a_slow_reader_holds_no_transaction(line: Line, journal: "JournalServiceAsyncStub") -> None:
    for counter_id in some_ids(80):
        await line.raise_to(counter_id, 1, body=b"x" * (400 * 1024))
    call = journal.ExportSnapshot(pb.ExportSnapshotRequest())
    first = await call.read()
    assert isinstance(first, pb.ExportSnapshotResponse)
    assert first.entries

    async def nothing_is_held() -> bool:
        row = await line.relaying.fetchrow(
            "SELECT count(*) AS held FROM pg_stat_activity WHERE application_name = 'commands' "
            "AND datname = current_database() AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL)"
        )
        return row is not None and row["held"] == 0

    await until(nothing_is_held)  # one transaction for all chunks would be open until the last one is read
    assert not call.done()
    call.cancel()
