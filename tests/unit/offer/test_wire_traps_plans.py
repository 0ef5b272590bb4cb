"""Whatever a plan can carry is one or an INVALID_FIELD with its path, never another exception."""

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.interval_pb2 import Interval
from google.type.timeofday_pb2 import TimeOfDay

from offer_svc.adapters.mapping import (
    copy_offer,
    reschedule_offer,
    schedule_sessions,
)
from tests.unit.offer import requests
from tests.unit.offer.traps import faults, faults_of, row


@pytest.mark.parametrize(
    "date", [Date(), Date(year=2027, month=2, day=30), Date(year=2027, month=13, day=1), Date(year=-1, month=1, day=1)]
)
def test_a_date_is_a_day_of_the_calendar(date: Date) -> None:
    request = row()
    rule = request.plan.weekly_rules[0]
    rule.first_date.CopyFrom(date)
    rule.last_date.CopyFrom(date)
    rule.exceptions.append(date)
    assert faults(request) == [
        ("plan.weekly_rules[0].first_date", "date"),
        ("plan.weekly_rules[0].last_date", "date"),
        ("plan.weekly_rules[0].exceptions[0]", "date"),
    ]


@pytest.mark.parametrize(
    "time",
    [TimeOfDay(hours=24), TimeOfDay(hours=-1), TimeOfDay(minutes=60), TimeOfDay(seconds=60), TimeOfDay(nanos=1)],
)
def test_a_time_of_day_is_a_whole_second_of_a_day(time: TimeOfDay) -> None:
    request = row()
    request.plan.weekly_rules[0].start.CopyFrom(time)
    request.plan.weekly_rules[0].end.CopyFrom(time)
    assert faults(request) == [
        ("plan.weekly_rules[0].start", "time_of_day"),
        ("plan.weekly_rules[0].end", "time_of_day"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2027-02-30T09:00",
        "2027-03-01T24:00",
        "0000-01-01T00:00",
        "2027-03-01T09:00Z",
        "2027-03-01 09:00",
        "٢٠٢٧-03-01T09:00",
        "",
    ],
)
def test_a_local_time_is_one_of_the_calendar_without_a_zone(text: str) -> None:
    request = row(single=True)
    request.plan.sessions[0].local_start = text
    request.plan.sessions[0].local_end = text
    assert faults(request) == [
        ("plan.sessions[0].local_start", "local_time"),
        ("plan.sessions[0].local_end", "local_time"),
    ]


@pytest.mark.parametrize(
    "zone",
    [
        "",
        "Mars/Olympus",
        "../../etc/passwd",
        "/etc/localtime",
        "America",
        "europe/berlin",
        "Europe/Berlin\0",
        "localtime",
        "Zürich",
        ".",
    ],
)
def test_a_time_zone_is_a_known_iana_name(zone: str) -> None:
    weekly, single = row(), row(single=True)
    weekly.plan.weekly_rules[0].time_zone = zone
    single.plan.sessions[0].time_zone = zone
    assert faults(weekly) == [("plan.weekly_rules[0].time_zone", "time_zone")]
    assert faults(single) == [("plan.sessions[0].time_zone", "time_zone")]


def test_every_plan_has_the_same_traps() -> None:
    schedule, reschedule, copy = requests.schedule(), requests.reschedule(), requests.copy()
    for plan in (schedule.plan, reschedule.plan, copy.plan):
        plan.weekly_rules[0].time_zone = "../../etc/passwd"
        plan.weekly_rules[0].start.hours = 24
        plan.access_window.CopyFrom(Interval(start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1)))
    expected = [
        ("plan.weekly_rules[0].start", "time_of_day"),
        ("plan.weekly_rules[0].time_zone", "time_zone"),
        ("plan.access_window", "interval"),
    ]
    assert faults_of(lambda: schedule_sessions(schedule)) == expected
    assert faults_of(lambda: reschedule_offer(reschedule)) == expected
    assert faults_of(lambda: copy_offer(copy, requests.RESERVATION)) == expected
