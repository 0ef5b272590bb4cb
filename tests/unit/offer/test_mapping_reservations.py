"""Reservations survive being stored, and are stored without whose they are."""

from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pytest
from google.type.money_pb2 import Money as MoneyMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from training.offer.v1 import offer_pb2
from training.offer.v1 import reservation_pb2 as pb

from offer_svc.adapters.mapping import (
    named,
    price_message,
    quote_message,
    reservation_details,
    reservation_from_row,
    reservation_message,
)
from offer_svc.adapters.mapping_reservations import price_from
from offer_svc.adapters.mapping_values import Faults, instant_message, optional_instant
from offer_svc.domain.pricing import ApplicablePrice, Money, TaxTreatment
from offer_svc.domain.reservation import Reservation, ReservationState
from tests.unit.offer import requests, stored
from tests.unit.offer.sale import on_sale
from tests.unit.offer.samples import NOW

RUNS_OUT = {ReservationState.HELD, ReservationState.EXPIRED}


def as_message(reservation: Reservation) -> pb.Reservation:
    """Write a reservation field by field."""
    return pb.Reservation(
        reservation_id=str(reservation.reservation_id),
        offer_id=str(reservation.offer_id),
        participant_id=reservation.participant or "",
        state=pb.Reservation.State.ValueType(reservation.state),
        seats=reservation.seats,
        price=price_message(reservation.price, reservation.seats),
        create_time=instant_message(reservation.create_time),
        update_time=instant_message(reservation.update_time),
        hold_time=optional_instant(reservation.hold_time),
        expire_time=optional_instant(reservation.expire_time),
        confirm_time=optional_instant(reservation.confirm_time),
        wait_number=reservation.wait_number,
    )


@settings(max_examples=80)
@given(stored.reservations)
def test_the_bytes_put_together_are_the_message(reservation: Reservation) -> None:
    spliced = named(reservation_details(reservation), reservation.participant)
    assert pb.Reservation.FromString(spliced) == as_message(reservation)


@settings(max_examples=80)
@given(stored.reservations)
def test_a_reservation_survives_being_stored(reservation: Reservation) -> None:
    row = reservation_details(reservation), reservation.participant, int(reservation.state), reservation.update_time
    expire_time = reservation.expire_time if reservation.state in RUNS_OUT else None
    expected = replace(reservation, expire_time=expire_time)
    assert reservation_from_row(*row) == expected
    assert reservation_message(*row) == as_message(expected)


@given(stored.reservations)
def test_the_participant_is_not_in_the_stored_bytes(reservation: Reservation) -> None:
    planted = replace(reservation, participant="participant-4711")
    assert b"participant-4711" not in reservation_details(planted)
    assert reservation_details(planted) == reservation_details(replace(reservation, participant=None))
    assert pb.Reservation.FromString(reservation_details(planted)).participant_id == ""


@pytest.mark.parametrize(
    ("state", "expires"),
    [
        (ReservationState.RELEASED, False),
        (ReservationState.CANCELLED, False),
        (ReservationState.EXPIRED, True),
        (ReservationState.HELD, True),
    ],
)
def test_the_columns_of_a_row_win_over_its_bytes(state: ReservationState, expires: bool) -> None:  # noqa: FBT001 - a case
    held, later = on_sale().reserve("Ann"), NOW + timedelta(hours=3)
    details = reservation_details(held)
    read = reservation_from_row(details, None, int(state), later)
    expire_time = held.expire_time if expires else None
    assert read == replace(held, participant=None, state=state, update_time=later, expire_time=expire_time)
    message = reservation_message(details, None, int(state), later)
    assert message.HasField("expire_time") == expires
    assert (int(message.state), message.participant_id) == (state, "")
    assert message.update_time == instant_message(later)


def test_an_erased_name_is_nobodys() -> None:
    details = reservation_details(on_sale().reserve("Ann"))
    assert named(details, None) == details
    assert pb.Reservation.FromString(named(details, "Ann")).participant_id == "Ann"


@settings(max_examples=80)
@given(stored.prices())
def test_a_price_survives_the_way_to_a_message(price: ApplicablePrice) -> None:
    faults = Faults()
    assert price_from(price_message(price, 3), "price", faults) == price
    faults.refuse()


@settings(max_examples=200)
@given(stored.prices(), st.integers(1, 1000))
def test_what_is_due_is_exact_to_nine_decimals(price: ApplicablePrice, seats: int) -> None:
    with localcontext() as context:
        context.prec = 60
        rate = price.tax_rate_percent if price.tax_treatment is TaxTreatment.EXCLUDED else None
        exact = price.price.amount * seats * (1 + (rate or Decimal(0)) / 100)
        due = price_message(price, seats).amount_due
        assert due.units + due.nanos * Decimal("1e-9") == exact.quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
        assert 0 <= due.nanos < 10**9
        assert due.currency_code == price.price.currency


@pytest.mark.parametrize(
    ("nanos", "rate", "due"),
    [
        (10, "5", 10),  # 10.5: to the even neighbour below
        (30, "5", 32),  # 31.5: to the even neighbour above
        (50, "5.0001", 53),  # 52.50005
        (50, "4.9999", 52),  # 52.49995
    ],
)
def test_what_is_due_is_rounded_half_to_even(nanos: int, rate: str, due: int) -> None:
    price = ApplicablePrice("T", Money("EUR", Decimal(nanos).scaleb(-9)), TaxTreatment.EXCLUDED, Decimal(rate))
    assert price_message(price, 1).amount_due == MoneyMessage(currency_code="EUR", nanos=due)


@pytest.mark.parametrize(("rate", "text"), [("19", "19"), ("7.70", "7.7"), ("100", "100"), ("0.0000", "0")])
def test_equal_prices_are_equal_bytes(rate: str, text: str) -> None:
    price = ApplicablePrice("T", Money("EUR", Decimal("1.50")), TaxTreatment.INCLUDED, Decimal(rate))
    message = price_message(price, 2)
    assert message.tax_rate_percent.value == text
    assert message.tax_treatment == offer_pb2.TAX_TREATMENT_INCLUDED
    assert message.amount_due == MoneyMessage(currency_code="EUR", units=3)


def test_a_quote_is_told_with_its_token() -> None:
    quote = requests.QUOTE
    assert quote_message(quote, "sealed") == pb.Quote(
        token="sealed",
        price=price_message(quote.price, 2),
        seats=2,
        expire_time=instant_message(quote.expire_time),
    )
