"""Whether an offer can be booked, and what a seat costs whoever books it."""

from datetime import datetime
from uuid import UUID

from chassis.refusal import InvalidField, Violation
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.pricing import ApplicablePrice, applicable_price, left_at
from offer_svc.domain.quote import Quote
from offer_svc.domain.sales_errors import NoPrice, NotOnSale, QuoteExpired, QuoteInvalid, TierSoldOut
from offer_svc.domain.schedule import Schedule
from offer_svc.domain.window import Window


def begin_of(schedule: Schedule) -> datetime | None:
    """Return when it is too late to join or leave: sessions when the first starts, an access window when it closes."""
    return schedule.end_time if schedule.access_window is not None else schedule.start_time


def booking_window(offer: Offer) -> Window:
    """Return when the offer can be booked, unless sales are closed.

    That is its sales window, which ends when the offer begins if it names no end, and never later than the offer does.
    """
    window, schedule = offer.definition.sales_window, offer.schedule
    if schedule is None:
        return window
    if window.end is None:
        return Window(window.start, begin_of(schedule))
    end = schedule.end_time
    return window if end is None or window.end <= end else Window(window.start, end)


def can_be_joined(offer: Offer, now: datetime) -> bool:
    """Tell whether seats can be given to who asked for them before: to them, the start of sales does not matter."""
    end = booking_window(offer).end
    return offer.state is State.PUBLISHED and not offer.sales_closed and (end is None or now < end)


def held_until(offer: Offer, wanted: datetime) -> datetime:
    """Return until when seats are held: as long as wanted, but not after the offer can't be booked any more."""
    end = booking_window(offer).end
    return wanted if end is None or wanted < end else end


def require_on_sale(offer: Offer, now: datetime) -> None:
    """Refuse what can't be booked now."""
    window = booking_window(offer)
    if offer.sales_closed or not window.contains(now):
        raise NotOnSale(window.start, window.end, closed=offer.sales_closed)


def check_wanted(seats: int) -> None:
    """Refuse a number of seats that is none."""
    if seats < 1:
        raise InvalidField("Invalid: seats.", violations=(Violation("seats", "seats", str(seats), "at least 1"),))


def check_quote(quote: Quote, offer_id: UUID, seats: int, currency: str) -> None:
    """Refuse a quote for something else than what is wanted; no currency means that of the quote."""
    if quote.offer_id != offer_id:
        raise QuoteInvalid("it is for another offer")
    if quote.seats != seats:
        raise QuoteInvalid(f"it is for {quote.seats} seats")
    if currency not in ("", quote.price.price.currency):
        raise QuoteInvalid(f"it is in {quote.price.price.currency}")


def price_for(offer: Offer, now: datetime, seats: int, currency: str, code: str) -> ApplicablePrice:
    """Return the price that applies now, or refuse."""
    price_list, sold = offer.price_list, offer.seats.sold_per_tier
    if price_list is not None:
        price = applicable_price(price_list, now, sold, currency, code, seats=seats)
        if price is not None:
            return price
    raise NoPrice(currency)


def promised_price(offer: Offer, now: datetime, quote: Quote) -> ApplicablePrice:
    """Return the price of a quote, whatever the list says now, while seats are left at it."""
    if now >= quote.expire_time:
        raise QuoteExpired(quote.expire_time)
    price_list = offer.price_list
    left = None if price_list is None else left_at(price_list, quote.price, offer.seats.sold_per_tier)
    if left is not None and left < quote.seats:
        raise TierSoldOut(quote.price.tier, left, quote.seats)
    return quote.price
