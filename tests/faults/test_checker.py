"""The judge bites: each kind of fault that it looks for is found in a history that is wrong in just that way."""

from dataclasses import replace
from uuid import UUID, uuid4
from zlib import crc32

import pytest

from tests.faults import checker
from tests.faults.evidence import EPOCH_STARTED, Entry
from tests.faults.history import Outcome, Told

EPOCH, ONE, OTHER = uuid4(), UUID(int=1), uuid4()
LANE = crc32(ONE.bytes) % 16


def journal(count: int) -> list[Entry]:
    """Return a right lane of so many revisions of one aggregate."""
    ids = [uuid4() for _ in range(count)]
    return [
        Entry(LANE, at + 1, EPOCH, ids[at], ids[at - 1] if at else None, ONE, at + 1, "test.Raised", b"")
        for at in range(count)
    ]


def told(request_id: UUID, outcome: Outcome, revision: int = 1) -> Told:
    return Told("program", "CreateProgram", ONE, request_id, outcome, revision)


def test_a_right_history_has_nothing_wrong() -> None:
    right = journal(4)
    request = uuid4()
    assert not list(checker.lanes(right))
    assert not list(checker.revisions(right, {ONE: 4}))
    assert not list(checker.same_order(right, right))
    assert not list(checker.outcomes([(request, ONE, 1)], [told(request, Outcome.ACCEPTED)], all_known=True))


@pytest.mark.parametrize(
    ("at", "changed"),
    [
        (2, {"seq": 7}),
        (2, {"previous": OTHER}),
        (0, {"previous": OTHER}),
        (1, {"epoch": OTHER}),
        (1, {"lane": LANE ^ 1}),
    ],
)
def test_a_lane_with_a_gap_or_a_broken_chain_is_found(at: int, changed: dict[str, int | UUID]) -> None:
    wrong = journal(4)
    wrong[at] = replace(wrong[at], **changed)  # type: ignore[arg-type] # the fields are named above
    assert list(checker.lanes(wrong))


def test_a_revision_that_is_lost_doubled_or_not_in_its_row_is_found() -> None:
    right = journal(3)
    assert list(checker.revisions([right[0], right[2]], {ONE: 3}))
    assert list(checker.revisions([right[0], right[0], right[1]], {ONE: 2}))
    assert list(checker.revisions(right, {ONE: 2}))
    assert list(checker.revisions(right, {ONE: 3, OTHER: 1}))


def test_a_stream_that_lost_doubled_swapped_or_changed_an_event_is_found() -> None:
    right = journal(4)
    for wrong in (
        right[:3],
        [*right, right[3]],
        [right[0], right[2], right[1], right[3]],
        [*right[:3], replace(right[3], body=b"other")],
    ):
        assert list(checker.same_order(right, wrong))


def test_an_accepted_command_that_is_lost_doubled_or_elsewhere_is_found() -> None:
    request = uuid4()
    accepted = [told(request, Outcome.ACCEPTED)]
    for recorded in ([], [(request, ONE, 1)] * 2, [(request, ONE, 2)], [(request, OTHER, 1)]):
        assert list(checker.outcomes(recorded, accepted, all_known=True))


def test_a_refused_command_that_is_recorded_an_unknown_one_twice_and_one_that_nobody_sent_are_found() -> None:
    request = uuid4()
    assert list(checker.outcomes([(request, ONE, 1)], [told(request, Outcome.REFUSED)], all_known=True))
    assert list(checker.outcomes([(request, ONE, 1)] * 2, [told(request, Outcome.UNKNOWN)], all_known=True))
    assert list(checker.outcomes([(request, ONE, 1)], [], all_known=True))
    assert not list(checker.outcomes([(request, ONE, 1)], [told(request, Outcome.UNKNOWN)], all_known=True))


def test_an_epoch_that_begins_in_a_lane_is_right_only_as_a_later_one_with_its_own_event() -> None:
    earlier, later = UUID(int=5), UUID(int=6)
    before = [replace(entry, epoch=earlier) for entry in journal(2)]
    begun = Entry(LANE, 3, later, uuid4(), before[1].event_id, later, LANE + 1, EPOCH_STARTED, b"epoch")
    after = replace(journal(3)[2], seq=4, epoch=later, previous=begun.event_id)
    right = [*before, begun, after]
    assert not list(checker.lanes(right))
    assert not list(checker.revisions(right, {ONE: 3}))
    for wrong in (replace(begun, epoch=UUID(int=4)), replace(begun, type="test.Raised"), replace(begun, previous=None)):
        assert list(checker.lanes([*before, wrong, after]))
    assert list(checker.revisions([*before, replace(begun, revision=9), after], {ONE: 3}))
