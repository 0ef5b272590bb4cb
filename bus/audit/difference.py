"""A difference between a copy and its source."""

from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from training.ops.v1 import operations_service_pb2 as pb

from bus.audit.listed import ListedRow
from bus.following.source_answers import SourceEntry
from bus.lanes import lane_of


class Kind(IntEnum):
    """What kind of difference."""

    MISSING = pb.AuditDifference.KIND_MISSING
    EXTRA = pb.AuditDifference.KIND_EXTRA
    STALE = pb.AuditDifference.KIND_STALE
    ALTERED = pb.AuditDifference.KIND_ALTERED
    PARKED = pb.AuditDifference.KIND_PARKED


@dataclass(frozen=True, slots=True)
class Difference:
    """What the source published last of an aggregate, and what the copy shows of it instead.

    `source_seq` and `applied_seq` are of its lane, when the two were read.
    """

    kind: Kind
    source: str
    aggregate_id: UUID
    published: SourceEntry | None
    shown: ListedRow | None
    source_seq: int
    applied_seq: int
    detail: str
    repaired: bool = False

    def message(self) -> pb.AuditDifference:
        """Return it as it is told."""
        told = pb.AuditDifference(
            kind=self.kind.value,
            source=self.source,
            aggregate_id=str(self.aggregate_id),
            lane=lane_of(self.aggregate_id),
            source_seq=self.source_seq,
            applied_seq=self.applied_seq,
            repaired=self.repaired,
            detail=self.detail,
        )
        if self.published is not None:
            told.source_revision = self.published.revision
        if self.shown is not None and self.shown.revision is not None:
            told.revision = self.shown.revision
        return told


def judge(published: SourceEntry | None, shown: ListedRow | None) -> "tuple[Kind, str] | None":
    """Tell what is different, if anything, where the copy should show what the source published last."""
    if published is None:
        return None if shown is None else (Kind.EXTRA, "the source has published no such aggregate")
    if shown is None:
        return Kind.MISSING, "the copy has no row"
    if shown.revision is None:
        return Kind.MISSING, "the copy has parts without a row"
    if not shown.intact:
        return Kind.ALTERED, "a checksum of the row or of its parts does not hold, or a part is missing or too many"
    if shown.revision < published.revision:
        return Kind.STALE, f"event {shown.event_id} instead of {published.event_id}"
    if shown.revision > published.revision:
        return Kind.ALTERED, "the source has published no such revision"
    if shown.event_id != published.event_id:
        return Kind.ALTERED, f"event {shown.event_id} instead of {published.event_id}"
    return None
