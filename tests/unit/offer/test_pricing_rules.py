"""Each rule of a price list bites, by its name."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from offer_svc.domain.errors import PriceListInvalid
from offer_svc.domain.pricing import Money, PriceList, PriceTier, TaxTreatment, check_price_list
from offer_svc.domain.window import Window
from tests.unit.offer.samples import NOW, PRICES, TIER


def refused(price_list: PriceList) -> PriceListInvalid:
    """Return the refusal of a list."""
    with pytest.raises(PriceListInvalid) as caught:
        check_price_list(price_list)
    return caught.value


def priced(amount: str) -> PriceList:
    """Return a list of one tier at an amount."""
    return PriceList((replace(TIER, price=Money("EUR", Decimal(amount))),))


def taxed(treatment: TaxTreatment, rate: str | None) -> PriceList:
    """Return a list with a tax."""
    return replace(PRICES, tax_treatment=treatment, tax_rate_percent=None if rate is None else Decimal(rate))


def test_price_list_tiers_there_is_at_least_one() -> None:
    assert refused(PriceList(())).metadata == {"rule": "price_list.tiers", "tier": ""}


@pytest.mark.parametrize("name", ["", "  "])
def test_tier_name_is_not_blank(name: str) -> None:
    assert refused(PriceList((replace(TIER, name=name),))).metadata == {"rule": "tier.name", "tier": name}


def test_tier_name_is_used_once_per_currency() -> None:
    in_dollars = replace(TIER, price=Money("USD", Decimal(1)))
    check_price_list(PriceList((TIER, in_dollars)))
    refusal = refused(PriceList((TIER, in_dollars, TIER)))
    assert [(v.field, v.rule) for v in refusal.violations] == [("price_list.tiers[2].name", "tier.name")]


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "EU", "EU1", "ÄÖÜ", "EUR\n"])
def test_tier_currency_is_three_capital_letters(currency: str) -> None:
    assert refused(PriceList((replace(TIER, price=Money(currency, Decimal(1))),))).metadata["rule"] == "tier.currency"


@pytest.mark.parametrize("amount", ["-0.000000001", "-1", "1e12", "0.0000000001", "NaN", "sNaN", "Infinity", "1e999"])
def test_tier_price_is_from_zero_to_its_limit_with_nine_decimals(amount: str) -> None:
    assert refused(priced(amount)).metadata == {"rule": "tier.price", "tier": "Standard"}


@pytest.mark.parametrize(
    "amount", ["0", "0.000000001", "999999999999.999999999", "1.0000000000000000000000000000000000"]
)
def test_tier_price_may_be_anything_exact_in_between_and_zero(amount: str) -> None:
    check_price_list(priced(amount))


def test_tier_validity_contains_some_instant() -> None:
    check_price_list(PriceList((replace(TIER, validity=Window(NOW, NOW + timedelta(microseconds=1))),)))
    assert refused(PriceList((replace(TIER, validity=Window(NOW, NOW)),))).metadata["rule"] == "tier.validity"


def test_tier_quantity_limit_is_at_least_one_seat() -> None:
    check_price_list(PriceList((replace(TIER, quantity_limit=1),)))
    assert refused(PriceList((replace(TIER, quantity_limit=0),))).metadata["rule"] == "tier.quantity_limit"


@pytest.mark.parametrize("rate", ["0", "19", "100", "7.7", "8.8750", "1e1"])
def test_tax_rate_goes_with_a_treatment(rate: str) -> None:
    check_price_list(taxed(TaxTreatment.INCLUDED, rate))
    check_price_list(taxed(TaxTreatment.EXCLUDED, rate))
    assert refused(taxed(TaxTreatment.NONE, rate)).metadata == {"rule": "tax.rate", "tier": ""}


@pytest.mark.parametrize("rate", [None, "-1", "100.0001", "0.00001", "NaN", "1e99"])
def test_tax_rate_is_a_percentage(rate: str | None) -> None:
    assert refused(taxed(TaxTreatment.EXCLUDED, rate)).metadata["rule"] == "tax.rate"


def test_every_violation_is_listed_with_its_path() -> None:
    bad = PriceTier("", Money("x", Decimal(-1)), Window(NOW, NOW), 0)
    refusal = refused(PriceList((TIER, bad), TaxTreatment.EXCLUDED))
    assert [violation.field for violation in refusal.violations] == [
        "price_list.tiers[1].name",
        "price_list.tiers[1].price.currency_code",
        "price_list.tiers[1].price",
        "price_list.tiers[1].validity",
        "price_list.tiers[1].quantity_limit",
        "price_list.tax_rate_percent",
    ]
    assert refusal.metadata == {"rule": "tier.name", "tier": ""}
