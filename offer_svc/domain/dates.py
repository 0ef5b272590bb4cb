"""When an offer takes place: the first schedule of a draft, other dates of a published offer."""

from dataclasses import replace
from typing import assert_never

from chassis.refusal import Violation
from offer_svc.domain.changes import Change, OfferMoved, SessionsScheduled
from offer_svc.domain.commands import RescheduleOffer, ScheduleSessions
from offer_svc.domain.context import Context
from offer_svc.domain.errors import ScheduleInvalid, instant
from offer_svc.domain.guards import DRAFT, PUBLISHED, offer_in
from offer_svc.domain.offer import FormerDates, Offer
from offer_svc.domain.promotion import promotions
from offer_svc.domain.schedule import BookingMode, Schedule
from offer_svc.domain.scheduling import expand

DatesCommand = ScheduleSessions | RescheduleOffer


def decide_dates(state: Offer | None, command: DatesCommand, context: Context) -> tuple[Change, ...]:
    """Decide on when an offer takes place."""
    schedule, mode = expand(command.plan, context.bounds), command.plan.booking_mode
    match command:
        case ScheduleSessions():
            offer = offer_in(DRAFT, state, command.offer_id, command)
            known = (offer.schedule, offer.booking_mode)
            return () if known == (schedule, mode) else (SessionsScheduled(schedule, mode),)
        case RescheduleOffer():
            return _move(offer_in(PUBLISHED, state, command.offer_id, command), schedule, mode, context)
        case _:
            assert_never(command)


def _move(offer: Offer, schedule: Schedule, mode: BookingMode, context: Context) -> tuple[Change, ...]:
    """Give other dates; whoever has a seat keeps it, and may leave. Another booking mode alone moves nobody."""
    now, old = context.now, offer.schedule
    if old == schedule:
        return () if offer.booking_mode is mode else (SessionsScheduled(schedule, mode),)
    if schedule.end_time is not None and schedule.end_time <= now:
        found, needed = f"ended {instant(schedule.end_time)}", f"an end after {instant(now)}"
        raise ScheduleInvalid((Violation("plan", "schedule.ahead", found, needed),))
    start, end = (None, None) if old is None else (old.start_time, old.end_time)
    moved = OfferMoved(schedule, mode, FormerDates(start, end, now), now + context.rules.leave_window)
    # Nobody was given a seat any more once the offer had begun; perhaps it has not now.
    return (moved, *promotions(replace(offer, schedule=schedule), context))
