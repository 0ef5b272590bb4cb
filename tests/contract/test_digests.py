"""The digests by which a copy is compared with its source."""

import hashlib
import struct
from typing import TYPE_CHECKING
from uuid import UUID

import grpc.aio
import pytest
from training.ops.v1 import journal_service_pb2 as pb

from tests.contract.line import Line, some_ids

if TYPE_CHECKING:
    from training.ops.v1.journal_service_pb2_grpc import JournalServiceAsyncStub

LAST = b"\xff" * 16

Known = dict[UUID, tuple[int, UUID]]


async def raised(line: Line, count: int) -> Known:
    """Raise counters, one of them privately afterwards, one privately only; return what is published in order."""
    ids = some_ids(count)
    for revision, counter_id in enumerate(ids, 1):
        await line.raise_to(counter_id, revision)
    await line.raise_to(ids[0], 100, body=b"")
    await line.raise_to(some_ids(1)[0], 1, body=b"")
    rows = await line.commands.fetch(
        "SELECT aggregate_id, revision, event_id FROM journal WHERE public <> '' ORDER BY aggregate_id"
    )
    return {row["aggregate_id"]: (row["revision"], row["event_id"]) for row in rows}


def digest_of(published: Known) -> int:
    """Compute a digest as the contract says."""
    digest = 0
    for counter_id, (revision, event_id) in published.items():
        hashed = hashlib.md5(counter_id.bytes + struct.pack(">q", revision) + event_id.bytes).digest()  # noqa: S324 - the contract's
        digest ^= int.from_bytes(hashed[:8], "big")
    return digest


async def told(journal: "JournalServiceAsyncStub", request: pb.GetDigestsRequest) -> list[pb.GetDigestsResponse]:
    """Return all ranges."""
    return [each async for each in journal.GetDigests(request)]


async def test_a_digest_is_what_the_contract_says(line: Line, journal: "JournalServiceAsyncStub") -> None:
    published = await raised(line, 20)
    (whole,) = await told(journal, pb.GetDigestsRequest())
    assert (whole.count, whole.digest) == (20, digest_of(published))
    assert (whole.after_id, whole.up_to_id) == (b"", LAST)
    assert not whole.entries
    assert sum(lane.committed for lane in whole.heads.lanes) == 22


async def test_ranges_cover_all_ids_and_their_digests_are_those_of_their_entries(
    line: Line, journal: "JournalServiceAsyncStub"
) -> None:
    published = await raised(line, 10)
    ranges = await told(journal, pb.GetDigestsRequest(range_size=4, with_entries=True))
    assert [each.count for each in ranges] == [4, 4, 2]
    assert [each.after_id for each in ranges] == [b"", *(each.up_to_id for each in ranges[:-1])]
    assert ranges[-1].up_to_id == LAST
    listed: Known = {}
    for each in ranges:
        entries = {
            UUID(bytes=entry.aggregate_id): (entry.revision, UUID(bytes=entry.event_id)) for entry in each.entries
        }
        assert each.digest == digest_of(entries)
        assert all(each.after_id < counter_id.bytes <= each.up_to_id for counter_id in entries)
        listed |= entries
    assert list(listed.items()) == list(published.items())


async def test_a_last_range_that_is_full_is_followed_by_an_empty_one(
    line: Line, journal: "JournalServiceAsyncStub"
) -> None:
    await raised(line, 4)
    ranges = await told(journal, pb.GetDigestsRequest(range_size=2))
    assert [each.count for each in ranges] == [2, 2, 0]
    assert ranges[-1].digest == 0
    assert ranges[-1].up_to_id == LAST


async def test_nothing_published_is_one_empty_range(journal: "JournalServiceAsyncStub") -> None:
    (whole,) = await told(journal, pb.GetDigestsRequest(with_entries=True))
    assert (whole.count, whole.digest, whole.up_to_id, len(whole.entries)) == (0, 0, LAST, 0)


async def test_a_part_of_the_ids_ends_where_it_was_asked_to(line: Line, journal: "JournalServiceAsyncStub") -> None:
    published = await raised(line, 8)
    ids = list(published)
    request = pb.GetDigestsRequest(after_id=ids[1].bytes, up_to_id=ids[5].bytes, range_size=3)
    ranges = await told(journal, request)
    assert [(each.after_id, each.up_to_id, each.count) for each in ranges] == [
        (ids[1].bytes, ids[4].bytes, 3),
        (ids[4].bytes, ids[5].bytes, 1),
    ]
    assert ranges[0].digest == digest_of({each: published[each] for each in ids[2:5]})


async def test_the_least_and_the_greatest_id_are_counted(line: Line, journal: "JournalServiceAsyncStub") -> None:
    for counter_id in (UUID(int=0), UUID(int=2**128 - 1)):
        await line.raise_to(counter_id, 1)
    ranges = await told(journal, pb.GetDigestsRequest(range_size=1))
    assert [(each.up_to_id, each.count) for each in ranges] == [(bytes(16), 1), (LAST, 1)]


async def test_chosen_aggregates_are_one_listed_range(line: Line, journal: "JournalServiceAsyncStub") -> None:
    published = await raised(line, 6)
    chosen = list(published)[1:4]
    asked = [each.bytes for each in (*reversed(chosen), *some_ids(1))]
    (whole,) = await told(journal, pb.GetDigestsRequest(aggregate_ids=asked, range_size=1))
    assert [UUID(bytes=entry.aggregate_id) for entry in whole.entries] == chosen
    assert (whole.count, whole.digest) == (3, digest_of({each: published[each] for each in chosen}))
    assert (whole.after_id, whole.up_to_id) == (b"", LAST)


async def test_whatever_changes_in_public_changes_the_digest(line: Line, journal: "JournalServiceAsyncStub") -> None:
    published = await raised(line, 3)
    (before,) = await told(journal, pb.GetDigestsRequest())
    await line.raise_to(list(published)[1], 150, body=b"")
    (private,) = await told(journal, pb.GetDigestsRequest())
    await line.raise_to(list(published)[1], 151)
    (public,) = await told(journal, pb.GetDigestsRequest())
    assert before.digest == private.digest != public.digest


@pytest.mark.parametrize("field", ["after_id", "up_to_id"])
async def test_an_id_that_is_none_is_refused(journal: "JournalServiceAsyncStub", field: str) -> None:
    request = pb.GetDigestsRequest()
    setattr(request, field, b"x")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await told(journal, request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert field in (refused.value.details() or "")
