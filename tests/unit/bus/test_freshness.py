"""`as_of` moves with confirmed beacons only."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import pytest

from bus.freshness.freshness import Beacon, Freshness, beacon_in
from bus.tokens import Position

EPOCH = UUID(int=1)
START = datetime(2026, 1, 1, tzinfo=UTC)


def beacon(second: int, **committed: int) -> Beacon:
    lanes = {int(name[1:]): seq for name, seq in committed.items()}
    return Beacon(
        "thing", Position(EPOCH, lanes), Position(EPOCH, lanes), START + timedelta(seconds=second), monotonic()
    )


def at(**lanes: int) -> Position:
    return Position(EPOCH, {int(name[1:]): seq for name, seq in lanes.items()})


def test_a_copy_at_the_heads_is_as_fresh_as_the_beacon() -> None:
    freshness = Freshness()
    freshness.heard(beacon(1, l0=5), at(l0=5))
    assert freshness.as_of == START + timedelta(seconds=1)


def test_a_copy_behind_becomes_fresh_when_it_arrives() -> None:
    freshness = Freshness()
    freshness.heard(beacon(1, l0=5), at(l0=4))
    assert freshness.as_of is None
    freshness.heard(beacon(2, l0=7), at(l0=4))
    freshness.came_to(at(l0=5))
    assert freshness.as_of == START + timedelta(seconds=1)
    freshness.came_to(at(l0=7))
    assert freshness.as_of == START + timedelta(seconds=2)


def test_without_beacons_it_stands_still() -> None:
    freshness = Freshness()
    freshness.heard(beacon(1, l0=5), at(l0=5))
    freshness.came_to(at(l0=99))
    assert freshness.as_of == START + timedelta(seconds=1)


def test_one_lane_behind_holds_it_back() -> None:
    freshness = Freshness()
    freshness.heard(beacon(1, l0=5, l1=1), at(l0=50))
    assert freshness.as_of is None


def test_an_empty_source_is_contained_by_an_empty_copy() -> None:
    freshness = Freshness()
    freshness.heard(beacon(1), None)
    assert freshness.as_of == START + timedelta(seconds=1)


def test_it_never_goes_backwards() -> None:
    freshness = Freshness(START + timedelta(seconds=9))
    freshness.heard(beacon(1), None)
    assert freshness.as_of == START + timedelta(seconds=9)


def test_another_epoch_is_not_contained() -> None:
    freshness = Freshness()
    freshness.heard(beacon(1, l0=5), Position(UUID(int=2), {0: 9}))
    assert freshness.as_of is None


def test_a_copy_that_stays_far_behind_is_told_how_fresh_it_is_all_the_same() -> None:
    freshness = Freshness()
    for second in range(1, 600):
        freshness.heard(beacon(second, l0=second), at(l0=max(second - 100, 0)))
    assert freshness.as_of is not None
    assert START + timedelta(seconds=200) < freshness.as_of < START + timedelta(seconds=500)


def test_it_is_within_a_bound_from_the_coming_of_its_beacon_whatever_the_clocks_say() -> None:
    freshness = Freshness(START)
    assert not freshness.is_within(1e9)
    freshness.heard(beacon(1, l0=5), at(l0=5))
    assert freshness.is_within(5)
    assert not freshness.is_within(-1)


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"", b"\x12\x03abc"])
def test_a_message_that_is_no_beacon_is_passed_by(data: bytes) -> None:
    assert beacon_in(data) is None


def test_lag_is_what_the_source_tells_and_grows_by_this_processs_clock_since_it_was_last_heard() -> None:
    freshness = Freshness()
    assert freshness.lag() is None
    freshness.heard(beacon(1, l0=5), at(l0=5))
    freshness.heard(replace(beacon(4, l0=9), heard=monotonic() - 100), at(l0=5))
    lag = freshness.lag()
    assert lag is not None
    assert timedelta(seconds=103) <= lag < timedelta(seconds=110)


def test_a_source_that_is_silent_grows_old_though_everything_announced_is_applied() -> None:
    freshness = Freshness()
    freshness.heard(replace(beacon(1, l0=5), heard=monotonic() - 60), at(l0=5))
    lag = freshness.lag()
    assert lag is not None
    assert lag >= timedelta(seconds=60)
    assert not freshness.is_within(10)


def test_lag_is_unknown_until_the_source_is_heard_of() -> None:
    assert Freshness(START).lag() is None


def test_each_lane_tells_how_long_its_oldest_event_that_is_not_applied_has_been_announced() -> None:
    freshness = Freshness()
    for ago, committed in ((90, 5), (60, 7), (30, 9)):
        freshness.heard(replace(beacon(100 - ago, l0=committed, l1=2), heard=monotonic() - ago), at(l0=4, l1=2))
    assert _seconds(freshness.waiting(0)) == 90
    assert freshness.waiting(1) is None
    assert freshness.waiting(2) is None
    freshness.came_to(at(l0=6, l1=2))
    assert _seconds(freshness.waiting(0)) == 60
    freshness.came_to(at(l0=9, l1=2))
    assert freshness.waiting(0) is None


def test_a_lane_that_waits_long_still_knows_since_when() -> None:
    freshness = Freshness()
    for second in range(600):
        freshness.heard(replace(beacon(second, l0=second + 1), heard=monotonic() - 600 + second), None)
    assert _seconds(freshness.waiting(0)) == 600


def test_a_later_epoch_is_believed_once_the_copy_has_come_to_it_and_then_an_earlier_one_no_more() -> None:
    freshness, later = Freshness(), UUID(int=2)
    freshness.heard(beacon(1, l0=9), at(l0=5))
    of_later = Position(later, {0: 7})
    freshness.heard(replace(beacon(2), committed=of_later, published=of_later), at(l0=9))
    assert freshness.as_of == START + timedelta(seconds=1)
    assert freshness.waiting(0) is not None
    freshness.came_to(of_later)
    assert freshness.as_of == START + timedelta(seconds=2)
    assert freshness.waiting(0) is None
    freshness.heard(beacon(3, l0=9), of_later)
    assert freshness.as_of == START + timedelta(seconds=2)
    assert freshness.latest is not None
    assert freshness.latest.committed == of_later


def test_a_copy_that_comes_to_a_later_epoch_leaves_the_beacons_of_the_earlier_one_behind() -> None:
    freshness, later = Freshness(), UUID(int=2)
    freshness.heard(beacon(1, l0=9), at(l0=5))
    freshness.came_to(Position(later, {0: 3}))
    assert freshness.as_of is None
    of_later = Position(later, {0: 3})
    freshness.heard(replace(beacon(2), committed=of_later, published=of_later), of_later)
    assert freshness.as_of == START + timedelta(seconds=2)


def test_a_stray_beacon_of_a_later_epoch_does_not_silence_the_source() -> None:
    freshness, stray = Freshness(), Position(UUID(int=9), {0: 1})
    freshness.heard(beacon(1, l0=5), at(l0=5))
    freshness.heard(replace(beacon(10_000), committed=stray, published=stray), at(l0=5))
    freshness.heard(beacon(2, l0=6), at(l0=5))
    assert freshness.latest is not None
    assert freshness.latest.committed == at(l0=6)
    freshness.came_to(at(l0=6))
    assert freshness.as_of == START + timedelta(seconds=2)
    assert freshness.is_within(5)
    assert freshness.waiting(0) is None


def test_a_source_whose_clock_is_set_back_is_confirmed_though_its_time_stands_still() -> None:
    freshness = Freshness()
    freshness.heard(replace(beacon(300, l0=5), heard=monotonic() - 60), at(l0=5))
    assert not freshness.is_within(10)
    freshness.heard(beacon(1, l0=5), at(l0=5))
    assert freshness.is_within(10)
    assert freshness.as_of == START + timedelta(seconds=300)
    assert _seconds(freshness.lag()) == 0


def test_a_copy_that_falls_behind_while_the_clock_of_its_source_is_set_back_is_told_as_behind() -> None:
    freshness = Freshness()
    freshness.heard(replace(beacon(300, l0=5), heard=monotonic() - 60), at(l0=5))
    freshness.heard(beacon(1, l0=9), at(l0=5))
    assert _seconds(freshness.lag()) == 60


@pytest.mark.parametrize("reached", [at(l0=5), Position(UUID(int=2), {0: 5})])
def test_an_empty_source_is_not_contained_by_a_copy_that_has_something(reached: Position) -> None:
    freshness = Freshness()
    freshness.heard(replace(beacon(86_400), committed=Position(UUID(int=3)), published=Position(UUID(int=3))), reached)
    assert freshness.as_of is None


def _seconds(span: timedelta | None) -> int:
    assert span is not None
    return round(span.total_seconds())
