"""Seats reserved, confirmed and given back."""

from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never

from offer_svc.domain.changes import Change, HoldExpired, HoldExtended, SeatsConfirmed, SeatsHeld, SeatsReleased
from offer_svc.domain.commands import (
    ConfirmReservation,
    ExpireReservation,
    ExtendReservation,
    ReleaseReservation,
    ReserveSeats,
)
from offer_svc.domain.context import Context
from offer_svc.domain.guards import PUBLISHED, known, offer_in, refuse_taken, reservation_in
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.promotion import promotions
from offer_svc.domain.reservation import Reservation, ReservationState
from offer_svc.domain.sales_errors import HoldLimit, HoldRanOut, NoSeats, TooLateToLeave
from offer_svc.domain.selling import (
    begin_of,
    check_quote,
    check_wanted,
    held_until,
    price_for,
    promised_price,
    require_on_sale,
)

HoldingCommand = ReserveSeats | ExtendReservation | ConfirmReservation | ReleaseReservation | ExpireReservation

_MAY_RUN: Final = frozenset({ReservationState.HELD, ReservationState.EXPIRED})
_HAVE_SEATS: Final = frozenset({ReservationState.HELD, ReservationState.CONFIRMED})
_EXPIRES: Final = frozenset({State.PUBLISHED, State.COMPLETED})


def decide_holding(state: Offer | None, command: HoldingCommand, context: Context) -> tuple[Change, ...]:
    """Decide on a reservation."""
    match command:
        case ReserveSeats():
            return _reserve(state, command, context)
        case ConfirmReservation():
            offer_in(PUBLISHED, state, command.offer_id, command)
            hold, _ = _running(command, context)
            return _confirm(hold, context.now)
        case ExtendReservation():
            offer = offer_in(PUBLISHED, state, command.offer_id, command)
            return _extend(offer, *_running(command, context), context)
        case ReleaseReservation():
            offer = offer_in(PUBLISHED, state, command.offer_id, command)
            return _release(offer, reservation_in(_HAVE_SEATS, command, context), context)
        case ExpireReservation():
            return _expire(known(state, command.offer_id), command, context)
        case _:
            assert_never(command)


def _running(command: ConfirmReservation | ExtendReservation, context: Context) -> tuple[Reservation, datetime]:
    """Return a hold and when it expires; a clock decides whether it has, not whether its seats are free again."""
    reservation = reservation_in(_MAY_RUN, command, context)
    expire_time = reservation.expire_time
    if expire_time is None or expire_time <= context.now or reservation.state is ReservationState.EXPIRED:
        raise HoldRanOut(expire_time)
    return reservation, expire_time


def _reserve(state: Offer | None, command: ReserveSeats, context: Context) -> tuple[Change, ...]:
    now, wanted, quote = context.now, command.seats, command.quote
    check_wanted(wanted)
    if quote is not None:
        check_quote(quote, command.offer_id, wanted, command.currency)
    offer = offer_in(PUBLISHED, state, command.offer_id, command)
    refuse_taken(command.reservation_id, command.participant, context)
    require_on_sale(offer, now)
    left, waiting = offer.seats_left, offer.seats.waiting
    if wanted > left or waiting:
        raise NoSeats(left, wanted, waiting)
    if quote is None:
        price = price_for(offer, now, wanted, command.currency, command.code)
    else:
        price = promised_price(offer, now, quote)
    hold = Reservation(
        command.reservation_id,
        command.offer_id,
        command.participant,
        ReservationState.HELD,
        wanted,
        price,
        create_time=now,
        update_time=now,
        hold_time=now,
        expire_time=held_until(offer, now + context.rules.hold),
    )
    return (SeatsHeld(hold),)


def _confirm(hold: Reservation, now: datetime) -> tuple[Change, ...]:
    state = ReservationState.CONFIRMED
    return (SeatsConfirmed(replace(hold, state=state, update_time=now, confirm_time=now, expire_time=None)),)


def _extend(offer: Offer, hold: Reservation, expire_time: datetime, context: Context) -> tuple[Change, ...]:
    """Hold for the whole time from now, as far as the limit goes and sales last; never shorter than before."""
    now, rules = context.now, context.rules
    limit = held_until(offer, (hold.hold_time or hold.create_time) + rules.longest_hold)
    if limit <= expire_time:
        raise HoldLimit(expire_time)
    until = min(now + rules.hold, limit)
    return (HoldExtended(replace(hold, expire_time=until, update_time=now)),) if expire_time < until else ()


def _release(offer: Offer, reservation: Reservation, context: Context) -> tuple[Change, ...]:
    now, was = context.now, reservation.state
    if was is ReservationState.CONFIRMED:
        _require_leaving(offer, now)
    after = replace(reservation, state=ReservationState.RELEASED, update_time=now, expire_time=None)
    released = SeatsReleased(after, was)
    return (released, *promotions(offer, context, released))


def _require_leaving(offer: Offer, now: datetime) -> None:
    """Refuse to take back confirmed seats once the offer has begun, unless it was rescheduled lately."""
    begin = None if offer.schedule is None else begin_of(offer.schedule)
    has_begun = begin is not None and begin <= now
    if has_begun and (offer.leave_until is None or offer.leave_until <= now):
        raise TooLateToLeave(begin, offer.leave_until)


def _expire(offer: Offer, command: ExpireReservation, context: Context) -> tuple[Change, ...]:
    """Free the seats of a hold that ran out; of an offer that has ended, too, so that its counts are right."""
    hold = context.book.get(command.reservation_id)
    if hold is None or not hold.has_run_out(context.now) or offer.state not in _EXPIRES:
        return ()
    expired = HoldExpired(replace(hold, state=ReservationState.EXPIRED, update_time=context.now))
    return (expired, *promotions(offer, context, expired))
