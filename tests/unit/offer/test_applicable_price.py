"""The price at an instant, for a currency and a code."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offer_svc.domain.pricing import (
    Money,
    PriceList,
    PriceTier,
    TaxTreatment,
    applicable_price,
    check_price_list,
)
from offer_svc.domain.window import Window
from tests.unit.offer import strategies

MAY = datetime(2027, 5, 1, tzinfo=UTC)
JUNE = datetime(2027, 6, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)

# Early birds until June, ten of them in both currencies together; partners pay less with their code, in euros only.
LIST = PriceList(
    (
        PriceTier("Partner", Money("EUR", Decimal("250.50")), code="P-77"),
        PriceTier("Early bird", Money("EUR", Decimal("399.99")), Window(end=JUNE), quantity_limit=10),
        PriceTier("Early bird", Money("USD", Decimal("440.00")), Window(end=JUNE), quantity_limit=10),
        PriceTier("Standard", Money("EUR", Decimal("490.00")), Window(start=MAY)),
        PriceTier("Standard", Money("USD", Decimal("540.00"))),
    ),
    TaxTreatment.EXCLUDED,
    Decimal(19),
)


@pytest.mark.parametrize(
    ("instant", "sold", "currency", "code", "tier", "due"),
    [
        (MAY, 0, "EUR", "", "Early bird", "475.9881"),
        (MAY, 9, "EUR", "", "Early bird", "475.9881"),
        (MAY, 10, "EUR", "", "Standard", "583.10"),
        (MAY, 10, "USD", "", "Standard", "642.60"),
        (MAY - TICK, 10, "EUR", "", None, None),
        (JUNE - TICK, 0, "USD", "", "Early bird", "523.60"),
        (JUNE, 0, "USD", "", "Standard", "642.60"),
        (JUNE, 0, "EUR", "P-77", "Partner", "298.095"),
        (JUNE, 0, "EUR", "p-77", "Standard", "583.10"),
        (JUNE, 0, "USD", "P-77", "Standard", "642.60"),
        (JUNE, 0, "CHF", "", None, None),
    ],
)
def test_the_first_tier_that_applies_is_the_price(  # noqa: PLR0917 - a row of the table
    instant: datetime, sold: int, currency: str, code: str, tier: str | None, due: str | None
) -> None:
    check_price_list(LIST)
    price = applicable_price(LIST, instant, {"Early bird": sold}, currency, code)
    if price is None:
        assert tier is None
    else:
        assert due is not None
        assert (price.tier, price.amount_due) == (tier, Money(currency, Decimal(due)))


@pytest.mark.parametrize(
    ("treatment", "rate", "due"),
    [(TaxTreatment.NONE, None, "100"), (TaxTreatment.INCLUDED, "19", "100"), (TaxTreatment.EXCLUDED, "7.7", "107.7")],
)
def test_only_an_excluded_tax_comes_on_top(treatment: TaxTreatment, rate: str | None, due: str) -> None:
    tax = None if rate is None else Decimal(rate)
    price_list = PriceList((PriceTier("One", Money("CHF", Decimal(100))),), treatment, tax)
    price = applicable_price(price_list, MAY, {}, "CHF", "")
    assert price is not None
    assert price.amount_due == Money("CHF", Decimal(due))


SOLD = st.dictionaries(st.sampled_from(strategies.TIER_NAMES), st.integers(0, 30))
CURRENCY = st.sampled_from(strategies.CURRENCIES)


@given(
    strategies.price_lists(),
    strategies.instants(),
    SOLD,
    CURRENCY,
    st.sampled_from(["", *strategies.CODES]),
    st.integers(1, 4),
)
def test_exactly_one_tier_or_none_applies_and_it_is_the_first(  # noqa: PLR0917 - what a price depends on
    price_list: PriceList, instant: datetime, sold: dict[str, int], currency: str, code: str, seats: int
) -> None:
    check_price_list(price_list)
    fitting = [
        tier
        for tier in price_list.tiers
        if tier.price.currency == currency
        and (not tier.code or tier.code == code)
        and not (tier.validity.start is not None and instant < tier.validity.start)
        and not (tier.validity.end is not None and instant >= tier.validity.end)
        and not (tier.quantity_limit is not None and sold.get(tier.name, 0) + seats > tier.quantity_limit)
    ]
    price = applicable_price(price_list, instant, sold, currency, code, seats=seats)
    assert (price is None) == (not fitting)
    if price is not None:
        assert (price.tier, price.price) == (fitting[0].name, fitting[0].price)


@given(strategies.price_lists(), strategies.instants(), SOLD, CURRENCY)
def test_a_price_is_never_negative_and_what_is_due_is_exact(
    price_list: PriceList, instant: datetime, sold: dict[str, int], currency: str
) -> None:
    price = applicable_price(price_list, instant, sold, currency, "")
    if price is not None:
        excluded = price_list.tax_treatment is TaxTreatment.EXCLUDED
        rate = Fraction(price_list.tax_rate_percent or 0) if excluded else Fraction(0)
        assert price.price.amount >= 0
        assert Fraction(price.amount_due.amount) == Fraction(price.price.amount) * (100 + rate) / 100


@given(strategies.instants(), strategies.instants())
def test_a_tier_applies_from_its_start_up_to_and_without_its_end(one: datetime, other: datetime) -> None:
    start, end = min(one, other), max(one, other) + TICK
    tiers = (PriceTier("Window", Money("EUR", Decimal(1)), Window(start, end)),)

    def applies(instant: datetime) -> bool:
        return applicable_price(PriceList(tiers), instant, {}, "EUR", "") is not None

    assert applies(start)
    assert applies(end - TICK)
    assert not applies(start - TICK)
    assert not applies(end)
