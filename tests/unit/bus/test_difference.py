"""What a copy shows of an aggregate is right, or a difference of one kind."""

from uuid import UUID

import pytest
from training.ops.v1.operations_service_pb2 import AuditDifference

from bus.audit.difference import Difference, Kind, judge
from bus.audit.listed import ListedRow
from bus.following.source_answers import SourceEntry
from bus.lanes import lane_of

KEY, EVENT, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
PUBLISHED = SourceEntry(KEY, 4, EVENT)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (ListedRow(KEY, 4, EVENT, intact=True), None),
        (None, Kind.MISSING),
        (ListedRow(KEY, None, None, intact=False), Kind.MISSING),
        (ListedRow(KEY, 3, OTHER, intact=True), Kind.STALE),
        (ListedRow(KEY, 3, OTHER, intact=False), Kind.ALTERED),
        (ListedRow(KEY, 4, EVENT, intact=False), Kind.ALTERED),
        (ListedRow(KEY, 4, OTHER, intact=True), Kind.ALTERED),
        (ListedRow(KEY, 5, OTHER, intact=True), Kind.ALTERED),
    ],
)
def test_what_is_shown_is_judged_by_what_is_published(shown: ListedRow | None, kind: Kind | None) -> None:
    """No revision means that there are parts without a row."""
    verdict = judge(PUBLISHED, shown)
    assert (verdict and verdict[0]) == kind


def test_what_the_source_does_not_have_is_too_much() -> None:
    """Its parts alone too."""
    for revision in (4, None):
        verdict = judge(None, ListedRow(KEY, revision, EVENT, intact=True))
        assert verdict is not None
        assert verdict[0] is Kind.EXTRA
    assert judge(None, None) is None


def test_a_difference_is_told_with_the_revisions_that_there_are() -> None:
    """What one side does not have is absent, not 0."""
    missing = Difference(Kind.MISSING, "offer", KEY, PUBLISHED, None, 9, 9, "gone", repaired=True).message()
    assert missing == AuditDifference(
        kind=AuditDifference.KIND_MISSING,
        source="offer",
        aggregate_id=str(KEY),
        source_revision=4,
        lane=lane_of(KEY),
        source_seq=9,
        applied_seq=9,
        repaired=True,
        detail="gone",
    )
    extra = Difference(Kind.EXTRA, "offer", KEY, None, ListedRow(KEY, 4, EVENT, intact=True), 9, 9, "").message()
    assert (extra.HasField("source_revision"), extra.revision) == (False, 4)
