"""Reservations, prices and quotes between messages and the domain.

A reservation is stored without its participant, whose name stands in a column of its own; where it is told to those who
may know it, the name is spliced into the stored bytes.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from google.type.money_pb2 import Money as MoneyMessage
from training.offer.v1 import offer_pb2
from training.offer.v1 import reservation_pb2 as pb

from chassis.wire import field
from offer_svc.adapters.mapping_values import (
    Faults,
    decimal_from,
    decimal_message,
    enum_from,
    instant_from,
    instant_message,
    money_from,
    money_message,
    uuid_from,
)
from offer_svc.adapters.mapping_wire import id_field, instant_field, number_field, text_field
from offer_svc.domain.pricing import ApplicablePrice, Money, TaxTreatment
from offer_svc.domain.quote import Quote
from offer_svc.domain.reservation import Reservation, ReservationState

_RUNS_OUT: Final = frozenset({ReservationState.HELD, ReservationState.EXPIRED})
_FINEST: Final = 15  # decimals of a price with nine and a tax factor with six
_NANOS: Final = 10**9
_PARTS_OF_A_NANO: Final = 10**6

_ID, _OFFER_ID, _PARTICIPANT_ID, _STATE, _SEATS, _PRICE, _CREATED, _UPDATED, _HELD, _EXPIRES, _CONFIRMED, _WAITS = (
    pb.Reservation.RESERVATION_ID_FIELD_NUMBER,
    pb.Reservation.OFFER_ID_FIELD_NUMBER,
    pb.Reservation.PARTICIPANT_ID_FIELD_NUMBER,
    pb.Reservation.STATE_FIELD_NUMBER,
    pb.Reservation.SEATS_FIELD_NUMBER,
    pb.Reservation.PRICE_FIELD_NUMBER,
    pb.Reservation.CREATE_TIME_FIELD_NUMBER,
    pb.Reservation.UPDATE_TIME_FIELD_NUMBER,
    pb.Reservation.HOLD_TIME_FIELD_NUMBER,
    pb.Reservation.EXPIRE_TIME_FIELD_NUMBER,
    pb.Reservation.CONFIRM_TIME_FIELD_NUMBER,
    pb.Reservation.WAIT_NUMBER_FIELD_NUMBER,
)


def reservation_details(reservation: Reservation) -> bytes:
    """Write a reservation as it is stored: the serialized message without the participant."""
    hold, expire, confirm = reservation.hold_time, reservation.expire_time, reservation.confirm_time
    return b"".join(
        (
            id_field(_ID, reservation.reservation_id),
            id_field(_OFFER_ID, reservation.offer_id),
            number_field(_STATE, reservation.state.value),
            number_field(_SEATS, reservation.seats),
            _price_field(reservation.price, reservation.seats),
            instant_field(_CREATED, reservation.create_time),
            instant_field(_UPDATED, reservation.update_time),
            b"" if hold is None else instant_field(_HELD, hold),
            b"" if expire is None else instant_field(_EXPIRES, expire),
            b"" if confirm is None else instant_field(_CONFIRMED, confirm),
            number_field(_WAITS, reservation.wait_number),
        )
    )


def named(details: bytes, participant: str | None) -> bytes:
    """Put the participant into a stored reservation; one whose name was erased has none."""
    return details + text_field(_PARTICIPANT_ID, participant or "")


def reservation_message(details: bytes, participant: str | None, state: int, update_time: datetime) -> pb.Reservation:
    """Read a row as the message; its columns win over the stored bytes, which a set-based change leaves as they are."""
    message = pb.Reservation.FromString(details)
    message.participant_id = participant or ""
    message.state = pb.Reservation.State.ValueType(state)
    message.update_time.CopyFrom(instant_message(update_time))
    if state not in _RUNS_OUT:
        message.ClearField("expire_time")
    return message


def reservation_from_row(details: bytes, participant: str | None, state: int, update_time: datetime) -> Reservation:
    """Read a row; its columns win over the stored bytes."""
    message, faults = pb.Reservation.FromString(details), Faults()
    runs_out = state in _RUNS_OUT and message.HasField("expire_time")
    reservation = Reservation(
        reservation_id=uuid_from(message.reservation_id, "reservation_id", faults),
        offer_id=_offer_id(message.offer_id),
        participant=participant,
        state=ReservationState(state),
        seats=message.seats,
        price=_price(message.price.SerializeToString()),
        create_time=instant_from(message.create_time, "create_time", faults),
        update_time=update_time,
        hold_time=instant_from(message.hold_time, "hold_time", faults) if message.HasField("hold_time") else None,
        expire_time=instant_from(message.expire_time, "expire_time", faults) if runs_out else None,
        confirm_time=(
            instant_from(message.confirm_time, "confirm_time", faults) if message.HasField("confirm_time") else None
        ),
        wait_number=message.wait_number,
    )
    faults.refuse()
    return reservation


def price_message(price: ApplicablePrice, seats: int) -> pb.Price:
    """Write a price and what is due for so many seats."""
    rate = price.tax_rate_percent
    return pb.Price(
        tier=price.tier,
        unit_price=money_message(price.price),
        tax_treatment=offer_pb2.TaxTreatment.ValueType(price.tax_treatment),
        # The shortest text: equal prices are equal bytes.
        tax_rate_percent=None if rate is None else decimal_message(rate.normalize()),
        amount_due=_amount_due(price.amount_due, seats),
    )


def price_from(message: pb.Price, path: str, faults: Faults) -> ApplicablePrice:
    """Read a price; what is due follows from it."""
    rate = message.tax_rate_percent if message.HasField("tax_rate_percent") else None
    return ApplicablePrice(
        tier=message.tier,
        price=money_from(message.unit_price, f"{path}.unit_price", faults),
        tax_treatment=enum_from(
            TaxTreatment, message.tax_treatment, f"{path}.tax_treatment", faults, TaxTreatment.NONE
        ),
        tax_rate_percent=None if rate is None else decimal_from(rate, f"{path}.tax_rate_percent", faults),
    )


def quote_message(quote: Quote, token: str) -> pb.Quote:
    """Write a quote with the token that stands for it."""
    return pb.Quote(
        token=token,
        price=price_message(quote.price, quote.seats),
        seats=quote.seats,
        expire_time=instant_message(quote.expire_time),
    )


def quote_from(message: pb.Quote, offer_id: UUID) -> Quote:
    """Read a quote of an offer, without its token."""
    faults = Faults()
    quote = Quote(
        offer_id=offer_id,
        seats=message.seats,
        price=price_from(message.price, "price", faults),
        expire_time=instant_from(message.expire_time, "expire_time", faults),
    )
    faults.refuse()
    return quote


@lru_cache(maxsize=1024)
def _price_field(price: ApplicablePrice, seats: int) -> bytes:
    """Write the price of a reservation; an offer's are few."""
    return field(_PRICE, price_message(price, seats).SerializeToString())


@lru_cache(maxsize=1024)
def _price(stored: bytes) -> ApplicablePrice:
    """Read the price of a reservation."""
    faults = Faults()
    price = price_from(pb.Price.FromString(stored), "price", faults)
    faults.refuse()
    return price


@lru_cache(maxsize=256)
def _offer_id(text: str) -> UUID:
    """Read whose reservation it is: a batch reads the same hundreds of times."""
    faults = Faults()
    offer_id = uuid_from(text, "offer_id", faults)
    faults.refuse()
    return offer_id


def _amount_due(each: Money, seats: int) -> MoneyMessage:
    """Multiply exactly, then round half to even to nanos; a Decimal could round a product of 29 digits sooner."""
    nanos, rest = divmod(int(each.amount.scaleb(_FINEST)) * seats, _PARTS_OF_A_NANO)
    half = _PARTS_OF_A_NANO // 2
    nanos += rest > half or (rest == half and nanos % 2 == 1)
    units, nanos = divmod(nanos, _NANOS)
    return MoneyMessage(currency_code=each.currency, units=units, nanos=nanos)
