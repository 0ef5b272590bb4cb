from math import inf

from bus.timekeeping.pauses import BREATH_SECONDS, FIRST_SECONDS, LONGEST_SECONDS, PATIENCE, Pauses


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def make() -> tuple[Pauses[str], Clock]:
    clock = Clock()
    return Pauses[str](clock), clock


def lengths(pauses: Pauses[str], clock: Clock, times: int) -> list[float]:
    found = []
    for _ in range(times):
        began = clock.now
        pauses.prolong("a", "it failed")
        while pauses.holds("a"):
            clock.now += 0.5
        found.append(clock.now - began)
    return found


def test_nothing_pauses_before_it_was_tried() -> None:
    pauses, _ = make()
    assert not pauses.holds("a")
    assert len(pauses) == 0


def test_pauses_double_up_to_the_longest() -> None:
    pauses, clock = make()
    assert lengths(pauses, clock, 9) == [FIRST_SECONDS, 1, 2, 4, 8, 16, 32, LONGEST_SECONDS, LONGEST_SECONDS]


def test_one_that_pauses_is_counted_and_holds_no_other() -> None:
    pauses, clock = make()
    pauses.prolong("a", "it failed")
    assert len(pauses) == 1
    assert not pauses.holds("b")
    clock.now += FIRST_SECONDS
    assert len(pauses) == 0


def test_a_reason_is_new_once() -> None:
    pauses, _ = make()
    assert [pauses.prolong("a", reason) for reason in ("x", "x", "y", "y")] == [True, False, True, False]


def test_what_is_not_due_any_more_begins_anew() -> None:
    pauses, clock = make()
    lengths(pauses, clock, 4)
    pauses.prolong("b", "it failed")
    pauses.keep({"b"})
    assert lengths(pauses, clock, 1) == [FIRST_SECONDS]


def test_a_change_ends_the_pause() -> None:
    pauses, clock = make()
    lengths(pauses, clock, 4)
    pauses.prolong("a", "it failed")
    pauses.changed("a")
    assert not pauses.holds("a")
    assert lengths(pauses, clock, 1) == [FIRST_SECONDS]


def test_what_stays_due_through_very_many_changes_takes_a_breath_after_each_and_never_a_longer_one() -> None:
    pauses, clock = make()
    for _ in range(PATIENCE):
        pauses.changed("a")
        assert not pauses.holds("a")
    for _ in range(20 * PATIENCE):
        pauses.changed("a")
        assert pauses.holds("a")
        clock.now += 1.01 * BREATH_SECONDS
        assert not pauses.holds("a")
    assert lengths(pauses, clock, 2) == [FIRST_SECONDS, 2 * FIRST_SECONDS]


def test_the_first_pause_to_end_is_known() -> None:
    pauses, clock = make()
    assert pauses.seconds_left() == inf
    pauses.prolong("a", "it failed")
    pauses.prolong("a", "it failed")
    pauses.prolong("b", "it failed")
    assert pauses.seconds_left() == FIRST_SECONDS
    clock.now += FIRST_SECONDS
    assert pauses.seconds_left() == FIRST_SECONDS
    clock.now += FIRST_SECONDS
    assert pauses.seconds_left() == inf
