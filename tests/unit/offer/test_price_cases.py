"""Pricing, case by case: currencies, early birds, codes, limits and tax."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from offer_svc.domain.pricing import (
    ApplicablePrice,
    Money,
    PriceList,
    PriceTier,
    TaxTreatment,
    applicable_price,
    check_price_list,
    left_at,
    price_to_wait_for,
)
from offer_svc.domain.window import Window

MARCH, APRIL = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def tier(name: str, price: str, until: datetime | None = None, limit: int | None = None, code: str = "") -> PriceTier:
    """Write a tier: `Early bird`, `EUR 80`."""
    currency, _, amount = price.partition(" ")
    return PriceTier(name, Money(currency, Decimal(amount)), Window(None, until), limit, code)


EARLY_BIRD = (
    tier("Early bird", "EUR 80", until=APRIL, limit=3),
    tier("Early bird", "CHF 85", until=APRIL, limit=3),
    tier("Alumni", "EUR 60", code="ALUMNI"),
    tier("Standard", "EUR 100"),
    tier("Standard", "CHF 105.50"),
    tier("Group", "USD 0"),
)
GERMAN = PriceList(EARLY_BIRD, TaxTreatment.INCLUDED, Decimal(19))
SWISS = PriceList(EARLY_BIRD, TaxTreatment.EXCLUDED, Decimal("8.1"))
FREE_OF_TAX = PriceList(EARLY_BIRD)

CASES = [
    # list         when          sold  seats  wants            tier          each           due for each
    (GERMAN, MARCH, 0, 1, "EUR", "Early bird", "80", "80"),
    (SWISS, MARCH, 0, 1, "EUR", "Early bird", "80", "86.48"),
    (FREE_OF_TAX, MARCH, 0, 1, "EUR", "Early bird", "80", "80"),
    (SWISS, MARCH, 0, 1, "CHF", "Early bird", "85", "91.885"),
    (GERMAN, MARCH, 2, 1, "CHF", "Early bird", "85", "85"),
    (GERMAN, MARCH, 3, 1, "EUR", "Standard", "100", "100"),  # sold out in whichever currency
    (GERMAN, MARCH, 1, 2, "EUR", "Early bird", "80", "80"),
    (GERMAN, MARCH, 2, 2, "EUR", "Standard", "100", "100"),  # two seats are never half an early bird
    (GERMAN, APRIL - TICK, 0, 1, "EUR", "Early bird", "80", "80"),
    (GERMAN, APRIL, 0, 1, "EUR", "Standard", "100", "100"),  # an end does not belong to its window
    (SWISS, APRIL, 0, 1, "CHF", "Standard", "105.50", "114.0455"),
    (SWISS, APRIL, 0, 1, "EUR ALUMNI", "Alumni", "60", "64.86"),
    (GERMAN, MARCH, 0, 1, "EUR ALUMNI", "Early bird", "80", "80"),  # the order of the list, not the lowest price
    (GERMAN, APRIL, 0, 1, "EUR GUESS", "Standard", "100", "100"),
    (GERMAN, APRIL, 0, 1, "CHF ALUMNI", "Standard", "105.50", "105.50"),
    (SWISS, APRIL, 0, 9, "USD", "Group", "0", "0"),  # zero is a price
    (GERMAN, APRIL, 0, 1, "GBP", None, None, None),
]


@pytest.mark.parametrize(("prices", "when", "sold", "seats", "wants", "name", "each", "due"), CASES)
def test_what_a_seat_costs(  # noqa: PLR0917 - a row of the table
    prices: PriceList,
    when: datetime,
    sold: int,
    seats: int,
    wants: str,
    name: str | None,
    each: str | None,
    due: str | None,
) -> None:
    check_price_list(prices)
    currency, _, code = wants.partition(" ")
    price = applicable_price(prices, when, {"Early bird": sold}, currency, code, seats=seats)
    if name is None or each is None or due is None:
        assert price is None
    else:
        assert price == ApplicablePrice(
            name, Money(currency, Decimal(each)), prices.tax_treatment, prices.tax_rate_percent
        )
        assert price.amount_due == Money(currency, Decimal(due))


def test_a_limit_is_left_in_whichever_currency_it_was_sold() -> None:
    def left(name: str, currency: str, sold: int) -> int | None:
        price = ApplicablePrice(name, Money(currency, Decimal(1)), TaxTreatment.NONE, None)
        return left_at(GERMAN, price, {"Early bird": sold, "Standard": 50})

    assert [left("Early bird", currency, 2) for currency in ("EUR", "CHF")] == [1, 1]
    assert left("Early bird", "EUR", 5) == -2  # promotions keep their price
    assert left("Standard", "EUR", 0) is None
    assert left("Early bird", "USD", 0) is None
    assert left("Gone", "EUR", 0) is None


def test_who_waits_pays_the_applicable_price_or_that_of_the_last_tier_whose_limit_is_sold() -> None:
    limited = PriceList((tier("First", "EUR 80", limit=2), tier("Second", "EUR 90", limit=2)))

    def noted(sold: dict[str, int], seats: int = 1, currency: str = "EUR") -> str | None:
        price = price_to_wait_for(limited, MARCH, sold, currency, "", seats=seats)
        return None if price is None else price.tier

    assert noted({"First": 1}) == "First"
    assert noted({"First": 1}, seats=2) == "Second"
    assert noted({"First": 2, "Second": 2}) == "Second"
    assert noted({}, currency="USD") is None


def test_readers_see_the_tiers_that_need_no_code() -> None:
    assert [tier.name for tier in GERMAN.public_tiers].count("Alumni") == 0
    assert len(GERMAN.public_tiers) == 5
    other_code = replace(GERMAN, tiers=(*EARLY_BIRD[:2], tier("Alumni", "EUR 10", code="X"), *EARLY_BIRD[3:]))
    assert GERMAN.same_in_public(other_code)
    for other in (None, FREE_OF_TAX, replace(GERMAN, tiers=EARLY_BIRD[1:]), replace(GERMAN, tax_rate_percent=None)):
        assert not GERMAN.same_in_public(other)
