"""What the rules of selling refuse: prices, reservations and the waitlist. The tree stands in `errors`."""

from datetime import datetime
from uuid import UUID

from offer_svc.domain.errors import OfferRefusal, instant


class SalesRefusal(OfferRefusal):
    """A refusal by a rule of selling."""


class NotOnSale(SalesRefusal):
    """The offer can't be booked now; metadata: `closed`, `from`, `until` (empty where there is no bound)."""

    reason = "SALES_CLOSED"

    def __init__(self, start: datetime | None, end: datetime | None, *, closed: bool) -> None:
        super().__init__(
            "The offer can't be booked now.",
            {"closed": str(closed).lower(), "from": _bound(start), "until": _bound(end)},
        )


class NoSeats(SalesRefusal):
    """The seats wanted are not free, or others wait for them; metadata: `left`, `wanted`, `waiting`."""

    reason = "NO_SEATS"

    def __init__(self, left: int, wanted: int, waiting: int) -> None:
        super().__init__(
            f"{left} seats are left, {wanted} are wanted, and {waiting} others wait.",
            {"left": str(left), "wanted": str(wanted), "waiting": str(waiting)},
        )


class AlreadyReserved(SalesRefusal):
    """The participant has a live reservation of the offer; metadata: `reservation_id`, `state`."""

    reason = "ALREADY_RESERVED"

    def __init__(self, reservation_id: UUID, state: str) -> None:
        super().__init__(
            f"The participant has the reservation {reservation_id} already.",
            {"reservation_id": str(reservation_id), "state": state},
        )


class NoPrice(SalesRefusal):
    """No tier of the price list applies; metadata: `currency`."""

    reason = "NO_PRICE"

    def __init__(self, currency: str) -> None:
        super().__init__(f"No price in {currency or 'no currency'} applies now.", {"currency": currency})


class QuoteInvalid(SalesRefusal):
    """The quote can't be read, or is for something else; metadata: `problem`."""

    reason = "QUOTE_INVALID"

    def __init__(self, problem: str) -> None:
        super().__init__(f"The quote is invalid: {problem}.", {"problem": problem})


class QuoteExpired(SalesRefusal):
    """The price is not promised any more; metadata: `expire_time`."""

    reason = "QUOTE_EXPIRED"

    def __init__(self, expire_time: datetime) -> None:
        super().__init__(f"The quote expired at {instant(expire_time)}.", {"expire_time": instant(expire_time)})


class TierSoldOut(SalesRefusal):
    """Too few seats are left at the price quoted; metadata: `tier`, `left`, `wanted`."""

    reason = "TIER_SOLD_OUT"

    def __init__(self, tier: str, left: int, wanted: int) -> None:
        super().__init__(
            f"{left} seats are left at the price {tier}, {wanted} are wanted.",
            {"tier": tier, "left": str(left), "wanted": str(wanted)},
        )


class HoldRanOut(SalesRefusal):
    """The hold has expired, whether its seats are free again or not yet; metadata: `expire_time`."""

    reason = "HOLD_EXPIRED"

    def __init__(self, expire_time: datetime | None) -> None:
        super().__init__("The hold has expired.", {"expire_time": _bound(expire_time)})


class HoldLimit(SalesRefusal):
    """The hold can't be extended further; metadata: `expire_time`."""

    reason = "HOLD_LIMIT"

    def __init__(self, expire_time: datetime) -> None:
        super().__init__("The hold can't be extended further.", {"expire_time": instant(expire_time)})


class ReservationUnfit(SalesRefusal):
    """The reservation's state does not allow the command; metadata: `state`, `command`."""

    reason = "RESERVATION_STATE"

    def __init__(self, state: str, command: object) -> None:
        name = type(command).__name__
        super().__init__(f"{name} is not possible while the reservation is {state}.", {"state": state, "command": name})


class TooLateToLeave(SalesRefusal):
    """The offer has begun; metadata: `start`, `leave_until` (empty where it was not rescheduled)."""

    reason = "TOO_LATE_TO_LEAVE"

    def __init__(self, start: datetime | None, leave_until: datetime | None) -> None:
        super().__init__(
            "The offer has begun: confirmed seats can't be given back.",
            {"start": _bound(start), "leave_until": _bound(leave_until)},
        )


class WaitlistNotNeeded(SalesRefusal):
    """The seats wanted are free; metadata: `left`, `wanted`."""

    reason = "WAITLIST_NOT_NEEDED"

    def __init__(self, left: int, wanted: int) -> None:
        super().__init__(
            f"{left} seats are free: {wanted} can be reserved.", {"left": str(left), "wanted": str(wanted)}
        )


class WaitlistFull(SalesRefusal):
    """The waitlist takes no more entries; metadata: `limit`."""

    reason = "WAITLIST_FULL"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The waitlist has its {limit} entries.", {"limit": str(limit)})


class NoWaitlist(SalesRefusal):
    """The offer has no waitlist."""

    reason = "NO_WAITLIST"

    def __init__(self) -> None:
        super().__init__("The offer has no waitlist.")


def _bound(moment: datetime | None) -> str:
    return "" if moment is None else instant(moment)
