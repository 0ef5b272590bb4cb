"""`as_of` moves with confirmed beacons only."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from uuid import UUID

import pytest

from bus.freshness import Beacon, Freshness, beacon_in
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
