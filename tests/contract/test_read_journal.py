"""Reading the journal of one lane, as far back as it goes."""

from typing import TYPE_CHECKING

import grpc.aio
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status.rpc_status import from_call
from training.ops.v1 import journal_service_pb2 as pb

from bus.lanes import lane_of
from tests.contract.line import Line, some_ids

if TYPE_CHECKING:
    from training.ops.v1.journal_service_pb2_grpc import JournalServiceAsyncStub


async def read(journal: "JournalServiceAsyncStub", lane: int, after: int = 0, limit: int = 0) -> list[pb.JournalEntry]:
    """Return the events of a lane."""
    request = pb.ReadJournalRequest(lane=lane, after=after, limit=limit)
    return [entry async for page in journal.ReadJournal(request) for entry in page.entries]


async def refusal(journal: "JournalServiceAsyncStub", lane: int, after: int) -> ErrorInfo:
    """Return why a position can't be read."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await read(journal, lane, after)
    assert refused.value.code() is grpc.StatusCode.OUT_OF_RANGE
    status, info = from_call(refused.value), ErrorInfo()  # type: ignore[arg-type] # an AioRpcError has what it reads
    assert status is not None
    assert status.details[0].Unpack(info)
    return info


async def test_a_lane_is_read_in_order_and_in_bounded_pages(line: Line, journal: "JournalServiceAsyncStub") -> None:
    counter_id = some_ids(1)[0]
    lane, large = lane_of(counter_id), b"x" * (400 * 1024)
    for value in range(1, 9):
        await line.raise_to(counter_id, value, body=large)
    pages = [page async for page in journal.ReadJournal(pb.ReadJournalRequest(lane=lane))]
    assert [entry.seq for page in pages for entry in page.entries] == list(range(1, 9))
    assert [len(page.entries) for page in pages] == [3, 3, 2]
    assert max(page.ByteSize() for page in pages) < 3 * 1024**2
    entries = [entry for page in pages for entry in page.entries]
    assert [each.previous_event_id for each in entries] == [b"", *(each.event_id for each in entries[:-1])]
    assert {each.body for each in entries} == {large}
    assert await read(journal, lane, after=3, limit=2) == entries[3:5]
    assert await read(journal, lane, after=8) == []


async def test_a_position_above_the_head_is_unknown(line: Line, journal: "JournalServiceAsyncStub") -> None:
    counter_id = some_ids(1)[0]
    await line.raise_to(counter_id, 1)
    info = await refusal(journal, lane_of(counter_id), after=2)
    assert (info.reason, info.metadata["head"]) == ("JOURNAL_POSITION_UNKNOWN", "1")


async def test_a_position_below_what_is_left_is_trimmed(line: Line, journal: "JournalServiceAsyncStub") -> None:
    counter_id = some_ids(1)[0]
    lane = lane_of(counter_id)
    for value in range(1, 7):
        await line.raise_to(counter_id, value)
    await line.commands.execute("DELETE FROM journal WHERE seq < 4")
    for after in (0, 2):
        info = await refusal(journal, lane, after)
        assert info.reason == "JOURNAL_TRIMMED"
        assert dict(info.metadata) == {"lane": str(lane), "after": str(after), "first": "4"}
    assert [entry.seq for entry in await read(journal, lane, after=3)] == [4, 5, 6]


async def test_an_untouched_lane_is_empty(journal: "JournalServiceAsyncStub") -> None:
    assert await read(journal, 3) == []
