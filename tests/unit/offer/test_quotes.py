"""Pricing: quotes, the price that is held, and whether it still is the present one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from chassis.refusal import InvalidField, Refusal
from offer_svc.domain.commands import CancelOffer, ConfirmReservation, ReleaseReservation, ReserveSeats, SetPriceList
from offer_svc.domain.offer import State
from offer_svc.domain.pricing import Money, PriceList, PriceTier, TaxTreatment
from offer_svc.domain.quote import Quote
from offer_svc.domain.quoting import ConfirmPrice, QuotePrice, present_price, quote_price
from offer_svc.domain.window import Window
from tests.unit.offer.sale import MINUTE, Sale, id_of, on_sale
from tests.unit.offer.samples import NOW, OFFER, in_state

TICK = timedelta(microseconds=1)
EARLY = PriceTier("Early bird", Money("EUR", Decimal(400)), Window(None, NOW + 5 * MINUTE), quantity_limit=4)
PARTNER = PriceTier("Partner", Money("EUR", Decimal(300)), code="P-77")
STANDARD = PriceTier("Standard", Money("EUR", Decimal(490)))
PRICES = PriceList((PARTNER, EARLY, STANDARD), TaxTreatment.INCLUDED, Decimal(19))
DEARER = replace(PRICES, tiers=(replace(STANDARD, price=Money("EUR", Decimal(900))),))
ANN = id_of("Ann")


def quoted(sale: Sale, seats: int = 1, code: str = "") -> Quote:
    """Ask what seats cost."""
    return quote_price(sale.state, QuotePrice(OFFER, seats, "EUR", code), sale.at_this_moment())


def reserve(quote: Quote | None, participant: str = "Ann", seats: int = 1, currency: str = "") -> ReserveSeats:
    """Ask for seats at a quoted price."""
    return ReserveSeats(OFFER, id_of(participant), participant, seats, currency, quote=quote)


def confirmed(sale: Sale, quote: Quote, code: str = "") -> str | None:
    """Return the tier of the present price of what was quoted."""
    price = present_price(sale.state, ConfirmPrice(OFFER, quote, code), sale.at_this_moment())
    return None if price is None else price.tier


def test_a_quote_is_the_applicable_price_for_ten_minutes() -> None:
    quote = quoted(on_sale(prices=PRICES), 2)
    assert (quote.offer_id, quote.seats, quote.expire_time) == (OFFER, 2, NOW + 10 * MINUTE)
    assert (quote.price.tier, quote.price.price) == ("Early bird", EARLY.price)
    assert (quote.price.tax_treatment, quote.price.tax_rate_percent) == (TaxTreatment.INCLUDED, Decimal(19))


def test_a_quote_for_more_seats_than_a_tier_has_is_the_next_tier() -> None:
    sale = on_sale(prices=PRICES)
    assert [quoted(sale, seats).price.tier for seats in (4, 5)] == ["Early bird", "Standard"]
    assert quoted(sale, 5, "P-77").price.tier == "Partner"


@pytest.mark.parametrize("state", State)
def test_only_a_published_offer_has_a_price(state: State) -> None:
    sale = Sale(in_state(state))
    quote = quoted(on_sale())
    if state is State.PUBLISHED:
        assert (quoted(sale).price.tier, confirmed(sale, quote)) == ("Standard", "Standard")
        return
    with pytest.raises(Refusal) as quoting:
        quoted(sale)
    with pytest.raises(Refusal) as confirming:
        confirmed(sale, quote)
    reason = "RESOURCE_NOT_FOUND" if state is State.DELETED else "OFFER_STATE"
    assert [quoting.value.reason, confirming.value.reason] == [reason] * 2


def test_no_seats_and_no_tier_have_no_price() -> None:
    sale = on_sale(prices=PRICES)
    with pytest.raises(InvalidField):
        quoted(sale, 0)
    with pytest.raises(Refusal) as caught:
        quote_price(sale.state, QuotePrice(OFFER, 1, "USD"), sale.at_this_moment())
    assert (caught.value.reason, caught.value.metadata) == ("NO_PRICE", {"currency": "USD"})


def test_a_quote_is_honoured_until_it_expires_whatever_the_list_says() -> None:
    sale = on_sale(prices=PRICES)
    quote = quoted(sale)
    sale.do(SetPriceList(OFFER, DEARER))
    sale.now = quote.expire_time - TICK
    sale.do(reserve(quote))
    assert sale.of("Ann").price == quote.price
    assert sale.offer.seats.sold_per_tier == {"Early bird": 1}


def test_a_held_seat_keeps_its_quoted_price_when_it_is_confirmed() -> None:
    sale = on_sale(prices=PRICES)
    quote = quoted(sale)
    sale.now += 9 * MINUTE
    sale.do(reserve(quote), SetPriceList(OFFER, DEARER))
    sale.now += 9 * MINUTE
    sale.do(ConfirmReservation(OFFER, ANN))
    assert sale.of("Ann").price == quote.price


def test_an_expired_quote_promises_nothing() -> None:
    sale = on_sale(prices=PRICES)
    quote = quoted(sale)
    sale.now = quote.expire_time
    found = sale.refusal(reserve(quote))
    assert (found.reason, found.metadata) == ("QUOTE_EXPIRED", {"expire_time": "2027-01-10T12:10:00Z"})


@pytest.mark.parametrize(
    ("command", "problem"),
    [
        (reserve(replace(quoted(on_sale()), offer_id=ANN)), "it is for another offer"),
        (reserve(quoted(on_sale()), seats=2), "it is for 1 seats"),
        (reserve(quoted(on_sale()), currency="USD"), "it is in EUR"),
    ],
)
def test_a_quote_is_for_its_own_offer_seats_and_currency(command: ReserveSeats, problem: str) -> None:
    found = on_sale().refusal(command)
    assert (found.reason, found.metadata) == ("QUOTE_INVALID", {"problem": problem})


def test_a_quote_may_be_taken_in_its_currency_by_name() -> None:
    sale = on_sale()
    sale.do(reserve(quoted(sale), currency="EUR"))
    assert sale.of("Ann").price.price.currency == "EUR"


def test_a_quote_does_not_exceed_the_limit_of_its_tier() -> None:
    sale = on_sale(prices=PRICES)
    quote = quoted(sale, 2)
    sale.reserve("Ben", 3)
    found = sale.refusal(reserve(quote, seats=2))
    assert (found.reason, found.metadata) == ("TIER_SOLD_OUT", {"tier": "Early bird", "left": "1", "wanted": "2"})
    sale.do(ReleaseReservation(OFFER, id_of("Ben")), reserve(quote, seats=2))
    assert sale.offer.seats.sold_per_tier == {"Early bird": 2}


def test_a_quote_of_a_tier_without_a_limit_or_without_a_place_in_the_list_is_honoured() -> None:
    sale = on_sale(prices=PRICES)
    early, standard = quoted(sale, 2), quoted(sale, 5)
    sale.do(reserve(standard, "Ben", 5), SetPriceList(OFFER, DEARER), reserve(early, seats=2))
    assert sale.offer.seats.sold_per_tier == {"Standard": 5, "Early bird": 2}
    bare = Sale(replace(on_sale().offer, price_list=None))
    bare.do(reserve(early, seats=2))


def test_a_price_is_confirmed_as_unchanged_or_as_changed_to_the_present_one() -> None:
    sale = on_sale(prices=PRICES)
    quote, partner = quoted(sale), quoted(sale, code="P-77")
    assert (confirmed(sale, quote), confirmed(sale, partner, "P-77")) == ("Early bird", "Partner")
    assert confirmed(sale, partner) == "Early bird"
    sale.now += 5 * MINUTE
    assert confirmed(sale, quote) == "Standard"
    sale.do(SetPriceList(OFFER, DEARER))
    question = ConfirmPrice(OFFER, quoted(sale))
    assert present_price(sale.state, question, sale.at_this_moment()) == question.quote.price
    sale.do(SetPriceList(OFFER, replace(PRICES, tiers=(PARTNER,))))
    assert confirmed(sale, quote) is None
    assert present_price(replace(sale.offer, price_list=None), question, sale.at_this_moment()) is None


def test_an_expired_quote_can_be_compared_and_one_of_another_offer_can_not() -> None:
    sale = on_sale()
    quote = quoted(sale)
    sale.now += 11 * MINUTE
    assert confirmed(sale, quote) == "Standard"
    with pytest.raises(Refusal) as caught:
        confirmed(sale, replace(quote, offer_id=ANN))
    assert caught.value.reason == "QUOTE_INVALID"


def test_reservations_take_the_first_tier_that_has_the_seats_left() -> None:
    sale = on_sale(prices=PRICES)
    sale.reserve("Ann", 3)
    sale.reserve("Ben", 2)
    sale.reserve("Cem", 1)
    assert [sale.of(name).price.tier for name in ("Ann", "Ben", "Cem")] == ["Early bird", "Standard", "Early bird"]
    assert sale.offer.seats.sold_per_tier == {"Early bird": 4, "Standard": 2}
    sale.do(ReleaseReservation(OFFER, ANN))
    assert quoted(sale, 3).price.tier == "Early bird"
    sale.do(CancelOffer(OFFER, "why"))
    assert sale.offer.seats.sold_per_tier == {}
