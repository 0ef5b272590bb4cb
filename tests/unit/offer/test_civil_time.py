"""Local times on the days when clocks change."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offer_svc.domain.civil_time import instant_of
from offer_svc.domain.errors import ScheduleInvalid
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.scheduling import expand
from tests.unit.offer.samples import BERLIN, BOUNDS, LORD_HOWE, NEW_YORK, single


@pytest.mark.parametrize(
    ("local", "zone", "utc"),
    [
        ("2027-03-14T01:59:59", NEW_YORK, "2027-03-14T06:59:59"),
        ("2027-03-14T02:00:00", NEW_YORK, None),
        ("2027-03-14T02:59:59", NEW_YORK, None),
        ("2027-03-14T03:00:00", NEW_YORK, "2027-03-14T07:00:00"),
        ("2027-11-07T01:30:00", NEW_YORK, "2027-11-07T05:30:00"),
        ("2027-11-07T02:00:00", NEW_YORK, "2027-11-07T07:00:00"),
        ("2027-03-28T02:30:00", BERLIN, None),
        ("2027-03-28T03:00:00", BERLIN, "2027-03-28T01:00:00"),
        ("2027-10-31T02:30:00", BERLIN, "2027-10-31T00:30:00"),
        ("2027-10-31T03:00:00", BERLIN, "2027-10-31T02:00:00"),
        ("2027-10-03T02:15:00", LORD_HOWE, None),
        ("2027-10-03T02:30:00", LORD_HOWE, "2027-10-02T15:30:00"),
        ("2027-04-04T01:45:00", LORD_HOWE, "2027-04-03T14:45:00"),
        ("2027-04-04T02:00:00", LORD_HOWE, "2027-04-03T15:30:00"),
    ],
)
def test_a_local_time_is_its_first_instant_or_none_in_a_gap(local: str, zone: ZoneInfo, utc: str | None) -> None:
    expected = None if utc is None else datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert instant_of(datetime.fromisoformat(local), zone) == expected


@pytest.mark.parametrize(
    ("local", "zone"), [("0001-01-01T00:00", ZoneInfo("Asia/Tokyo")), ("9999-12-31T23:59", NEW_YORK)]
)
def test_a_local_time_beyond_the_calendar_has_no_instant(local: str, zone: ZoneInfo) -> None:
    assert instant_of(datetime.fromisoformat(local), zone) is None


@pytest.mark.parametrize(
    ("start", "end", "zone", "field", "found"),
    [
        ("2027-03-14T02:30", "2027-03-14T04:00", NEW_YORK, "local_start", "2027-03-14T02:30:00 America/New_York"),
        ("2027-03-28T01:00", "2027-03-28T02:30", BERLIN, "local_end", "2027-03-28T02:30:00 Europe/Berlin"),
        ("2027-10-03T02:10", "2027-10-03T03:00", LORD_HOWE, "local_start", "2027-10-03T02:10:00 Australia/Lord_Howe"),
    ],
)
def test_session_civil_time_must_exist_and_is_named_when_it_does_not(
    start: str, end: str, zone: ZoneInfo, field: str, found: str
) -> None:
    with pytest.raises(ScheduleInvalid) as caught:
        expand(SchedulePlan(sessions=(single(start, end, zone),)), BOUNDS)
    (violation,) = caught.value.violations
    assert (violation.rule, violation.field) == ("session.civil_time", f"plan.sessions[0].{field}")
    assert violation.found == found


@pytest.mark.parametrize(
    ("start", "end", "zone", "minutes"),
    [
        ("2027-11-07T00:30", "2027-11-07T02:30", NEW_YORK, 180),
        ("2027-03-28T01:30", "2027-03-28T03:30", BERLIN, 60),
        ("2027-04-04T01:00", "2027-04-04T02:30", LORD_HOWE, 120),
    ],
)
def test_a_session_over_the_change_lasts_as_long_as_it_really_does(
    start: str, end: str, zone: ZoneInfo, minutes: int
) -> None:
    (session,) = expand(SchedulePlan(sessions=(single(start, end, zone),)), BOUNDS).sessions
    assert session.end_time - session.start_time == timedelta(minutes=minutes)
    assert (session.local_start, session.local_end) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.sampled_from([NEW_YORK, BERLIN, LORD_HOWE]),
)
def test_the_zone_shows_the_local_time_at_its_instant_and_not_an_hour_or_half_before(
    local: datetime, zone: ZoneInfo
) -> None:
    instant = instant_of(local, zone)
    if instant is not None:
        assert instant.astimezone(zone).replace(tzinfo=None, fold=0) == local
        for before in (timedelta(minutes=30), timedelta(hours=1)):
            assert (instant - before).astimezone(zone).replace(tzinfo=None, fold=0) != local
