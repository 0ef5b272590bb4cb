"""Comparing what the relay remembers of a lane with the lane's real tail in the stream.

The decision is a pure function, so that every case is a test. What the stream holds, not what the relay remembers, says
where publishing goes on: a lost acknowledgement is found published, and lost messages are published again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from bus.event import Event

NEWEST: Final = 10_000
"""How many events of a lane are published again when the stream has lost all of them; followers read older ones in the
journal."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What the relay remembers of a lane: where `published` stands in the stream that was made at `stream_created`."""

    published: int = 0
    event_id: UUID | None = None
    stream_created: datetime | None = None
    stream_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane as the database has it.

    `first` is the first seq that the journal still has, one above `head` when it has none. A memory is `confirmed` when
    the journal has the event it speaks of, or had it before it was trimmed.
    """

    epoch: UUID
    head: int
    first: int
    memory: Memory
    confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Tail:
    """The last message of a lane in the stream; `event` is None when it is not one of ours."""

    stream_sequence: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class GoOn:
    """Publish what follows `published`, which is event `event_id` and stands in the stream at `stream_sequence`.

    `fence` is the stream sequence that the lane must end with.
    """

    published: int
    fence: int
    event_id: UUID | None
    stream_sequence: int


@dataclass(frozen=True, slots=True)
class WalkPast:
    """The lane ends, at `fence`, with what others published; what was published from here lies before it."""

    fence: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Another one publishes what this journal does not have; `reason` says what was found."""

    reason: str


def compare(
    lane: Lane, tail: Tail | None, *, created: datetime, first_seq: int, known: UUID | None
) -> GoOn | WalkPast | Stop:
    """Decide where a lane's publishing goes on.

    `created` and `first_seq` describe the stream as it is. `known` is the id of the journal's event with the tail's
    sequence number, None when the journal has none.
    """
    if tail is None:
        return from_memory(lane, 0, created=created, first_seq=first_seq)
    event, fence = tail.event, tail.stream_sequence
    if event is None:
        return WalkPast(fence)
    if known == event.event_id:
        return GoOn(event.seq, fence, event.event_id, fence)
    if event.epoch < lane.epoch:
        return WalkPast(fence)
    if event.epoch > lane.epoch:
        return Stop(f"superseded: the stream has gone on to epoch {event.epoch}, this database is in {lane.epoch}")
    if event.seq < lane.first:  # trimmed: what lies between is in neither, and followers find the gap
        return GoOn(lane.first - 1, fence, event.event_id if event.seq == lane.first - 1 else None, fence)
    if known is None:
        return Stop(f"the stream ends with seq {event.seq} of this epoch, which the journal does not have")
    return Stop(f"seq {event.seq} is another event in the stream ({event.event_id}) than in the journal ({known})")


def from_first(lane: Lane, at: GoOn) -> GoOn:
    """Go on where the journal begins, if that is later: what it lacks before that nobody can publish."""
    return at if at.published >= lane.first - 1 else GoOn(lane.first - 1, at.fence, None, 0)


def from_memory(lane: Lane, fence: int, *, created: datetime, first_seq: int) -> GoOn:
    """Decide for a lane of which nothing is found in the stream: what was published aged out, or was lost."""
    memory = lane.memory
    if lane.confirmed and memory.stream_created == created and memory.stream_sequence < first_seq:
        return GoOn(memory.published, fence, memory.event_id, memory.stream_sequence)
    oldest = max(lane.head - NEWEST, lane.first - 1)
    if lane.confirmed and memory.published <= oldest:
        return GoOn(memory.published, fence, memory.event_id, 0)
    return GoOn(oldest, fence, None, 0)
