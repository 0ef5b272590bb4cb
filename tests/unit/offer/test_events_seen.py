"""Readers are told of a revision if, and only if, they see a difference."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from training.offer.v1 import events_pb2

from chassis.refusal import Refusal
from offer_svc.adapters.mapping import ADVANCED, LastingParts, event, published
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CancelOffer,
    CloseSales,
    Command,
    CompleteOffer,
    ConfirmReservation,
    DecideAtDeadline,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    PromoteWaiting,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.offer import Offer, OfferDefinition
from offer_svc.domain.pricing import PriceList
from tests.unit.offer.sale import HOUR, MINUTE, on_sale
from tests.unit.offer.samples import DEFINITION, NOW, OFFER, PLAN, PRICE, SCHEDULE, TIER, WEEKLY

CODED = replace(TIER, name="Partner", code="P-77")
NEXT_WEEK = replace(PLAN, weekly_rules=(replace(WEEKLY, first_date=WEEKLY.first_date + timedelta(7)),))
PEOPLE, KEYS = st.sampled_from(["Ann", "Ben", "Cem"]), st.integers(1, 6).map(lambda number: UUID(int=number))
ANYTHING = st.one_of(
    st.builds(
        lambda kind, key, who, seats: kind(OFFER, key, who, seats, "EUR"),
        st.sampled_from([ReserveSeats, JoinWaitlist]),
        KEYS,
        PEOPLE,
        st.integers(1, 3),
    ),
    st.builds(
        lambda kind, key: kind(OFFER, key),
        st.sampled_from([ConfirmReservation, ExtendReservation, ReleaseReservation, ExpireReservation]),
        KEYS,
    ),
    st.builds(lambda low, high: SetCapacity(OFFER, low, high), st.integers(0, 2), st.integers(2, 6)),
    st.builds(lambda who: EraseReservations(OFFER, who), PEOPLE),
    st.builds(
        lambda limit: UpdateOffer(OFFER, replace(DEFINITION, waitlist_limit=limit), frozenset({"waitlist_limit"})),
        st.none() | st.integers(0, 2),
    ),
    st.builds(
        lambda limit: SetPriceList(OFFER, PriceList((CODED, replace(TIER, quantity_limit=limit)))),
        st.none() | st.integers(1, 9),
    ),
    st.sampled_from(
        [
            CloseSales(OFFER),
            ReopenSales(OFFER),
            PromoteWaiting(OFFER),
            DecideAtDeadline(OFFER),
            CompleteOffer(OFFER),
            RescheduleOffer(OFFER, NEXT_WEEK),
            RescheduleOffer(OFFER, PLAN),
            CancelOffer(OFFER, "why"),
            SCHEDULE,
            PRICE,
        ]
    ),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(ANYTHING, st.sampled_from([1, 1, 1, 11, 60, 24 * 60, 60 * 24 * 90])), max_size=25))
def test_an_event_is_told_whenever_readers_see_a_difference(commands: list[tuple[Command, int]]) -> None:
    sale, parts = (
        on_sale(OfferDefinition(DEFINITION.program_id, Capacity(2, 4, 1), decision_deadline=NOW + HOUR)),
        LastingParts(),
    )
    for command, minutes in commands:
        before = sale.offer
        sale.now += minutes * MINUTE
        try:
            changes = sale.do(command)
        except Refusal:
            continue
        if changes:
            name, body = event("olga", before, sale.offer, changes, parts.write)
            assert (name == ADVANCED) == (seen(before) == seen(sale.offer)) == (body == b"")
            if body:
                assert events_pb2.OfferEvent.FromString(body).offer == published(sale.offer)


def seen(offer: Offer) -> events_pb2.PublishedOffer:
    """Return what readers see, apart from which revision it is."""
    message = published(offer)
    message.ClearField("revision")
    message.ClearField("update_time")
    return message
