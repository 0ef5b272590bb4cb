"""Each rule of a plan bites, by its name, and good plans become the sessions that were meant."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offer_svc.domain.context import Bounds
from offer_svc.domain.errors import ScheduleInvalid, SessionsOverlap
from offer_svc.domain.schedule import (
    DeliveryMode,
    Place,
    SchedulePlan,
    SessionTraits,
    SingleSession,
    Weekday,
    WeeklyRule,
)
from offer_svc.domain.scheduling import expand
from offer_svc.domain.window import Window
from tests.unit.offer.samples import BERLIN, BOUNDS, NEW_YORK, NOW, ONLINE, ONSITE, PLAN, WEEKLY, single


def broken(plan: SchedulePlan, bounds: Bounds = BOUNDS) -> list[tuple[str, str]]:
    """Return the rules that are broken, with their paths."""
    try:
        expand(plan, bounds)
    except ScheduleInvalid as refusal:
        return [(violation.rule, violation.field) for violation in refusal.violations]
    return []


def weekly(rule: WeeklyRule) -> SchedulePlan:
    """Plan one weekly rule."""
    return SchedulePlan(weekly_rules=(rule,))


def sessions(*planned: SingleSession) -> SchedulePlan:
    """Plan single sessions."""
    return SchedulePlan(sessions=planned)


def test_the_metadata_name_the_first_rule() -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        expand(SchedulePlan(access_window=Window()), BOUNDS)
    assert caught.value.metadata == {"rule": "access_window"}


def test_plan_kind_is_sessions_or_an_access_window() -> None:
    assert broken(SchedulePlan()) == [("plan.kind", "plan")]
    assert broken(replace(PLAN, access_window=Window(NOW))) == [("plan.kind", "plan")]
    assert expand(SchedulePlan(access_window=Window(NOW)), BOUNDS).access_window == Window(NOW)


@pytest.mark.parametrize("window", [Window(), Window(end=NOW), Window(NOW, NOW)])
def test_access_window_has_a_start_and_a_later_end(window: Window) -> None:
    assert broken(SchedulePlan(access_window=window)) == [("access_window", "plan.access_window")]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2027, 3, 2), date(2027, 3, 1)),
        (date(2027, 3, 1), date(2030, 3, 4)),
        (date(9999, 12, 1), date.max),
        (date.max, date.min),
    ],
)
def test_weekly_rule_dates_are_in_order_and_within_three_years(first: date, last: date) -> None:
    plan = weekly(replace(WEEKLY, first_date=first, last_date=last))
    assert broken(plan) == [("weekly_rule.dates", "plan.weekly_rules[0].last_date")]


def test_weekly_rule_dates_may_span_three_years() -> None:
    rule = replace(WEEKLY, last_date=WEEKLY.first_date + BOUNDS.longest_rule, days=(Weekday.MONDAY,))
    assert len(expand(weekly(rule), BOUNDS).sessions) == 157


def test_weekly_rule_empty_is_refused() -> None:
    rule = replace(WEEKLY, last_date=WEEKLY.first_date)
    assert broken(weekly(rule)) == [("weekly_rule.empty", "plan.weekly_rules[0]")]
    monday = replace(rule, days=(Weekday.MONDAY,))
    assert broken(weekly(monday)) == []
    assert broken(weekly(replace(monday, exceptions=(WEEKLY.first_date,)))) == [
        ("weekly_rule.empty", "plan.weekly_rules[0]")
    ]


def test_session_mode_is_not_self_paced() -> None:
    traits = SessionTraits(DeliveryMode.SELF_PACED)
    assert broken(sessions(single("2027-03-01T09:00", "2027-03-01T10:00", traits=traits))) == [
        ("session.mode", "plan.sessions[0].traits.mode")
    ]


@pytest.mark.parametrize("mode", [DeliveryMode.ONSITE, DeliveryMode.HYBRID])
@pytest.mark.parametrize("place", [None, Place(""), Place(" ", "Loft")])
def test_session_place_with_a_venue_is_needed_on_site(mode: DeliveryMode, place: Place | None) -> None:
    plan = weekly(replace(WEEKLY, traits=SessionTraits(mode, place)))
    assert broken(plan) == [("session.place", "plan.weekly_rules[0].traits.place.venue")]


def test_session_place_is_not_for_online_sessions() -> None:
    plan = weekly(replace(WEEKLY, traits=replace(ONLINE, place=Place("Old Mill"))))
    assert broken(plan) == [("session.place", "plan.weekly_rules[0].traits.place")]


def test_session_count_is_bounded() -> None:
    everyday = replace(WEEKLY, days=tuple(Weekday), last_date=WEEKLY.first_date + timedelta(days=499))
    assert len(expand(weekly(everyday), BOUNDS).sessions) == 500
    one_more = replace(everyday, last_date=everyday.last_date + timedelta(days=1))
    assert broken(weekly(one_more)) == [("session.count", "plan")]


@pytest.mark.parametrize("end", ["2027-03-01T09:00", "2027-03-01T08:59", "2027-03-02T09:01"])
def test_session_length_is_more_than_nothing_and_at_most_a_day(end: str) -> None:
    assert broken(sessions(single("2027-03-01T09:00", end))) == [("session.length", "plan.sessions[0].local_end")]
    assert broken(sessions(single("2027-03-01T09:00", "2027-03-02T09:00"))) == []


def test_a_weekly_end_at_or_before_the_start_is_on_the_next_day() -> None:
    night = replace(WEEKLY, start=time(22), end=time(1))
    (first, *_) = expand(weekly(night), BOUNDS).sessions
    assert (first.local_start, first.local_end) == (datetime(2027, 3, 2, 22), datetime(2027, 3, 3, 1))  # noqa: DTZ001
    whole_day = replace(WEEKLY, days=(Weekday.TUESDAY,), last_date=date(2027, 3, 3), end=WEEKLY.start)
    (only,) = expand(weekly(whole_day), BOUNDS).sessions
    assert only.end_time - only.start_time == timedelta(hours=24)


def test_a_weekly_rule_expands_to_its_days_without_the_exceptions() -> None:
    rule = replace(WEEKLY, last_date=date(2027, 3, 11), exceptions=(date(2027, 3, 4), date(2027, 3, 5)))
    starts = [session.start_time for session in expand(weekly(rule), BOUNDS).sessions]
    assert starts == [datetime(2027, 3, day, 15, tzinfo=UTC) for day in (2, 9, 11)]


def test_sessions_are_in_order_whatever_the_order_of_the_plan() -> None:
    late = single("2027-03-02T15:00", "2027-03-02T16:00", NEW_YORK)
    early = single("2027-03-02T17:00", "2027-03-02T18:00", BERLIN)
    schedule = expand(sessions(late, early), BOUNDS)
    assert [session.time_zone for session in schedule.sessions] == ["Europe/Berlin", "America/New_York"]


def test_sessions_overlap_is_found_across_zones() -> None:
    with pytest.raises(SessionsOverlap) as caught:
        expand(
            sessions(
                single("2027-03-02T10:30", "2027-03-02T12:00", NEW_YORK),
                single("2027-03-02T16:00", "2027-03-02T17:00", BERLIN),
            ),
            BOUNDS,
        )
    assert caught.value.metadata == {"first": "2027-03-02T15:00:00Z", "second": "2027-03-02T15:30:00Z"}


@pytest.mark.parametrize(
    "other",
    [
        WEEKLY,
        replace(WEEKLY, days=(Weekday.TUESDAY,), start=time(10, 30), end=time(12)),
        replace(WEEKLY, traits=ONLINE),
        replace(WEEKLY, start=time(10, 15), end=time(10, 30)),
        replace(WEEKLY, days=(Weekday.MONDAY,), start=time(12), end=time(11)),
    ],
)
def test_sessions_overlap_is_found_between_weekly_meetings(other: WeeklyRule) -> None:
    with pytest.raises(SessionsOverlap) as caught:
        expand(SchedulePlan(weekly_rules=(WEEKLY, other)), BOUNDS)
    assert "2027-03-02T15:00:00Z" in caught.value.metadata.values()


def test_a_session_may_start_when_another_ends() -> None:
    following = replace(WEEKLY, start=WEEKLY.end, end=time(12))
    assert len(expand(SchedulePlan(weekly_rules=(WEEKLY, following)), BOUNDS).sessions) == 18


def test_all_violations_are_listed_together() -> None:
    bad_rule = replace(WEEKLY, last_date=date(2026, 1, 1), traits=SessionTraits(DeliveryMode.SELF_PACED))
    bad_session = single("2027-03-01T09:00", "2027-03-01T10:00", traits=replace(ONSITE, place=None))
    plan = SchedulePlan((bad_rule,), (bad_session,), Window())
    assert [rule for rule, _ in broken(plan)] == [
        "plan.kind",
        "access_window",
        "weekly_rule.dates",
        "session.mode",
        "session.place",
    ]


LOCAL = st.datetimes(datetime(2027, 1, 1), datetime(2027, 1, 3))  # noqa: DTZ001
PLANNED = st.builds(
    lambda start, minutes: SingleSession(start, start + timedelta(minutes=minutes), BERLIN, ONLINE),
    LOCAL,
    st.integers(1, 240),
)


@given(st.lists(PLANNED, min_size=1, max_size=6))
def test_a_schedule_is_in_order_without_overlap_or_refused_for_one(planned: list[SingleSession]) -> None:
    overlapping = any(
        one.local_start < other.local_end and other.local_start < one.local_end
        for index, one in enumerate(planned)
        for other in planned[:index]
    )
    try:
        schedule = expand(SchedulePlan(sessions=tuple(planned)), BOUNDS)
    except SessionsOverlap:
        assert overlapping
    else:
        assert not overlapping
        assert sorted(s.local_start for s in planned) == [s.local_start for s in schedule.sessions]
