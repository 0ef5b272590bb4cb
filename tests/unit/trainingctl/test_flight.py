from tests.unit.trainingctl.rows import row
from trainingctl.flight import Flight
from trainingctl.rows import Row


def flight_of(limit: int) -> Flight:
    return Flight(limit, lambda: None)


def resent(flight: Flight) -> list[Row]:
    found = []
    while flight.has_due and flight.has_room:
        due = flight.next_due()
        if due is None:
            break
        flight.send(due)
        found.append(due)
    return found


def test_no_more_rows_than_the_limit_are_unanswered() -> None:
    flight = flight_of(2)
    had_room = []
    for name in "ab":
        had_room.append(flight.has_room)
        flight.send(row(name))
    had_room.append(flight.has_room)
    flight.land("a")
    assert had_room == [True, True, False]
    assert flight.has_room


def test_a_row_waits_for_another_one_of_the_same_id() -> None:
    flight = flight_of(5)
    first, second = row("a", 1), row("a", 2)
    flight.send(first)
    assert not flight.may_send(second)
    assert flight.land("a") is first
    assert flight.may_send(second)


def test_an_answer_to_nothing_is_ignored() -> None:
    assert flight_of(1).land("a") is None


def test_rows_without_an_answer_are_sent_again_in_their_order() -> None:
    flight = flight_of(5)
    rows = [row(name) for name in "abc"]
    for each in rows:
        flight.send(each)
    flight.land("b")
    flight.lost()
    assert flight.unanswered == 0
    assert not flight.empty
    assert resent(flight) == [rows[0], rows[2]]


def test_a_row_that_rests_keeps_its_place() -> None:
    flight = flight_of(1)
    resting = row("a")
    flight.send(resting)
    flight.land("a")
    flight.rest()
    assert not flight.has_room
    assert not flight.empty
    flight.rested(resting)
    assert flight.next_due() is resting


def test_suspects_fly_alone_until_one_is_found_guilty() -> None:
    flight = flight_of(5)
    rows = [row(name) for name in "abc"]
    for each in rows:
        flight.send(each)
    assert flight.suspect() is None
    assert resent(flight) == [rows[0]]
    flight.land("a")
    assert resent(flight) == [rows[1]]
    assert flight.suspect() is rows[1]
    assert resent(flight) == [rows[2]]
    assert not flight.has_room
    flight.land("c")
    assert flight.empty
    assert flight.has_room


def test_nobody_is_found_guilty_without_certainty() -> None:
    flight, lone = flight_of(5), row("a")
    for _ in range(3):
        flight.send(lone)
        assert flight.suspect(certain=False) is None
        assert flight.next_due() is lone
