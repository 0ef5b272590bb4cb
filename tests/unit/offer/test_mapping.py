"""Offers survive the way to messages and back."""

from dataclasses import replace
from decimal import Decimal

import pytest
from google.type.money_pb2 import Money as MoneyMessage
from hypothesis import given, settings
from training.offer.v1 import offer_pb2

from chassis.refusal import InvalidField
from offer_svc.adapters.mapping import as_written, etag, from_message, import_offer, published, to_message, trainers_of
from offer_svc.domain.changes import OfferMoved, SessionsScheduled
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.offer import FormerDates, Offer
from offer_svc.domain.schedule import BookingMode, DeliveryMode, Schedule, SchedulePlan, SessionTraits
from offer_svc.domain.seats import UNRESERVED
from tests.unit.offer import requests, stored
from tests.unit.offer.sale import sold_out
from tests.unit.offer.samples import CONTEXT, CREATE, IMPORT, NOW, PRICE, after, single


@settings(max_examples=80)
@given(stored.offers())
def test_an_offer_survives_being_stored(offer: Offer) -> None:
    written = to_message(offer).SerializeToString()
    assert from_message(offer_pb2.Offer.FromString(written)) == offer


@settings(max_examples=40)
@given(stored.offers())
def test_stored_sessions_go_on_as_they_are(offer: Offer) -> None:
    read = from_message(offer_pb2.Offer.FromString(to_message(offer).SerializeToString()))
    assert published(read) == published(offer)
    assert (read.schedule is None) == (offer.schedule is None)
    if read.schedule is not None and offer.schedule is not None:
        sessions = read.schedule.sessions
        assert trainers_of(read.schedule) == trainers_of(offer.schedule)
        assert sessions == tuple(offer.schedule.sessions)
        assert tuple(offer.schedule.sessions) == sessions
        assert [sessions[index] for index in range(len(sessions))] == list(sessions)
        assert hash(sessions) == hash(tuple(sessions))


def test_a_stored_session_is_read_once() -> None:
    schedule = from_message(to_message(after(IMPORT))).schedule
    assert schedule is not None
    assert schedule.sessions[0] is schedule.sessions[0]
    assert schedule.sessions[-1] is schedule.sessions[-1]
    assert schedule.sessions[0] != schedule.sessions[-1]
    assert schedule.sessions[1:3] == tuple(schedule.sessions)[1:3]


@settings(max_examples=40)
@given(stored.offers())
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


def test_callers_see_how_many_take_part_and_wait() -> None:
    sale = sold_out()
    sale.join("Cem")
    assert to_message(sale.offer).seats == offer_pb2.SeatCounts(
        held=4,
        confirmed=6,
        waiting=1,
        sold_per_tier=[offer_pb2.TierSales(tier="Standard", seats=10)],
        next_wait_number=2,
    )
    assert from_message(to_message(after(CREATE))).seats == UNRESERVED


def test_no_limit_of_the_waitlist_is_not_a_limit_of_zero() -> None:
    unlimited = after(CREATE)
    none = replace(unlimited, definition=replace(unlimited.definition, waitlist_limit=0))
    assert not to_message(unlimited).HasField("waitlist_limit")
    assert to_message(none).HasField("waitlist_limit")
    assert from_message(to_message(none)) == none


def test_trainers_are_listed_once_in_order() -> None:
    def session(day: int, *trainers: str) -> Schedule:
        traits = SessionTraits(DeliveryMode.ONLINE, trainer_ids=trainers)
        plan = SchedulePlan(sessions=(single(f"2027-03-0{day}T09:00", f"2027-03-0{day}T10:00", traits=traits),))
        schedule = after(replace(IMPORT, plan=plan)).schedule
        assert schedule is not None
        return schedule

    both = Schedule((*session(1, "zoe", "ann").sessions, *session(2, "ann", "ben").sessions))
    assert trainers_of(both) == ["ann", "ben", "zoe"]
    assert trainers_of(session(1)) == []


def test_a_new_schedule_goes_on_as_it_was_written() -> None:
    offer = after(IMPORT)
    assert offer.schedule is not None
    moved = OfferMoved(offer.schedule, BookingMode.WARN, FormerDates(None, None, NOW), NOW)
    scheduled = SessionsScheduled(offer.schedule, BookingMode.WARN)
    state, changes = as_written(to_message(offer), offer, (PRICE_SET, moved, scheduled))
    assert (state, changes) == (offer, (PRICE_SET, moved, scheduled))
    assert state.schedule is not None
    assert not isinstance(state.schedule.sessions, tuple)
    draft = after(CREATE)
    assert as_written(to_message(draft), draft, ()) == (draft, ())


def test_a_stored_import_is_the_same_row_again() -> None:
    command = import_offer(requests.row())
    offer = from_message(to_message(apply(None, decide(None, command, CONTEXT), CONTEXT)))
    assert decide(offer, import_offer(requests.row()), CONTEXT) == ()


def test_a_stored_state_that_is_none_is_refused() -> None:
    message = to_message(after(IMPORT))
    message.state = offer_pb2.Offer.STATE_UNSPECIFIED
    with pytest.raises(InvalidField):
        from_message(message)


PRICE_SET = decide(after(CREATE), PRICE, CONTEXT)[0]
