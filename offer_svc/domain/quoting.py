"""Questions about the price, which change nothing."""

from dataclasses import dataclass
from uuid import UUID

from offer_svc.domain.context import Context
from offer_svc.domain.guards import PUBLISHED, offer_in
from offer_svc.domain.offer import Offer
from offer_svc.domain.pricing import ApplicablePrice, applicable_price
from offer_svc.domain.quote import Quote
from offer_svc.domain.selling import check_quote, check_wanted, price_for


@dataclass(frozen=True, slots=True)
class QuotePrice:
    """Ask what seats cost now."""

    offer_id: UUID
    seats: int
    currency: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmPrice:
    """Ask whether a quote's price is still the present one, for whoever has the code."""

    offer_id: UUID
    quote: Quote
    code: str = ""


def quote_price(state: Offer | None, question: QuotePrice, context: Context) -> Quote:
    """Return the price that applies now, promised for a while, or refuse."""
    check_wanted(question.seats)
    offer = offer_in(PUBLISHED, state, question.offer_id, question)
    price = price_for(offer, context.now, question.seats, question.currency, question.code)
    return Quote(question.offer_id, question.seats, price, context.now + context.rules.quote)


def present_price(state: Offer | None, question: ConfirmPrice, context: Context) -> ApplicablePrice | None:
    """Return the present price of what was quoted, or nothing; the quote's price is *unchanged* if it is the same."""
    quote = question.quote
    check_quote(quote, question.offer_id, quote.seats, "")
    offer = offer_in(PUBLISHED, state, question.offer_id, question)
    if offer.price_list is None:
        return None
    currency, sold = quote.price.price.currency, offer.seats.sold_per_tier
    return applicable_price(offer.price_list, context.now, sold, currency, question.code, seats=quote.seats)
