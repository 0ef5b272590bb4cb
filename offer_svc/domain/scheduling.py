"""From a plan to a schedule.

Rules (metadata `rule` of SCHEDULE_INVALID):

    plan.kind               sessions or an access window: not both, not neither
    access_window           it has a start; its end, if any, is later
    weekly_rule.dates       the last date is the first or later, within three years, before the last day of year 9999
    weekly_rule.empty       some day of the rule falls within its dates and is no exception
    session.mode            ONSITE, ONLINE or HYBRID
    session.place           ONSITE and HYBRID sessions have a place with a venue, ONLINE ones have none
    session.count           at most 500 sessions
    session.civil_time      a local time exists in its zone; one that comes twice is its first
    session.length          longer than nothing, at most 24 hours of elapsed time

Sessions of one offer never overlap (SESSIONS_OVERLAP); one may start when another ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from chassis.refusal import Violation
from offer_svc.domain.civil_time import instant_of
from offer_svc.domain.context import Bounds
from offer_svc.domain.errors import ScheduleInvalid, SessionsOverlap
from offer_svc.domain.schedule import DeliveryMode, Schedule, SchedulePlan, Session, SessionTraits, WeeklyRule
from offer_svc.domain.window import Window

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A session before its instants are known; the paths lead to the caller's fields."""

    start_path: str
    end_path: str
    local_start: datetime
    local_end: datetime
    zone: ZoneInfo
    traits: SessionTraits


def expand(plan: SchedulePlan, bounds: Bounds) -> Schedule:
    """Make the schedule of a plan, or refuse the plan with every violation."""
    _refuse(tuple(_broken_plan(plan, bounds)))
    if plan.access_window is not None:
        return Schedule(access_window=plan.access_window)
    meetings = tuple(islice(_meetings(plan), bounds.maximum_sessions + 1))
    if len(meetings) > bounds.maximum_sessions:
        limit = bounds.maximum_sessions
        _refuse((Violation("plan", "session.count", f"more than {limit}", f"at most {limit} sessions"),))
    return Schedule(sessions=_in_order(_sessions(meetings, bounds)))


def _refuse(broken: tuple[Violation, ...]) -> None:
    if broken:
        raise ScheduleInvalid(broken)


def _broken_plan(plan: SchedulePlan, bounds: Bounds) -> Iterator[Violation]:
    has_sessions = bool(plan.weekly_rules or plan.sessions)
    if has_sessions is (plan.access_window is not None):
        yield Violation("plan", "plan.kind", "both" if has_sessions else "neither", "sessions or an access window")
    if plan.access_window is not None:
        yield from _broken_access_window(plan.access_window)
    for index, rule in enumerate(plan.weekly_rules):
        yield from _broken_rule(rule, f"plan.weekly_rules[{index}]", bounds)
    for index, session in enumerate(plan.sessions):
        yield from _broken_traits(session.traits, f"plan.sessions[{index}].traits")


def _broken_access_window(window: Window) -> Iterator[Violation]:
    if window.start is None or window.is_empty:
        found = f"{window.start} to {window.end}"
        yield Violation("plan.access_window", "access_window", found, "a start, and any end later than it")


def _broken_rule(rule: WeeklyRule, path: str, bounds: Bounds) -> Iterator[Violation]:
    span = rule.last_date - rule.first_date
    if not timedelta(0) <= span <= bounds.longest_rule or rule.last_date == date.max:
        needed = f"from the first date, {rule.first_date}, to at most {bounds.longest_rule.days} days later"
        yield Violation(f"{path}.last_date", "weekly_rule.dates", str(rule.last_date), needed)
    elif next(_days(rule), None) is None:
        yield Violation(path, "weekly_rule.empty", "no session", "a day of the rule that is no exception")
    yield from _broken_traits(rule.traits, f"{path}.traits")


def _broken_traits(traits: SessionTraits, path: str) -> Iterator[Violation]:
    if traits.mode is DeliveryMode.SELF_PACED:
        yield Violation(f"{path}.mode", "session.mode", traits.mode.name, "ONSITE, ONLINE or HYBRID")
    elif traits.mode is DeliveryMode.ONLINE:
        if traits.place is not None:
            yield Violation(f"{path}.place", "session.place", traits.place.venue, "no place for an ONLINE session")
    elif traits.place is None or not traits.place.venue.strip():
        yield Violation(f"{path}.place.venue", "session.place", "no venue", f"a venue: the mode is {traits.mode.name}")


def _meetings(plan: SchedulePlan) -> Iterator[_Meeting]:
    for index, rule in enumerate(plan.weekly_rules):
        path = f"plan.weekly_rules[{index}]"
        until = _ONE_DAY if rule.end <= rule.start else timedelta(0)
        for day in _days(rule):
            start, end = datetime.combine(day, rule.start), datetime.combine(day + until, rule.end)
            yield _Meeting(f"{path}.start", f"{path}.end", start, end, rule.zone, rule.traits)
    for index, single in enumerate(plan.sessions):
        path = f"plan.sessions[{index}]"
        start, end = single.local_start, single.local_end
        yield _Meeting(f"{path}.local_start", f"{path}.local_end", start, end, single.zone, single.traits)


def _days(rule: WeeklyRule) -> Iterator[date]:
    days, exceptions = frozenset(rule.days), frozenset(rule.exceptions)
    for offset in range((rule.last_date - rule.first_date).days + 1):
        day = rule.first_date + timedelta(days=offset)
        if day.isoweekday() in days and day not in exceptions:
            yield day


def _sessions(meetings: tuple[_Meeting, ...], bounds: Bounds) -> list[Session]:
    broken: list[Violation] = []
    sessions: list[Session] = []
    for meeting in meetings:
        start = instant_of(meeting.local_start, meeting.zone)
        end = instant_of(meeting.local_end, meeting.zone)
        if start is None:
            broken.append(_missing_time(meeting.start_path, meeting.local_start, meeting.zone))
        if end is None:
            broken.append(_missing_time(meeting.end_path, meeting.local_end, meeting.zone))
        if start is None or end is None:
            continue
        if not timedelta(0) < end - start <= bounds.longest_session:
            needed = f"longer than nothing, at most {bounds.longest_session}"
            broken.append(Violation(meeting.end_path, "session.length", str(end - start), needed))
        local = (meeting.local_start, meeting.local_end)
        sessions.append(Session(start, end, *local, meeting.zone.key, meeting.traits))
    _refuse(tuple(broken))
    return sessions


def _missing_time(path: str, local: datetime, zone: ZoneInfo) -> Violation:
    return Violation(path, "session.civil_time", f"{local.isoformat()} {zone.key}", "a local time that exists there")


def _in_order(sessions: list[Session]) -> tuple[Session, ...]:
    ordered = tuple(sorted(sessions, key=lambda session: (session.start_time, session.end_time)))
    # Neighbours suffice: as long as no two overlap, the ends are in order too.
    for earlier, later in pairwise(ordered):
        if later.start_time < earlier.end_time:
            raise SessionsOverlap(earlier.start_time, later.start_time)
    return ordered
