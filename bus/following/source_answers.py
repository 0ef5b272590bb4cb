"""What a source answers to those who read its journal, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from training.ops.v1 import journal_service_pb2 as pb

from bus.event import Event
from bus.following.checkpoint import LaneCheckpoint
from bus.lanes import LANES, lane_of
from bus.tokens import Position

SNAPSHOT: Final = "training.ops.v1.Snapshot"
"""The type of a snapshot's entry when it is taken as an event."""


@dataclass(frozen=True, slots=True)
class SourceHeads:
    """The heads of all lanes of a source in one snapshot, at a time of its database.

    `lanes` are the checkpoints of a copy that contains everything committed; `published` tells the last sequence number
    published by lane.
    """

    source: str
    epoch: UUID
    time: datetime
    lanes: tuple[LaneCheckpoint, ...]
    published: tuple[int, ...]

    @property
    def committed(self) -> Position:
        """The position of what is committed."""
        return Position(self.epoch, {number: lane.seq for number, lane in enumerate(self.lanes) if lane.seq})

    @classmethod
    def of(cls, heads: pb.LaneHeads) -> "SourceHeads":
        """Read them. Raises ValueError for what are no heads."""
        if [lane.lane for lane in heads.lanes] != list(range(LANES)):
            raise ValueError("not the heads of all lanes")
        epoch = UUID(bytes=heads.epoch)
        lanes = tuple(LaneCheckpoint(epoch, lane.committed, _id_or_none(lane.event_id)) for lane in heads.lanes)
        return cls(
            heads.source, epoch, heads.time.ToDatetime(UTC), lanes, tuple(lane.published for lane in heads.lanes)
        )


@dataclass(frozen=True, slots=True)
class SnapshotChunk:
    """A part of what is published: `entries` in order of ids, and the heads when they were read.

    An entry is an event of the type `SNAPSHOT`, with seq 0 and the id of the event that published the state last.
    `total` is about how many entries there are in all.
    """

    entries: Sequence[Event]
    heads: SourceHeads
    total: int


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """What the source published last of one aggregate."""

    id: UUID
    revision: int
    event_id: UUID


@dataclass(frozen=True, slots=True)
class SourceRange:
    """The digest of the ids after one (None: from the first) up to another; `entries` only if asked for."""

    after_id: UUID | None
    up_to_id: UUID
    count: int
    digest: int
    heads: SourceHeads
    entries: Sequence[SourceEntry]


def _event(entry: pb.JournalEntry) -> Event:
    return Event(
        _id(entry.epoch),
        entry.lane,
        entry.seq,
        _id(entry.event_id),
        _id_or_none(entry.previous_event_id),
        _id(entry.aggregate_id),
        entry.revision,
        entry.type,
        entry.time.ToDatetime(UTC),
        entry.traceparent,
        entry.body,
    )


def events_of(answer: pb.ReadJournalResponse) -> list[Event]:
    """Return the events of a part of a journal. Raises ValueError."""
    return [_event(entry) for entry in answer.entries]


def chunk_of(answer: pb.ExportSnapshotResponse) -> SnapshotChunk:
    """Return a chunk of a snapshot. Raises ValueError."""
    heads = SourceHeads.of(answer.heads)
    return SnapshotChunk([_entry(entry, heads) for entry in answer.entries], heads, answer.total)


def range_of(answer: pb.GetDigestsResponse) -> SourceRange:
    """Return the digest of a range. Raises ValueError."""
    entries = [SourceEntry(_id(each.aggregate_id), each.revision, _id(each.event_id)) for each in answer.entries]
    after, heads = _id_or_none(answer.after_id), SourceHeads.of(answer.heads)
    return SourceRange(after, _id(answer.up_to_id), answer.count, answer.digest, heads, entries)


def _entry(entry: pb.SnapshotEntry, heads: SourceHeads) -> Event:
    aggregate_id, event_id = _id(entry.aggregate_id), _id(entry.event_id)
    lane = lane_of(aggregate_id)
    return Event(
        heads.epoch, lane, 0, event_id, None, aggregate_id, entry.revision, SNAPSHOT, heads.time, "", entry.body
    )


def _id(raw: bytes) -> UUID:
    return UUID(bytes=raw)


def _id_or_none(raw: bytes) -> UUID | None:
    return UUID(bytes=raw) if raw else None
