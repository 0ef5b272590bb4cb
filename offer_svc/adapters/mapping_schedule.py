"""Plans and schedules between messages and the domain."""

from google.protobuf.timestamp_pb2 import Timestamp
from training.offer.v1 import offer_pb2 as pb

from offer_svc.adapters.mapping_sessions import StoredSessions, planned_traits, session_message
from offer_svc.adapters.mapping_values import (
    Faults,
    date_from,
    enum_from,
    instant_message,
    local_time_from,
    optional_instant,
    time_from,
    window_from,
    window_message,
    zone_from,
)
from offer_svc.domain.bookings import Clash
from offer_svc.domain.schedule import (
    BookingMode,
    DeliveryMode,
    Schedule,
    SchedulePlan,
    SingleSession,
    Weekday,
    WeeklyRule,
    whole_mode,
)


def plan_from(message: pb.SchedulePlan, path: str, faults: Faults) -> SchedulePlan:
    """Read a plan; an absent booking mode is FORBID."""
    rules = enumerate(message.weekly_rules)
    sessions = enumerate(message.sessions)
    mode = message.booking_mode or pb.BOOKING_MODE_FORBID
    return SchedulePlan(
        weekly_rules=tuple(_rule_from(rule, f"{path}.weekly_rules[{index}]", faults) for index, rule in rules),
        sessions=tuple(_single_from(single, f"{path}.sessions[{index}]", faults) for index, single in sessions),
        access_window=(
            window_from(message.access_window, f"{path}.access_window", faults)
            if message.HasField("access_window")
            else None
        ),
        booking_mode=enum_from(BookingMode, mode, f"{path}.booking_mode", faults, BookingMode.FORBID),
    )


def schedule_from(message: pb.Schedule, path: str, faults: Faults) -> Schedule:
    """Read a stored schedule; its sessions are read when they are looked at."""
    return Schedule(
        sessions=StoredSessions(message.sessions) if message.sessions else (),
        access_window=(
            window_from(message.access_window, f"{path}.access_window", faults)
            if message.HasField("access_window")
            else None
        ),
    )


def fill_schedule(message: pb.Schedule, schedule: Schedule, *, public: bool = False) -> None:
    """Write a schedule in its place; the public one has no join URIs."""
    message.SetInParent()
    if schedule.access_window is not None:
        message.access_window.CopyFrom(window_message(schedule.access_window))
    if isinstance(schedule.sessions, StoredSessions):
        message.sessions.MergeFrom(schedule.sessions.messages)
        for session in message.sessions if public else ():
            session.ClearField("join_uri")
    else:
        message.sessions.extend([session_message(session, public=public) for session in schedule.sessions])


def span_of(schedule: Schedule) -> tuple[Timestamp | None, Timestamp | None]:
    """Return from when until when the whole is held, without reading stored sessions for it."""
    if isinstance(schedule.sessions, StoredSessions):
        messages = schedule.sessions.messages
        return messages[0].start_time, messages[-1].end_time
    return optional_instant(schedule.start_time), optional_instant(schedule.end_time)


def mode_of(schedule: Schedule) -> DeliveryMode:
    """Return how the whole is held, without reading stored sessions for it."""
    if not isinstance(schedule.sessions, StoredSessions):
        return schedule.mode
    return whole_mode([DeliveryMode(mode) for mode in {message.mode for message in schedule.sessions.messages}])


def trainers_of(schedule: Schedule) -> list[str]:
    """Return who teaches, each once, in order, without reading stored sessions for it."""
    if isinstance(schedule.sessions, StoredSessions):
        return sorted({trainer for message in schedule.sessions.messages for trainer in message.trainer_ids})
    return sorted({trainer for session in schedule.sessions for trainer in session.traits.trainer_ids})


def clash_message(clash: Clash) -> pb.BookingClash:
    """Write a clash."""
    return pb.BookingClash(
        resource=clash.resource,
        offer_id=str(clash.offer_id),
        start_time=instant_message(clash.start_time),
        end_time=instant_message(clash.end_time),
    )


def _rule_from(message: pb.WeeklyRule, path: str, faults: Faults) -> WeeklyRule:
    days = enumerate(message.days)
    exceptions = enumerate(message.exceptions)
    return WeeklyRule(
        first_date=date_from(message.first_date, f"{path}.first_date", faults),
        last_date=date_from(message.last_date, f"{path}.last_date", faults),
        days=tuple(enum_from(Weekday, day, f"{path}.days[{index}]", faults, Weekday.MONDAY) for index, day in days),
        start=time_from(message.start, f"{path}.start", faults),
        end=time_from(message.end, f"{path}.end", faults),
        zone=zone_from(message.time_zone, f"{path}.time_zone", faults),
        traits=planned_traits(message.traits, f"{path}.traits", faults),
        exceptions=tuple(date_from(day, f"{path}.exceptions[{index}]", faults) for index, day in exceptions),
    )


def _single_from(message: pb.SingleSession, path: str, faults: Faults) -> SingleSession:
    return SingleSession(
        local_start=local_time_from(message.local_start, f"{path}.local_start", faults),
        local_end=local_time_from(message.local_end, f"{path}.local_end", faults),
        zone=zone_from(message.time_zone, f"{path}.time_zone", faults),
        traits=planned_traits(message.traits, f"{path}.traits", faults),
    )
