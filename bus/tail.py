"""Comparing what the relay remembers of a lane with the lane's real tail in the stream.

The decision is a pure function, so that every case is a test. What the stream holds, not what the relay remembers, says
where publishing goes on: a lost acknowledgement is found published, and lost messages are published again.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bus.event import Event


@dataclass(frozen=True, slots=True)
class Memory:
    """What the relay remembers of a lane: where `published` stands in the stream that was made at `stream_created`."""

    published: int = 0
    event_id: UUID | None = None
    stream_created: datetime | None = None
    stream_sequence: int = 0


@dataclass(frozen=True, slots=True)
class Tail:
    """The last message of a lane in the stream; `event` is None when it is not one of ours."""

    stream_sequence: int
    event: Event | None


@dataclass(frozen=True, slots=True)
class GoOn:
    """Publish what follows `published`; `fence` is the stream sequence that the lane must end with."""

    published: int
    fence: int
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Publishing on would lose or invert something; `reason` says what was found."""

    reason: str
    foreign_epoch: bool = False


def compare(
    memory: Memory, tail: Tail | None, *, created: datetime, first_seq: int, epoch: UUID, known: UUID | None
) -> GoOn | Stop:
    """Decide where a lane's publishing goes on.

    `created` and `first_seq` describe the stream as it is, `epoch` is the lane's. `known` is the id of the journal's
    event with the tail's sequence number, None when the journal has none.
    """
    if tail is None:
        aged_out = memory.stream_created == created and first_seq > memory.stream_sequence > 0
        return GoOn(memory.published, 0, memory.event_id) if aged_out else GoOn(0, 0, None)
    event = tail.event
    if event is None:
        return Stop(f"the message at stream sequence {tail.stream_sequence} is not an event of this source")
    if event.epoch != epoch:
        return Stop(f"the stream ends in epoch {event.epoch}, the journal is in epoch {epoch}", foreign_epoch=True)
    if known is None:
        return Stop(f"the stream ends with seq {event.seq}, which the journal does not have")
    if known != event.event_id:
        return Stop(f"seq {event.seq} is another event in the stream ({event.event_id}) than in the journal ({known})")
    return GoOn(event.seq, tail.stream_sequence, event.event_id)
