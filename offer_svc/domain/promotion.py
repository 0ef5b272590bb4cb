"""Seats for those who wait.

Whoever came first is first: one who wants more seats than are free keeps those behind waiting. One who wants more than
the offer could ever give, since its capacity went down, is taken off the list. Seats are given while the offer can be
joined, a limited number of times in a revision; the rest is left to the timekeeper, by `promotion_pending`.
"""

from dataclasses import replace
from datetime import datetime

from offer_svc.domain.changes import Change, PromotionPending, ReservationChange, WaitlistLeft, WaitlistPromoted
from offer_svc.domain.context import Context
from offer_svc.domain.counting import counted
from offer_svc.domain.offer import Offer
from offer_svc.domain.pricing import promoted_price
from offer_svc.domain.reservation import Reservation, ReservationState
from offer_svc.domain.seats import Seats
from offer_svc.domain.selling import can_be_joined, held_until


def promotions(offer: Offer, context: Context, freeing: ReservationChange | None = None) -> tuple[Change, ...]:
    """Give the seats that are left, after the change that frees some, to those who wait."""
    seats = offer.seats if freeing is None else counted(offer.seats, freeing)
    changes: list[Change] = []
    is_pending = False
    if seats.waiting and can_be_joined(offer, context.now):
        leaving = None if freeing is None else freeing.reservation.reservation_id
        capacity = offer.definition.capacity
        for_all = capacity.maximum - capacity.opening_balance
        for entry in context.book.in_line():
            if entry.reservation_id == leaving:
                continue
            if for_all - seats.reserved < entry.seats <= for_all:
                break
            if len(changes) == context.rules.most_promotions:
                is_pending = True
                break
            change = _held(offer, entry, seats, context) if entry.seats <= for_all else _taken_off(entry, context.now)
            seats = counted(seats, change)
            changes.append(change)
        else:
            is_pending = seats.waiting > 0 and for_all > seats.reserved  # others wait who were not loaded
    if is_pending is not offer.seats.promotion_pending:
        changes.append(PromotionPending(is_pending))
    return tuple(changes)


def _held(offer: Offer, entry: Reservation, seats: Seats, context: Context) -> ReservationChange:
    now, price_list, price = context.now, offer.price_list, entry.price
    if price_list is not None:
        price = promoted_price(price_list, now, seats.sold_per_tier, price, seats=entry.seats)
    return WaitlistPromoted(
        replace(
            entry,
            state=ReservationState.HELD,
            price=price,
            update_time=now,
            hold_time=now,
            expire_time=held_until(offer, now + context.rules.promotion_hold),
        )
    )


def _taken_off(entry: Reservation, now: datetime) -> ReservationChange:
    return WaitlistLeft(replace(entry, state=ReservationState.RELEASED, update_time=now))
