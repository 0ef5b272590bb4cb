"""What the stream really holds decides where publishing goes on."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from bus.event import Event
from bus.tail import GoOn, Memory, Stop, Tail, compare

CREATED, ANEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
EPOCH, OTHER_EPOCH = UUID(int=1), UUID(int=2)


def event(seq: int, *, epoch: UUID = EPOCH, event_id: UUID | None = None) -> Event:
    return Event(epoch, 0, seq, event_id or UUID(int=100 + seq), None, UUID(int=9), 1, "t", CREATED, "", b"")


REMEMBERED = Memory(published=5, event_id=UUID(int=105), stream_created=CREATED, stream_sequence=50)


def decide(
    tail: Tail | None,
    *,
    memory: Memory = REMEMBERED,
    created: datetime = CREATED,
    first_seq: int = 1,
    known: int | None = None,
) -> GoOn | Stop:
    return compare(
        memory,
        tail,
        created=created,
        first_seq=first_seq,
        epoch=EPOCH,
        known=None if known is None else UUID(int=known),
    )


def test_a_new_lane_begins_at_the_beginning() -> None:
    assert decide(None, memory=Memory()) == GoOn(0, 0, None)


def test_an_unchanged_tail_goes_on_where_it_was() -> None:
    assert decide(Tail(50, event(5)), known=105) == GoOn(5, 50, UUID(int=105))


def test_a_lost_acknowledgement_is_found_published() -> None:
    assert decide(Tail(62, event(7)), known=107) == GoOn(7, 62, UUID(int=107))


def test_a_rolled_back_stream_gets_its_messages_again() -> None:
    assert decide(Tail(30, event(3)), known=103) == GoOn(3, 30, UUID(int=103))


def test_a_lane_whose_messages_aged_out_goes_on_behind_them() -> None:
    assert decide(None, first_seq=51) == GoOn(5, 0, UUID(int=105))


def test_a_lane_emptied_while_others_kept_theirs_gets_everything_again() -> None:
    assert decide(None, first_seq=50) == GoOn(0, 0, None)


def test_a_wiped_stream_gets_everything_again() -> None:
    assert decide(None, created=ANEW, first_seq=51) == GoOn(0, 0, None)


@pytest.mark.parametrize(
    ("tail", "known", "reason"),
    [
        (Tail(50, None), None, "not an event of this source"),
        (Tail(50, event(5, epoch=OTHER_EPOCH)), 105, "epoch"),
        (Tail(50, event(9)), None, "does not have"),
        (Tail(50, event(5)), 999, "another event"),
    ],
)
def test_a_tail_that_the_journal_does_not_explain_stops_the_lane(tail: Tail, known: int | None, reason: str) -> None:
    found = decide(tail, known=known)
    assert isinstance(found, Stop)
    assert reason in found.reason
