"""Anything an offer's database can hold, for properties: offers and reservations in full, and changes of every kind."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from offer_svc.domain import changes as kinds
from offer_svc.domain.availability import Capacity
from offer_svc.domain.changes import Change
from offer_svc.domain.offer import Cancellation, FormerDates, Offer, OfferDefinition, State
from offer_svc.domain.pricing import ApplicablePrice, Money, TaxTreatment
from offer_svc.domain.quote import Quote
from offer_svc.domain.reservation import Reservation, ReservationState
from offer_svc.domain.schedule import BookingMode
from offer_svc.domain.seats import Seats
from offer_svc.domain.window import ALWAYS
from tests.unit.offer.strategies import (
    CURRENCIES,
    TIER_NAMES,
    amounts,
    instants,
    price_lists,
    schedules,
    windows,
    words,
)

INT32, INT64 = 2**31 - 1, 2**63 - 1

capacities = st.builds(Capacity, st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
seats = st.builds(
    Seats,
    held=st.integers(0, 10**6),
    confirmed=st.integers(0, 10**6),
    waiting=st.integers(0, INT32),
    sold_per_tier=st.dictionaries(st.sampled_from((*TIER_NAMES, "Gone")), st.integers(1, 10**6)),
    next_wait_number=st.integers(1, INT64),
    promotion_pending=st.booleans(),
)
definitions = st.builds(
    OfferDefinition,
    program_id=st.uuids(),
    capacity=capacities,
    sales_window=st.just(ALWAYS) | windows(),
    language_codes=st.lists(st.sampled_from(("en", "de-AT", "zh-Hant-TW")), unique=True).map(tuple),
    decision_deadline=st.none() | instants(),
    cancel_below_minimum=st.booleans(),
    waitlist_limit=st.none() | st.integers(0, 10**6),
)
former_dates = st.builds(FormerDates, st.none() | instants(), st.none() | instants(), instants())
cancellations = st.builds(Cancellation, words, instants())


def offers() -> st.SearchStrategy[Offer]:
    """Offers as they can be stored."""
    return st.builds(
        Offer,
        offer_id=st.uuids(),
        definition=definitions,
        state=st.sampled_from(State),
        revision=st.integers(1, INT64),
        definition_revision=st.integers(1, INT64),
        definition_time=instants(),
        create_time=instants(),
        update_time=instants(),
        schedule=st.none() | schedules(),
        booking_mode=st.none() | st.sampled_from(BookingMode),
        price_list=st.none() | price_lists(),
        publish_time=st.none() | instants(),
        cancellation=st.none() | cancellations,
        seats=seats,
        sales_closed=st.booleans(),
        at_risk=st.booleans(),
        decide_time=st.none() | instants(),
        previous_dates=st.lists(former_dates, max_size=3).map(tuple),
        leave_until=st.none() | instants(),
        complete_time=st.none() | instants(),
        source_offer_id=st.none() | st.uuids(),
        public_revision=st.integers(0, INT64),
        public_time=st.none() | instants(),
    )


@st.composite
def prices(draw: st.DrawFn) -> ApplicablePrice:
    """Prices as a list that keeps the rules has them."""
    treatment = draw(st.sampled_from(TaxTreatment))
    rate = None if treatment is TaxTreatment.NONE else draw(st.decimals(0, 100, places=draw(st.integers(0, 4))))
    return ApplicablePrice(draw(words), Money(draw(st.sampled_from(CURRENCIES)), draw(amounts)), treatment, rate)


quotes = st.builds(Quote, st.uuids(), st.integers(1, 1000), prices(), instants())

_moments: Mapping[str, Any] = dict.fromkeys(("hold_time", "confirm_time"), st.none() | instants())
reservations = st.builds(
    Reservation,
    reservation_id=st.uuids(),
    offer_id=st.uuids(),
    participant=st.none() | st.text(st.characters(codec="utf-8"), min_size=1, max_size=12),
    state=st.sampled_from(ReservationState),
    seats=st.integers(1, 10**6),
    price=prices(),
    create_time=instants(),
    update_time=instants(),
    expire_time=instants(),
    wait_number=st.integers(0, INT64),
    **_moments,
)
"""Reservations with a time at which they expire, whatever their state."""

_of_one: Mapping[type[Change], st.SearchStrategy[Change]] = {
    kind: st.builds(kind, reservations)
    for kind in (
        kinds.SeatsHeld,
        kinds.HoldExtended,
        kinds.SeatsConfirmed,
        kinds.HoldExpired,
        kinds.WaitlistJoined,
        kinds.WaitlistLeft,
        kinds.WaitlistPromoted,
    )
}
CHANGES: Mapping[type[Change], st.SearchStrategy[Change]] = {
    **_of_one,
    kinds.SeatsReleased: st.builds(kinds.SeatsReleased, reservations, st.sampled_from(ReservationState)),
    kinds.OfferCreated: st.builds(kinds.OfferCreated, st.uuids(), definitions, st.none() | st.uuids()),
    kinds.DefinitionChanged: st.builds(
        kinds.DefinitionChanged,
        definitions,
        st.lists(st.sampled_from(("capacity", "sales_window", "waitlist_limit")), unique=True).map(tuple),
    ),
    kinds.PriceListSet: st.builds(kinds.PriceListSet, price_lists()),
    kinds.SessionsScheduled: st.builds(kinds.SessionsScheduled, schedules(), st.sampled_from(BookingMode)),
    kinds.OfferMoved: st.builds(kinds.OfferMoved, schedules(), st.sampled_from(BookingMode), former_dates, instants()),
    kinds.CapacitySet: st.builds(kinds.CapacitySet, capacities),
    kinds.OfferMadePublic: st.just(kinds.OfferMadePublic()),
    kinds.SalesClosed: st.just(kinds.SalesClosed()),
    kinds.SalesReopened: st.just(kinds.SalesReopened()),
    kinds.OfferCalledOff: st.builds(kinds.OfferCalledOff, cancellations),
    kinds.OfferDeleted: st.just(kinds.OfferDeleted()),
    kinds.OfferEnded: st.just(kinds.OfferEnded()),
    kinds.MinimumDecided: st.builds(kinds.MinimumDecided, st.booleans()),
    kinds.PromotionPending: st.builds(kinds.PromotionPending, st.booleans()),
    kinds.ParticipantErased: st.builds(
        kinds.ParticipantErased, st.lists(st.uuids(), min_size=1, max_size=3).map(tuple)
    ),
}
"""Every kind of change, each with all that it can carry."""
