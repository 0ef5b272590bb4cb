from datetime import date

import pytest
from google.type.timeofday_pb2 import TimeOfDay
from training.offer.v1.offer_pb2 import Place
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_HYBRID, DELIVERY_MODE_ONLINE, DELIVERY_MODE_ONSITE

from bench.umd.meetings import days_of, time_of, weekly_rules
from bench.umd.terms import Term
from tests.unit.umd.samples import BLANK, ONLINE_ANYTIME, meeting

TERM = Term(date(2027, 1, 4), date(2027, 1, 22))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("MTuWThFSaSu", [1, 2, 3, 4, 5, 6, 7]),
        ("TuTh", [2, 4]),
        ("ThSu", [4, 7]),
        ("SaSu", [6, 7]),
        ("W", [3]),
    ],
)
def test_days_written_in_a_row_are_told_apart(text: str, days: list[int]) -> None:
    assert days_of(text) == days


@pytest.mark.parametrize("text", ["", "TBA", "MX", "T", "M W"])
def test_days_that_are_none_are_left_out(text: str) -> None:
    assert days_of(text) == []


@pytest.mark.parametrize(
    ("text", "hours", "minutes"),
    [
        ("12:00am", 0, 0),
        ("12:30am", 0, 30),
        ("1:00am", 1, 0),
        ("11:59am", 11, 59),
        ("12:00pm", 12, 0),
        ("12:20pm", 12, 20),
        ("1:05pm", 13, 5),
        ("11:59pm", 23, 59),
    ],
)
def test_twelve_is_midnight_in_the_morning_and_noon_after_it(text: str, hours: int, minutes: int) -> None:
    assert time_of(text) == TimeOfDay(hours=hours, minutes=minutes)


@pytest.mark.parametrize("text", ["", "TBA", "0:30am", "13:00pm", "9:60am", "9am", "9:00 am"])
def test_a_time_that_is_none_is_left_out(text: str) -> None:
    assert time_of(text) is None


def test_a_meeting_becomes_a_weekly_rule_of_its_term_in_new_york() -> None:
    (rule,) = weekly_rules([meeting("MW", "9:30am", "10:50am", "KLN", "0110")], TERM)

    assert (rule.first_date.year, rule.first_date.month, rule.first_date.day) == (2027, 1, 4)
    assert (rule.last_date.year, rule.last_date.month, rule.last_date.day) == (2027, 1, 22)
    assert list(rule.days) == [1, 3]
    assert rule.start == TimeOfDay(hours=9, minutes=30)
    assert rule.end == TimeOfDay(hours=10, minutes=50)
    assert rule.time_zone == "America/New_York"
    assert rule.traits.mode == DELIVERY_MODE_ONSITE
    assert rule.traits.place == Place(venue="KLN", room="0110")


def test_meetings_with_the_same_days_and_times_are_one_in_the_first_room() -> None:
    listed = [meeting("M", "1:00pm", "2:00pm", "KLN", room) for room in ("0110", "0112", "0110")]

    (rule,) = weekly_rules(listed, TERM)

    assert rule.traits.mode == DELIVERY_MODE_ONSITE
    assert rule.traits.place == Place(venue="KLN", room="0110")


def test_a_meeting_in_a_room_and_online_at_the_same_time_is_hybrid_in_whatever_order() -> None:
    online, onsite = meeting("M", "1:00pm", "2:00pm"), meeting("M", "1:00pm", "2:00pm", "KLN", "0110")

    rules = [*weekly_rules([online, onsite], TERM), *weekly_rules([onsite, online], TERM)]

    assert [rule.traits.mode for rule in rules] == [DELIVERY_MODE_HYBRID] * 2
    assert [rule.traits.place for rule in rules] == [Place(venue="KLN", room="0110")] * 2


def test_meetings_at_different_times_keep_their_own_modes() -> None:
    rules = weekly_rules([meeting("M", "1:00pm", "2:00pm"), meeting("W", "1:00pm", "2:00pm", "KLN", "0110")], TERM)

    assert [rule.traits.mode for rule in rules] == [DELIVERY_MODE_ONLINE, DELIVERY_MODE_ONSITE]
    assert not rules[0].traits.HasField("place")


def test_blank_meetings_and_those_online_at_any_time_are_dropped_beside_timed_ones() -> None:
    rules = weekly_rules([BLANK, meeting("M", "1:00pm", "2:00pm", "KLN", "0110"), ONLINE_ANYTIME, BLANK], TERM)

    assert [rule.traits.mode for rule in rules] == [DELIVERY_MODE_ONSITE]


@pytest.mark.parametrize("room", ["ONLINE", "ONLNE"])
def test_online_is_understood_as_the_source_misspells_it(room: str) -> None:
    (rule,) = weekly_rules([meeting("M", "1:00pm", "2:00pm", "", room)], TERM)

    assert rule.traits.mode == DELIVERY_MODE_ONLINE


@pytest.mark.parametrize("building", ["", "TBA"])
def test_a_venue_that_is_not_known_is_to_be_announced_and_has_no_room_to_book(building: str) -> None:
    (rule,) = weekly_rules([meeting("M", "1:00pm", "2:00pm", building, "")], TERM)

    assert rule.traits.mode == DELIVERY_MODE_ONSITE
    assert rule.traits.place == Place(venue="TBA")
