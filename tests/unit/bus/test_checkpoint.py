"""What an event is to its lane."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.event import EPOCH_STARTED, Event
from bus.following.checkpoint import Checkpoint, LaneCheckpoint, Verdict, advanced, judge
from bus.lanes import LANES
from bus.tokens import Position

EARLIER, EPOCH, LATER = UUID(int=1), UUID(int=2), UUID(int=3)
AT_FIVE = LaneCheckpoint(EPOCH, 5, UUID(int=105))


def event(
    seq: int,
    *,
    epoch: UUID = EPOCH,
    event_id: int | None = None,
    previous: int | None = None,
    lane: int = 0,
    kind: str = "t",
) -> Event:
    before = UUID(int=100 + seq - 1) if previous is None else UUID(int=previous)
    return Event(
        epoch,
        lane,
        seq,
        UUID(int=event_id or 100 + seq),
        None if seq == 1 and previous is None else before,
        UUID(int=9),
        1,
        kind,
        datetime(2026, 1, 1, tzinfo=UTC),
        "",
        b"",
    )


@pytest.mark.parametrize(
    ("given_event", "verdict"),
    [
        (event(6), Verdict.NEXT),
        (event(5), Verdict.DUPLICATE),
        (event(2), Verdict.DUPLICATE),
        (event(7), Verdict.GAP),
        (event(5, event_id=999), Verdict.DIVERGED),
        (event(6, previous=999), Verdict.DIVERGED),
        (event(6, epoch=EARLIER), Verdict.EARLIER_EPOCH),
        (event(1, epoch=EARLIER), Verdict.EARLIER_EPOCH),
        (event(6, epoch=EARLIER, kind=EPOCH_STARTED), Verdict.EARLIER_EPOCH),
        (event(6, epoch=LATER), Verdict.LATER_EPOCH),
        (event(5, epoch=LATER), Verdict.LATER_EPOCH),
        (event(1, epoch=LATER), Verdict.LATER_EPOCH),
        (event(6, epoch=LATER, kind=EPOCH_STARTED), Verdict.EPOCH_IN_PLACE),
        (event(6, epoch=LATER, kind=EPOCH_STARTED, previous=999), Verdict.LATER_EPOCH),
        (event(5, epoch=LATER, kind=EPOCH_STARTED, previous=105), Verdict.LATER_EPOCH),
        (event(7, epoch=LATER, kind=EPOCH_STARTED), Verdict.LATER_EPOCH),
        (event(6, kind=EPOCH_STARTED), Verdict.NEXT),
    ],
)
def test_a_lane_judges_each_event(given_event: Event, verdict: Verdict) -> None:
    assert judge(AT_FIVE, given_event, EPOCH) is verdict


def test_an_empty_lane_takes_the_first_event_and_its_epoch() -> None:
    assert judge(LaneCheckpoint(), event(1), None) is Verdict.NEXT
    assert advanced(LaneCheckpoint(), event(1)) == LaneCheckpoint(EPOCH, 1, UUID(int=101))


def test_an_empty_lane_does_not_begin_in_the_middle() -> None:
    assert judge(LaneCheckpoint(), event(4), None) is Verdict.GAP


@given(st.lists(st.integers(1, 12), max_size=60))
def test_however_events_arrive_a_lane_never_skips_and_never_repeats(seqs: list[int]) -> None:
    lane, applied = LaneCheckpoint(), []
    for seq in seqs:
        if judge(lane, event(seq), lane.epoch) is Verdict.NEXT:
            applied.append(seq)
            lane = advanced(lane, event(seq))
    assert applied == list(range(1, len(applied) + 1))


def test_a_position_speaks_of_the_lanes_that_have_begun() -> None:
    lanes = (AT_FIVE, *(LaneCheckpoint(),) * (LANES - 1))
    position = replace(Checkpoint("program"), lanes=lanes).position()
    assert position is not None
    assert (position.epoch, dict(position.lanes)) == (EPOCH, {0: 5})
    assert Checkpoint("program").position() is None


@pytest.mark.parametrize(
    ("given_event", "verdict"),
    [
        (event(1), Verdict.NEXT),
        (event(1, epoch=EARLIER), Verdict.NEXT),
        (event(1, epoch=LATER), Verdict.LATER_EPOCH),
        (event(1, epoch=LATER, kind=EPOCH_STARTED), Verdict.EPOCH_IN_PLACE),
        (event(2, epoch=LATER, kind=EPOCH_STARTED), Verdict.LATER_EPOCH),
    ],
)
def test_a_lane_that_has_not_begun_begins_in_no_later_epoch_than_the_others(
    given_event: Event, verdict: Verdict
) -> None:
    assert judge(LaneCheckpoint(), given_event, EPOCH) is verdict


def test_a_copy_that_is_being_built_takes_over_no_epoch_in_place() -> None:
    begun = event(6, epoch=LATER, kind=EPOCH_STARTED)
    assert judge(AT_FIVE, begun, EPOCH, building=True) is Verdict.LATER_EPOCH


def test_a_position_of_lanes_in_two_epochs_is_in_the_earlier_one() -> None:
    lanes = (AT_FIVE, LaneCheckpoint(LATER, 8, UUID(int=1)), *(LaneCheckpoint(),) * (LANES - 2))
    assert Checkpoint("program", lanes=lanes).position() == Position(EPOCH, {0: 5, 1: 8})
