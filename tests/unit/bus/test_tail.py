"""What the stream really holds decides where publishing goes on."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bus.event import Event
from bus.relay.tail import NEWEST, GoOn, Lane, Memory, Stop, Tail, WalkPast, compare, from_memory

CREATED, ANEW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 2, tzinfo=UTC)
EPOCH, EARLIER, LATER = UUID(int=5), UUID(int=4), UUID(int=6)


def event(seq: int, *, epoch: UUID = EPOCH, event_id: UUID | None = None) -> Event:
    return Event(epoch, 0, seq, event_id or UUID(int=100 + seq), None, UUID(int=9), 1, "t", CREATED, "", b"")


REMEMBERED = Memory(published=5, event_id=UUID(int=105), stream_created=CREATED, stream_sequence=50)
LANE = Lane(EPOCH, head=8, first=1, memory=REMEMBERED)


def decide(
    tail: Tail | None,
    *,
    lane: Lane = LANE,
    created: datetime = CREATED,
    first_seq: int = 1,
    known: int | None = None,
) -> GoOn | WalkPast | Stop:
    return compare(lane, tail, created=created, first_seq=first_seq, known=None if known is None else UUID(int=known))


def test_a_new_lane_begins_at_the_beginning() -> None:
    assert decide(None, lane=replace(LANE, memory=Memory())) == GoOn(0, 0, None, 0)


def test_an_unchanged_tail_goes_on_where_it_was() -> None:
    assert decide(Tail(50, event(5)), known=105) == GoOn(5, 50, UUID(int=105), 50)


def test_a_lost_acknowledgement_is_found_published() -> None:
    assert decide(Tail(62, event(7)), known=107) == GoOn(7, 62, UUID(int=107), 62)


def test_a_rolled_back_stream_gets_its_messages_again() -> None:
    assert decide(Tail(30, event(3)), known=103) == GoOn(3, 30, UUID(int=103), 30)


def test_a_lane_whose_messages_aged_out_goes_on_behind_them_as_often_as_it_is_asked() -> None:
    found = decide(None, first_seq=51)
    assert found == GoOn(5, 0, UUID(int=105), 50)
    remembered = Memory(found.published, found.event_id, CREATED, found.stream_sequence)
    assert decide(None, lane=replace(LANE, memory=remembered), first_seq=51) == found


def test_a_lane_emptied_while_others_kept_theirs_gets_everything_again() -> None:
    assert decide(None, first_seq=50) == GoOn(0, 0, None, 0)


def test_a_wiped_stream_gets_everything_again() -> None:
    assert decide(None, created=ANEW, first_seq=51) == GoOn(0, 0, None, 0)


def test_of_many_lost_events_the_newest_are_published_again() -> None:
    memory = replace(REMEMBERED, published=NEWEST + 20)
    lane = replace(LANE, head=NEWEST + 30, memory=memory)
    assert decide(None, lane=lane, created=ANEW) == GoOn(30, 0, None, 0)


def test_what_waits_is_never_passed_over_however_much_it_is() -> None:
    lane = replace(LANE, head=NEWEST + 500)
    assert decide(None, lane=lane, created=ANEW) == GoOn(5, 0, UUID(int=105), 0)


def test_nothing_is_published_again_from_below_what_the_journal_has() -> None:
    assert decide(None, lane=replace(LANE, first=4), created=ANEW) == GoOn(3, 0, None, 0)


def test_a_memory_that_the_journal_does_not_confirm_is_not_gone_by() -> None:
    """It is of another database: what it calls published may never have been."""
    lane = replace(LANE, confirmed=False)
    assert from_memory(lane, 70, created=CREATED, first_seq=51) == GoOn(0, 70, None, 0)


def test_a_tail_of_an_earlier_epoch_is_walked_past() -> None:
    assert decide(Tail(70, event(9, epoch=EARLIER))) == WalkPast(70)
    assert decide(Tail(70, event(5, epoch=EARLIER, event_id=UUID(int=999))), known=105) == WalkPast(70)


def test_a_tail_of_an_earlier_epoch_that_the_journal_has_is_gone_on_from() -> None:
    assert decide(Tail(50, event(5, epoch=EARLIER)), known=105) == GoOn(5, 50, UUID(int=105), 50)


def test_a_message_that_is_no_event_is_walked_past() -> None:
    assert decide(Tail(70, None)) == WalkPast(70)


def test_a_tail_below_what_the_journal_has_counts_as_known() -> None:
    lane = replace(LANE, first=4)
    assert decide(Tail(30, event(3)), lane=lane) == GoOn(3, 30, UUID(int=103), 30)
    assert decide(Tail(20, event(2)), lane=lane) == GoOn(3, 20, None, 20)


@pytest.mark.parametrize(
    ("tail", "known", "reason"),
    [
        (Tail(50, event(5, epoch=LATER)), 999, "superseded"),
        (Tail(50, event(1, epoch=LATER)), None, "superseded"),
        (Tail(50, event(9)), None, "does not have"),
        (Tail(50, event(5)), 999, "another event"),
    ],
)
def test_a_tail_that_another_database_published_stops_publishing(tail: Tail, known: int | None, reason: str) -> None:
    found = decide(tail, known=known)
    assert isinstance(found, Stop)
    assert reason in found.reason
