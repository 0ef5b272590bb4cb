"""How changes make the next counts of seats."""

from collections.abc import Mapping
from typing import assert_never

from offer_svc.domain.changes import (
    Change,
    HoldExpired,
    HoldExtended,
    OfferCalledOff,
    OfferEnded,
    PromotionPending,
    ReservationChange,
    SeatsConfirmed,
    SeatsHeld,
    SeatsReleased,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPromoted,
)
from offer_svc.domain.reservation import ReservationState
from offer_svc.domain.seats import Seats


def counted(seats: Seats, change: Change) -> Seats:
    """Return the counts after a change; most changes of the offer as a whole leave them as they are."""
    if isinstance(change, ReservationChange):
        return _counted_one(seats, change)
    match change:
        case OfferCalledOff():
            return Seats(next_wait_number=seats.next_wait_number)
        case OfferEnded():
            return Seats(
                seats.held, seats.confirmed, 0, seats.sold_per_tier, seats.next_wait_number, promotion_pending=False
            )
        case PromotionPending():
            return Seats(
                seats.held,
                seats.confirmed,
                seats.waiting,
                seats.sold_per_tier,
                seats.next_wait_number,
                promotion_pending=change.pending,
            )
        case _:
            return seats


def _counted_one(seats: Seats, change: ReservationChange) -> Seats:
    """Count one reservation; one of `held` and `confirmed` and the sales of its tier move together."""
    wanted = change.reservation.seats
    held, confirmed, waiting, number = seats.held, seats.confirmed, seats.waiting, seats.next_wait_number
    sold = 0
    match change:
        case SeatsHeld():
            held, sold = held + wanted, wanted
        case SeatsConfirmed():
            held, confirmed = held - wanted, confirmed + wanted
        case HoldExtended():
            return seats
        case HoldExpired():
            held, sold = held - wanted, -wanted
        case SeatsReleased(was=ReservationState.CONFIRMED):
            confirmed, sold = confirmed - wanted, -wanted
        case SeatsReleased():
            held, sold = held - wanted, -wanted
        case WaitlistJoined():
            waiting, number = waiting + 1, number + 1
        case WaitlistLeft():
            waiting -= 1
        case WaitlistPromoted():
            held, waiting, sold = held + wanted, waiting - 1, wanted
        case _:
            assert_never(change)
    per_tier = _sold(seats.sold_per_tier, change.reservation.price.tier, sold) if sold else seats.sold_per_tier
    return Seats(held, confirmed, waiting, per_tier, number, seats.promotion_pending)


def _sold(per_tier: Mapping[str, int], tier: str, seats: int) -> Mapping[str, int]:
    """Return the sales after seats of a tier were sold, or given back; a tier without sales is left out."""
    after = {**per_tier, tier: per_tier.get(tier, 0) + seats}
    if not after[tier]:
        del after[tier]
    return after
