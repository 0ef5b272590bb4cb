"""Offers survive the way to messages and back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from google.type.money_pb2 import Money as MoneyMessage
from hypothesis import given, settings
from training.offer.v1 import offer_pb2, offer_service_pb2

from chassis.refusal import InvalidField
from offer_svc.adapters.mapping import (
    cancel_offer,
    create_offer,
    etag,
    from_message,
    import_offer,
    publish_offer,
    published,
    schedule_sessions,
    set_price_list,
    to_message,
)
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.offer import Offer
from offer_svc.domain.schedule import BookingMode
from tests.unit.offer import requests, strategies
from tests.unit.offer.samples import CANCEL, CONTEXT, CREATE, IMPORT, OFFER, PLAN, PRICE, PUBLISH, SCHEDULE, after


@settings(max_examples=80)
@given(strategies.offers())
def test_an_offer_survives_being_stored(offer: Offer) -> None:
    stored = to_message(offer).SerializeToString()
    assert from_message(offer_pb2.Offer.FromString(stored)) == offer


@settings(max_examples=40)
@given(strategies.offers())
def test_stored_sessions_go_on_as_they_are(offer: Offer) -> None:
    stored = from_message(offer_pb2.Offer.FromString(to_message(offer).SerializeToString()))
    assert published(stored) == published(offer)
    assert (stored.schedule is None) == (offer.schedule is None)
    if stored.schedule is not None and offer.schedule is not None:
        sessions = stored.schedule.sessions
        assert sessions == tuple(offer.schedule.sessions)
        assert tuple(offer.schedule.sessions) == sessions
        assert [sessions[index] for index in range(len(sessions))] == list(sessions)
        assert hash(sessions) == hash(tuple(sessions))


@settings(max_examples=40)
@given(strategies.offers())
def test_a_message_survives_being_read(offer: Offer) -> None:
    message = to_message(offer)
    assert to_message(from_message(message)) == message


def test_the_etag_stands_for_the_definition_and_its_time() -> None:
    offer = after(CREATE, PRICE)
    assert etag(offer) == f"2-{int((offer.definition_time.timestamp()) * 1_000_000):x}"
    reserved = replace(offer, revision=9, update_time=CONTEXT.now)
    assert to_message(reserved).etag == etag(offer)


def test_money_is_exact() -> None:
    tier = replace(PRICE.price_list.tiers[0], price=replace(PRICE.price_list.tiers[0].price, amount=Decimal("0.1")))
    offer = replace(after(CREATE, PRICE), price_list=replace(PRICE.price_list, tiers=(tier,)))
    price = to_message(offer).price_list.tiers[0].price
    assert price == MoneyMessage(currency_code="EUR", units=0, nanos=100_000_000)


def test_requests_become_the_commands_they_mean() -> None:
    assert create_offer(requests.create(), OFFER) == CREATE
    assert set_price_list(requests.price()) == PRICE
    assert schedule_sessions(requests.schedule()) == SCHEDULE
    assert publish_offer(offer_service_pb2.PublishOfferRequest(offer_id=str(OFFER))) == PUBLISH
    assert cancel_offer(offer_service_pb2.CancelOfferRequest(offer_id=str(OFFER), reason=CANCEL.reason)) == CANCEL
    assert import_offer(requests.row()) == IMPORT


def test_a_booking_mode_not_given_is_forbid() -> None:
    request = requests.schedule()
    assert request.plan.booking_mode == offer_pb2.BOOKING_MODE_UNSPECIFIED
    assert schedule_sessions(request).plan.booking_mode is BookingMode.FORBID
    request.plan.booking_mode = offer_pb2.BOOKING_MODE_WARN
    assert schedule_sessions(request).plan == replace(PLAN, booking_mode=BookingMode.WARN)


def test_a_stored_import_is_the_same_row_again() -> None:
    command = import_offer(requests.row())
    offer = from_message(to_message(apply(None, decide(None, command, CONTEXT), CONTEXT)))
    assert decide(offer, import_offer(requests.row()), CONTEXT) == ()


def test_a_stored_state_that_is_none_is_refused() -> None:
    message = to_message(after(IMPORT))
    message.state = offer_pb2.Offer.STATE_UNSPECIFIED
    with pytest.raises(InvalidField):
        from_message(message)
