"""Definitions and price lists between messages and the domain."""

import re
from uuid import UUID

from google.type.interval_pb2 import Interval
from training.offer.v1 import offer_pb2, offer_service_pb2

from offer_svc.adapters.mapping_values import (
    Faults,
    decimal_from,
    decimal_message,
    enum_from,
    instant_from,
    money_from,
    money_message,
    shortest,
    uuid_from,
    window_from,
    window_message,
)
from offer_svc.domain.availability import Capacity
from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import PriceList, PriceTier, TaxTreatment
from offer_svc.domain.window import ALWAYS, Window

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")

Terms = offer_pb2.Offer | offer_service_pb2.OfferDefinition


def definition_from(message: Terms, path: str, faults: Faults) -> OfferDefinition:
    """Read what an offer is, apart from its schedule and its prices; `path` ends with a dot unless it is empty."""
    return terms_from(message, path, faults, uuid_from(message.program_id, f"{path}program_id", faults))


def refuse_opening_balance(capacity: offer_pb2.Capacity, path: str, faults: Faults) -> None:
    """Note seats taken before an import where nothing is imported."""
    if capacity.opening_balance:
        field = f"{path}capacity.opening_balance"
        faults.note(field, "capacity.opening_balance", capacity.opening_balance, "zero: only an import has one")


def terms_from(message: Terms, path: str, faults: Faults, program_id: UUID) -> OfferDefinition:
    """Read what an offer of a program is."""
    codes = message.language_codes
    for index, code in enumerate(codes):
        if _LANGUAGE.fullmatch(code) is None:
            faults.note(f"{path}language_codes[{index}]", "language", code, "a BCP-47 language tag such as de-AT")
    capacity = message.capacity
    return OfferDefinition(
        program_id=program_id,
        capacity=Capacity(capacity.minimum, capacity.maximum, capacity.opening_balance),
        sales_window=(
            window_from(message.sales_window, f"{path}sales_window", faults)
            if message.HasField("sales_window")
            else ALWAYS
        ),
        language_codes=tuple(codes),
        decision_deadline=(
            instant_from(message.decision_deadline, f"{path}decision_deadline", faults)
            if message.HasField("decision_deadline")
            else None
        ),
        cancel_below_minimum=message.cancel_below_minimum,
        waitlist_limit=message.waitlist_limit if message.HasField("waitlist_limit") else None,
    )


def capacity_message(capacity: Capacity) -> offer_pb2.Capacity:
    """Write a capacity."""
    return offer_pb2.Capacity(
        minimum=capacity.minimum, maximum=capacity.maximum, opening_balance=capacity.opening_balance
    )


def bounds_message(window: Window) -> Interval | None:
    """Write a window; one without bounds is an absent field."""
    return None if window == ALWAYS else window_message(window)


def price_list_from(message: offer_pb2.PriceList, path: str, faults: Faults) -> PriceList:
    """Read a price list."""
    return PriceList(
        tiers=tuple(_tier_from(tier, f"{path}.tiers[{index}]", faults) for index, tier in enumerate(message.tiers)),
        tax_treatment=enum_from(
            TaxTreatment, message.tax_treatment, f"{path}.tax_treatment", faults, TaxTreatment.NONE
        ),
        tax_rate_percent=(
            decimal_from(message.tax_rate_percent, f"{path}.tax_rate_percent", faults)
            if message.HasField("tax_rate_percent")
            else None
        ),
    )


def price_list_message(price_list: PriceList, *, public: bool = False) -> offer_pb2.PriceList:
    """Write a price list; the public one has only the tiers that need no code.

    Two that readers see no difference between are the same bytes there: a rate has no zeros at its end.
    """
    tiers = price_list.public_tiers if public else price_list.tiers
    rate = None if price_list.tax_rate_percent is None else decimal_message(price_list.tax_rate_percent)
    if rate is not None and public:
        rate.value = shortest(rate.value)
    return offer_pb2.PriceList(
        tiers=map(_tier_message, tiers),
        tax_treatment=offer_pb2.TaxTreatment.ValueType(price_list.tax_treatment),
        tax_rate_percent=rate,
    )


def _tier_from(message: offer_pb2.PriceTier, path: str, faults: Faults) -> PriceTier:
    return PriceTier(
        name=message.name,
        price=money_from(message.price, f"{path}.price", faults),
        validity=window_from(message.validity, f"{path}.validity", faults) if message.HasField("validity") else ALWAYS,
        quantity_limit=message.quantity_limit if message.HasField("quantity_limit") else None,
        code=message.code,
    )


def _tier_message(tier: PriceTier) -> offer_pb2.PriceTier:
    return offer_pb2.PriceTier(
        name=tier.name,
        price=money_message(tier.price),
        validity=bounds_message(tier.validity),
        quantity_limit=tier.quantity_limit,
        code=tier.code,
    )
