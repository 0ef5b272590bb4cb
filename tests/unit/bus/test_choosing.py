"""What a run of events comes to."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bus.event import EPOCH_STARTED, Event
from bus.following.checkpoint import Checkpoint, LaneCheckpoint
from bus.following.choosing import choose, stopped, unstopped
from bus.lanes import LANES

FIRST, SECOND = UUID(int=1), UUID(int=2)
NOTHING = Checkpoint("thing")


def event(seq: int, lane: int = 0, *, epoch: UUID = FIRST, kind: str = "t", previous: int | None = None) -> Event:
    """Make an event that follows the one before it, unless another `previous` is given."""
    before = seq - 1 if previous is None else previous
    previous_id = UUID(int=100 * lane + before) if before else None
    event_id, time = UUID(int=100 * lane + seq), datetime(2026, 1, 1, tzinfo=UTC)
    return Event(epoch, lane, seq, event_id, previous_id, UUID(int=9), seq, kind, time, "", b"")


def test_what_follows_is_to_be_applied_and_what_is_no_event_is_passed_by() -> None:
    choice = choose(NOTHING, [event(1), None, event(1, lane=3), event(2)])
    assert [each.seq for each in choice.events] == [1, 1, 2]
    assert (choice.lanes[0].seq, choice.lanes[3].seq, choice.taken, choice.settled) == (2, 1, 4, 4)


def test_a_run_ends_before_a_gap() -> None:
    choice = choose(NOTHING, [event(1), event(3), event(1, lane=3)])
    assert (choice.gap, choice.taken, choice.settled) == (event(3), 1, 1)
    assert choice.lanes[3].seq == 0


def test_a_run_ends_before_an_epoch_that_does_not_go_on_from_what_was_applied() -> None:
    later = event(2, epoch=SECOND, kind=EPOCH_STARTED, previous=7)
    choice = choose(NOTHING, [event(1), later, event(2)])
    assert (choice.later, choice.taken, [each.seq for each in choice.events]) == (later, 1, [1])


def test_the_beginning_of_an_epoch_moves_its_lane_and_is_not_applied() -> None:
    choice = choose(NOTHING, [event(1), event(2, epoch=SECOND, kind=EPOCH_STARTED), event(3, epoch=SECOND)])
    assert [each.seq for each in choice.events] == [1, 3]
    assert choice.lanes[0] == LaneCheckpoint(SECOND, 3, UUID(int=3))


def test_what_is_left_of_an_earlier_epoch_is_dropped_and_counted() -> None:
    before = replace(NOTHING, lanes=(LaneCheckpoint(SECOND, 3, UUID(int=3)), *NOTHING.lanes[1:]))
    choice = choose(before, [event(1), event(4), event(4, epoch=SECOND)])
    assert (choice.dropped, [each.epoch for each in choice.events], choice.settled) == (2, [SECOND], 3)


def test_a_divergence_stops_its_lane_alone_and_nothing_after_it_is_settled() -> None:
    choice = choose(NOTHING, [event(1), event(2, previous=7), event(3), event(1, lane=3)])
    assert choice.lanes[0].stopped is not None
    assert choice.lanes[0].stopped.startswith("divergence: seq 2")
    assert (choice.lanes[0].seq, choice.lanes[3].seq, choice.taken, choice.settled) == (1, 1, 4, 1)


def test_a_stopped_lane_is_woken_by_an_epoch_that_follows_what_was_applied() -> None:
    before = stopped(replace(NOTHING, lanes=(LaneCheckpoint(FIRST, 1, UUID(int=1)), *NOTHING.lanes[1:])), 0, "a test")
    choice = choose(before, [event(2), event(2, epoch=SECOND, kind=EPOCH_STARTED), event(3, epoch=SECOND)])
    assert choice.lanes[0] == LaneCheckpoint(SECOND, 3, UUID(int=3))
    assert (choice.settled, [each.epoch for each in choice.events]) == (3, [SECOND])


def test_a_stopped_lane_that_had_no_event_yet_is_woken_too_whichever_lane_begins_the_epoch_first() -> None:
    forged = event(1, lane=3, previous=7)
    begun = [event(2, epoch=SECOND, kind=EPOCH_STARTED), event(1, lane=3, epoch=SECOND, kind=EPOCH_STARTED)]
    for order in (begun, begun[::-1]):
        choice = choose(NOTHING, [event(1), forged, *order, event(2, lane=3, epoch=SECOND)])
        assert choice.lanes[3] == LaneCheckpoint(SECOND, 2, UUID(int=302))
        assert [(each.lane, each.seq) for each in choice.events] == [(0, 1), (3, 2)]


def test_an_event_for_which_there_is_no_room_stops_its_lane_before_it() -> None:
    full = event(2)
    choice = choose(NOTHING, [event(1), full, event(3), event(1, lane=3)], no_room=frozenset({full.event_id}))
    assert [each.seq for each in choice.events] == [1, 1]
    assert "parked" in (choice.lanes[0].stopped or "")


def test_lanes_go_on_by_name_or_all_at_once() -> None:
    both = stopped(stopped(NOTHING, 1, "one"), 2, "two")
    assert [lane.stopped for lane in unstopped(both, 1).lanes[1:3]] == [None, "two"]
    assert unstopped(both) == NOTHING


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 1)), max_size=40))
def test_however_a_run_is_cut_it_comes_to_the_same(arrivals: list[tuple[int, int]]) -> None:
    events = [event(seq, lane) for seq, lane in arrivals]
    whole = choose(NOTHING, events)
    at, applied = NOTHING, list[Event]()
    for each in events[: whole.taken]:
        choice = choose(at, [each])
        at, applied = replace(at, lanes=choice.lanes), [*applied, *choice.events]
    assert (at.lanes, applied) == (whole.lanes, whole.events)
    assert len(at.lanes) == LANES
