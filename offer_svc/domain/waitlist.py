"""The line of those who wait for a seat."""

from dataclasses import replace
from typing import Final, assert_never

from offer_svc.domain.changes import Change, WaitlistJoined, WaitlistLeft
from offer_svc.domain.commands import JoinWaitlist, LeaveWaitlist, PromoteWaiting
from offer_svc.domain.context import Context
from offer_svc.domain.guards import PUBLISHED, known, offer_in, refuse_taken, reservation_in
from offer_svc.domain.offer import Offer
from offer_svc.domain.pricing import ApplicablePrice, price_to_wait_for
from offer_svc.domain.promotion import promotions
from offer_svc.domain.reservation import Reservation, ReservationState
from offer_svc.domain.sales_errors import NoPrice, NoSeats, NoWaitlist, WaitlistFull, WaitlistNotNeeded
from offer_svc.domain.selling import check_wanted, require_on_sale

WaitlistCommand = JoinWaitlist | LeaveWaitlist | PromoteWaiting

_WAITING: Final = frozenset({ReservationState.WAITING})


def decide_waitlist(state: Offer | None, command: WaitlistCommand, context: Context) -> tuple[Change, ...]:
    """Decide on who waits, and who no longer has to."""
    match command:
        case JoinWaitlist():
            check_wanted(command.seats)
            return _join(offer_in(PUBLISHED, state, command.offer_id, command), command, context)
        case LeaveWaitlist():
            offer = offer_in(PUBLISHED, state, command.offer_id, command)
            entry = reservation_in(_WAITING, command, context)
            left = WaitlistLeft(replace(entry, state=ReservationState.RELEASED, update_time=context.now))
            return (left, *promotions(offer, context, left))
        case PromoteWaiting():
            offer = known(state, command.offer_id)
            return promotions(offer, context) if offer.seats.promotion_pending else ()
        case _:
            assert_never(command)


def _join(offer: Offer, command: JoinWaitlist, context: Context) -> tuple[Change, ...]:
    now, seats = context.now, offer.seats
    refuse_taken(command.reservation_id, command.participant, context)
    require_on_sale(offer, now)
    _require_open(offer, command.seats)
    price = _price(offer, command, context)
    entry = Reservation(
        reservation_id=command.reservation_id,
        offer_id=command.offer_id,
        participant=command.participant,
        state=ReservationState.WAITING,
        seats=command.seats,
        price=price,
        create_time=now,
        update_time=now,
        wait_number=seats.next_wait_number,
    )
    return (WaitlistJoined(entry),)


def _require_open(offer: Offer, wanted: int) -> None:
    """Refuse whoever need not wait, could wait for ever, or finds no place in the line."""
    limit, left, waiting = offer.definition.waitlist_limit, offer.seats_left, offer.seats.waiting
    capacity = offer.definition.capacity
    if limit == 0:
        raise NoWaitlist
    if wanted <= left and not waiting:
        raise WaitlistNotNeeded(left, wanted)
    if wanted > capacity.maximum - capacity.opening_balance:
        raise NoSeats(left, wanted, waiting)
    if limit is not None and waiting >= limit:
        raise WaitlistFull(limit)


def _price(offer: Offer, command: JoinWaitlist, context: Context) -> ApplicablePrice:
    price_list, sold = offer.price_list, offer.seats.sold_per_tier
    if price_list is not None:
        price = price_to_wait_for(price_list, context.now, sold, command.currency, command.code, seats=command.seats)
        if price is not None:
            return price
    raise NoPrice(command.currency)
