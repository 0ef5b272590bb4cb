"""Price lists: what a seat costs, when, in which currency and for whom.

Rules of a list (metadata `rule` of PRICE_LIST_INVALID):

    price_list.tiers       there is at least one tier
    tier.name              a name is not blank and is used once per currency
    tier.currency          three capital letters, the shape of ISO 4217
    tier.price             from zero to below 10^12, with at most nine decimals
    tier.validity          some instant lies in it
    tier.quantity_limit    at least one seat
    tax.rate               with a treatment: from 0 to 100 percent, at most four decimals; without one: absent

Tiers of one name in several currencies are one offer of seats: what was sold in any of them counts towards each limit.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from chassis.refusal import Violation
from offer_svc.domain.errors import PriceListInvalid
from offer_svc.domain.window import ALWAYS, Window

_CURRENCY = re.compile(r"[A-Z]{3}")
_PRICE_STEP = Decimal("1e-9")
_PRICE_MAXIMUM = 10**12 - _PRICE_STEP
_RATE_STEP = Decimal("1e-4")
_RATE_MAXIMUM = Decimal(100)


class TaxTreatment(IntEnum):
    """Whether prices contain tax."""

    NONE = 0
    INCLUDED = 1
    EXCLUDED = 2


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount of one currency."""

    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PriceTier:
    """One price under conditions; an empty code means that it is public."""

    name: str
    price: Money
    validity: Window = ALWAYS
    quantity_limit: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class PriceList:
    """What an offer costs; the order of the tiers is their precedence."""

    tiers: tuple[PriceTier, ...]
    tax_treatment: TaxTreatment = TaxTreatment.NONE
    tax_rate_percent: Decimal | None = None

    @property
    def public_tiers(self) -> tuple[PriceTier, ...]:
        """Return the tiers that need no code."""
        return tuple(tier for tier in self.tiers if not tier.code)

    def same_in_public(self, other: "PriceList | None") -> bool:
        """Tell whether readers see no difference."""
        return (
            other is not None
            and self.public_tiers == other.public_tiers
            and self.tax_treatment is other.tax_treatment
            and self.tax_rate_percent == other.tax_rate_percent
        )


@dataclass(frozen=True, slots=True)
class ApplicablePrice:
    """The price of one seat, and the tier and the tax that belong to it."""

    tier: str
    price: Money
    tax_treatment: TaxTreatment
    tax_rate_percent: Decimal | None

    @property
    def amount_due(self) -> Money:
        """Return what is paid for one seat, tax and all, exactly."""
        if self.tax_treatment is not TaxTreatment.EXCLUDED or self.tax_rate_percent is None:
            return self.price
        # Within the bounds of a list the product has at most 28 digits, which Decimal holds exactly.
        factor = (100 + self.tax_rate_percent).scaleb(-2)
        return Money(self.price.currency, self.price.amount * factor)


def applicable_price(
    price_list: PriceList,
    instant: datetime,
    sold_per_tier: Mapping[str, int],
    currency: str,
    code: str,
    *,
    seats: int = 1,
) -> ApplicablePrice | None:
    """Return the first tier that applies, or nothing.

    A tier applies within its half-open validity, in its own currency, while its limit leaves the seats wanted, and to
    everyone or to those who give its code.
    """
    for tier in price_list.tiers:
        if _is_open(tier, instant, currency, code) and _leaves(tier, sold_per_tier, seats):
            return _price(price_list, tier)
    return None


def price_to_wait_for(
    price_list: PriceList,
    instant: datetime,
    sold_per_tier: Mapping[str, int],
    currency: str,
    code: str,
    *,
    seats: int = 1,
) -> ApplicablePrice | None:
    """Return the price for those who wait: the applicable one or, where limits leave none, that of the last open tier.

    Every seat of a limited tier may be sold when the waitlist begins; the seat waited for is perhaps one of them.
    """
    applicable = applicable_price(price_list, instant, sold_per_tier, currency, code, seats=seats)
    if applicable is not None:
        return applicable
    open_tiers = [tier for tier in price_list.tiers if _is_open(tier, instant, currency, code)]
    return _price(price_list, open_tiers[-1]) if open_tiers else None


