"""Whatever the wire can carry is a command or an INVALID_FIELD with its path, never another exception."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal
from google.type.interval_pb2 import Interval
from google.type.latlng_pb2 import LatLng
from google.type.money_pb2 import Money
from training.offer.v1 import offer_pb2, offer_service_pb2

from chassis.refusal import InvalidField, Refusal
from offer_svc.adapters.mapping import (
    cancel_offer,
    create_offer,
    import_offer,
    publish_offer,
    set_price_list,
    to_message,
    update_offer,
)
from offer_svc.domain.decide import decide
from tests.unit.offer import requests
from tests.unit.offer.samples import CONTEXT, IMPORT, OFFER, after
from tests.unit.offer.traps import Row, faults, faults_of, row

Prepare = Callable[[Row], object]


@pytest.mark.parametrize(
    ("seconds", "nanos"),
    [(253_402_300_800, 0), (-62_135_596_801, 0), (0, -1), (0, 1_000_000_000), (2**63 - 1, 0), (-(2**63), 2**31 - 1)],
)
def test_a_timestamp_is_in_the_years_1_to_9999(seconds: int, nanos: int) -> None:
    request = row()
    request.definition.sales_window.start_time.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    request.price_list.tiers[0].validity.end_time.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    request.definition.decision_deadline.CopyFrom(Timestamp(seconds=seconds, nanos=nanos))
    assert faults(request) == [
        ("definition.sales_window.start_time", "timestamp"),
        ("definition.decision_deadline", "timestamp"),
        ("price_list.tiers[0].validity.end_time", "timestamp"),
    ]


@pytest.mark.parametrize(
    ("seconds", "instant"),
    [
        (253_402_300_799, datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
        (-62_135_596_800, datetime(1, 1, 1, 0, 0, 0, 999_999, UTC)),
    ],
)
def test_the_ends_of_the_calendar_are_read_to_the_microsecond(seconds: int, instant: datetime) -> None:
    request = row()
    request.definition.sales_window.start_time.CopyFrom(Timestamp(seconds=seconds, nanos=999_999_999))
    assert import_offer(request).definition.sales_window.start == instant


def test_an_interval_is_not_reversed() -> None:
    reversed_interval = Interval(start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1))
    request = row()
    request.definition.sales_window.CopyFrom(reversed_interval)
    request.plan.access_window.CopyFrom(reversed_interval)
    request.price_list.tiers[0].validity.CopyFrom(reversed_interval)
    assert faults(request) == [
        ("definition.sales_window", "interval"),
        ("plan.access_window", "interval"),
        ("price_list.tiers[0].validity", "interval"),
    ]


@pytest.mark.parametrize(
    ("units", "nanos"),
    [(1, -1), (-1, 1), (0, 1_000_000_000), (0, -1_000_000_000), (5, 2**31 - 1), (2**63 - 1, -(2**31))],
)
def test_units_and_nanos_of_money_agree(units: int, nanos: int) -> None:
    request = row()
    request.price_list.tiers[0].price.CopyFrom(Money(currency_code="EUR", units=units, nanos=nanos))
    assert faults(request) == [("price_list.tiers[0].price", "money")]


@pytest.mark.parametrize(("units", "nanos"), [(2**63 - 1, 999_999_999), (-(2**63), -999_999_999), (0, -1)])
def test_money_that_is_a_number_but_no_price_is_the_domains(units: int, nanos: int) -> None:
    request = requests.price()
    request.price_list.tiers[0].price.CopyFrom(Money(currency_code="EUR", units=units, nanos=nanos))
    with pytest.raises(Refusal) as caught:
        decide(after(IMPORT), set_price_list(request), CONTEXT)
    assert caught.value.metadata == {"rule": "tier.price", "tier": "Standard"}


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "1e999999999", "19%", "١٩", "1_9", " 19", "19\n", ".", "1,5", "0x1", "9" * 19, "--1"]
)
def test_a_decimal_is_a_plain_number(text: str) -> None:
    request = row()
    request.price_list.tax_treatment = offer_pb2.TAX_TREATMENT_EXCLUDED
    request.price_list.tax_rate_percent.CopyFrom(Decimal(value=text))
    assert faults(request) == [("price_list.tax_rate_percent", "decimal")]


@pytest.mark.parametrize(
    ("text", "written"), [("", "0"), ("19", "19"), ("+7.70", "7.70"), ("1e1", "10"), (".5", "0.5")]
)
def test_a_decimal_is_written_without_an_exponent(text: str, written: str) -> None:
    request = row()
    request.price_list.tax_treatment = offer_pb2.TAX_TREATMENT_EXCLUDED
    request.price_list.tax_rate_percent.CopyFrom(Decimal(value=text))
    offer = after(import_offer(request))
    assert to_message(offer).price_list.tax_rate_percent.value == written


@pytest.mark.parametrize(
    ("prepare", "path"),
    [
        (lambda r: r.plan.weekly_rules[0].days.append(9), "plan.weekly_rules[0].days[2]"),
        (lambda r: setattr(r.plan.weekly_rules[0].traits, "mode", 0), "plan.weekly_rules[0].traits.mode"),
        (lambda r: setattr(r.plan.weekly_rules[0].traits, "mode", 77), "plan.weekly_rules[0].traits.mode"),
        (lambda r: setattr(r.plan, "booking_mode", 77), "plan.booking_mode"),
        (lambda r: setattr(r.price_list, "tax_treatment", 77), "price_list.tax_treatment"),
    ],
)
def test_an_enum_is_one_of_its_values(prepare: Prepare, path: str) -> None:
    request = row()
    prepare(request)
    assert faults(request) == [(path, "enum")]


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(91, 0), (0, -181), (float("nan"), 0), (0, float("nan")), (float("inf"), 0)]
)
def test_a_position_is_on_the_earth(latitude: float, longitude: float) -> None:
    request = row()
    request.plan.weekly_rules[0].traits.place.position.CopyFrom(LatLng(latitude=latitude, longitude=longitude))
    assert faults(request) == [("plan.weekly_rules[0].traits.place.position", "position")]


@pytest.mark.parametrize("code", ["", "e", "de_AT", "dë", "en-", "123456789"])
def test_a_language_is_a_language_tag(code: str) -> None:
    request = row()
    request.definition.language_codes.append(code)
    assert faults(request) == [("definition.language_codes[2]", "language")]


def test_an_id_is_a_uuid() -> None:
    request = row()
    request.offer_id = "7"
    request.definition.program_id = ""
    assert faults(request) == [("offer_id", "uuid"), ("definition.program_id", "uuid")]
    for refuse in (
        lambda: publish_offer(offer_service_pb2.PublishOfferRequest(offer_id="7")),
        lambda: cancel_offer(offer_service_pb2.CancelOfferRequest(offer_id="7")),
        lambda: create_offer(offer_service_pb2.CreateOfferRequest(), OFFER),
    ):
        with pytest.raises(InvalidField):
            refuse()


def test_an_update_has_the_same_traps_as_a_creation() -> None:
    create, update = requests.create(), requests.update()
    for definition in (create.definition, update.definition):
        definition.decision_deadline.CopyFrom(Timestamp(nanos=-1))
        definition.sales_window.CopyFrom(Interval(start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1)))
        definition.language_codes.append("de_AT")
    expected = [
        ("definition.language_codes[2]", "language"),
        ("definition.sales_window", "interval"),
        ("definition.decision_deadline", "timestamp"),
    ]
    assert faults_of(lambda: create_offer(create, OFFER)) == expected
    update.update_mask.paths.append("etag")
    assert faults_of(lambda: update_offer(update)) == [*expected, ("update_mask", "field_mask.path")]
