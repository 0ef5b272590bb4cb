"""Seats for those who wait.

Whoever came first is first: one who wants more seats than are free keeps those behind waiting. Seats are given until
the offer begins, a limited number of times in a revision; the rest is left to the timekeeper, by `promotion_pending`.
The price noted at joining stays, whatever was sold at it since.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from offer_svc.domain.changes import Change, PromotionPending, WaitlistPromoted
from offer_svc.domain.context import Context
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.reservation import ReservationState
from offer_svc.domain.selling import begin_of


def promotions(offer: Offer, left: int, context: Context, leaving: UUID | None = None) -> tuple[Change, ...]:
    """Give the seats left to those who wait, except to one who is leaving the waitlist in the same revision."""
    waiting = offer.seats.waiting - (leaving is not None)
    promoted: list[Change] = []
    is_pending = False
    if waiting and left > 0 and _can_join(offer, context.now):
        now, most = context.now, context.rules.most_promotions
        for entry in context.book.in_line():
            if entry.reservation_id == leaving:
                continue
            if entry.seats > left:
                break
            if len(promoted) == most:
                is_pending = True
                break
            left -= entry.seats
            expire_time = now + context.rules.promotion_hold
            held = replace(entry, state=ReservationState.HELD, update_time=now, hold_time=now, expire_time=expire_time)
            promoted.append(WaitlistPromoted(held))
        else:
            is_pending = left > 0 and waiting > len(promoted)  # others wait who were not loaded
    if is_pending is not offer.seats.promotion_pending:
        promoted.append(PromotionPending(is_pending))
    return tuple(promoted)


def _can_join(offer: Offer, now: datetime) -> bool:
    if offer.state is not State.PUBLISHED or offer.schedule is None:
        return False
    begin = begin_of(offer.schedule)
    return begin is None or now < begin