def promoted_price(
    price_list: PriceList,
    instant: datetime,
    sold_per_tier: Mapping[str, int],
    joined: ApplicablePrice,
    *,
    seats: int,
) -> ApplicablePrice:
    """Return what one who waited pays: the price noted at joining, unless the seats of its tier are sold.

    Then it is the price that applies at the instant, to whoever has the code of that tier; the price noted stays where
    none applies.
    """
    tier = _tier_of(price_list, joined)
    if tier is None or _leaves(tier, sold_per_tier, seats):
        return joined
    currency = joined.price.currency
    return applicable_price(price_list, instant, sold_per_tier, currency, tier.code, seats=seats) or joined


def left_at(price_list: PriceList, price: ApplicablePrice, sold_per_tier: Mapping[str, int]) -> int | None:
    """Return how many seats are left at a price by the list, or None where it sets no limit, or no such tier."""
    tier = _tier_of(price_list, price)
    if tier is None or tier.quantity_limit is None:
        return None
    return tier.quantity_limit - sold_per_tier.get(tier.name, 0)


def _tier_of(price_list: PriceList, price: ApplicablePrice) -> PriceTier | None:
    key = (price.tier, price.price.currency)
    return next((tier for tier in price_list.tiers if (tier.name, tier.price.currency) == key), None)


def _is_open(tier: PriceTier, instant: datetime, currency: str, code: str) -> bool:
    return tier.price.currency == currency and tier.code in ("", code) and tier.validity.contains(instant)


def _leaves(tier: PriceTier, sold_per_tier: Mapping[str, int], seats: int) -> bool:
    return tier.quantity_limit is None or sold_per_tier.get(tier.name, 0) + seats <= tier.quantity_limit


def _price(price_list: PriceList, tier: PriceTier) -> ApplicablePrice:
    return ApplicablePrice(tier.name, tier.price, price_list.tax_treatment, price_list.tax_rate_percent)


def check_price_list(price_list: PriceList) -> None:
    """Refuse a list that breaks a rule, with every violation."""
    broken = tuple(_broken(price_list))
    if broken:
        raise PriceListInvalid(broken)


def _broken(price_list: PriceList) -> Iterator[tuple[str, Violation]]:
    if not price_list.tiers:
        yield "", Violation("price_list.tiers", "price_list.tiers", "0", "at least one tier")
    used: set[tuple[str, str]] = set()
    for index, tier in enumerate(price_list.tiers):
        key = (tier.name, tier.price.currency)
        for violation in _broken_tier(tier, f"price_list.tiers[{index}]", is_repeated=key in used):
            yield tier.name, violation
        used.add(key)
    for violation in _broken_tax(price_list):
        yield "", violation


def _broken_tier(tier: PriceTier, path: str, *, is_repeated: bool) -> Iterator[Violation]:
    if not tier.name.strip() or is_repeated:
        yield Violation(f"{path}.name", "tier.name", tier.name, "a name, used once per currency")
    if _CURRENCY.fullmatch(tier.price.currency) is None:
        found = tier.price.currency
        yield Violation(f"{path}.price.currency_code", "tier.currency", found, "three capital letters (ISO 4217)")
    amount = tier.price.amount
    if not _is_within(amount, _PRICE_MAXIMUM, _PRICE_STEP):
        needed = "from zero to below 10^12 with at most nine decimals"
        yield Violation(f"{path}.price", "tier.price", str(amount), needed)
    if tier.validity.is_empty:
        found = f"{tier.validity.start} to {tier.validity.end}"
        yield Violation(f"{path}.validity", "tier.validity", found, "a start before its end")
    if tier.quantity_limit is not None and tier.quantity_limit < 1:
        yield Violation(f"{path}.quantity_limit", "tier.quantity_limit", str(tier.quantity_limit), "at least 1")


def _broken_tax(price_list: PriceList) -> Iterator[Violation]:
    rate = price_list.tax_rate_percent
    if price_list.tax_treatment is TaxTreatment.NONE:
        holds, needed = rate is None, "no rate without a tax treatment"
    else:
        holds = rate is not None and _is_within(rate, _RATE_MAXIMUM, _RATE_STEP)
        needed = "from 0 to 100 percent with at most four decimals"
    if not holds:
        found = "none" if rate is None else str(rate)
        yield Violation("price_list.tax_rate_percent", "tax.rate", found, needed)


def _is_within(number: Decimal, maximum: Decimal, step: Decimal) -> bool:
    return number.is_finite() and 0 <= number <= maximum and number == number.quantize(step)
