"""Commands on an offer on sale, for lives that go anywhere."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import strategies as st

from offer_svc.domain.commands import (
    CancelOffer,
    CloseSales,
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
from offer_svc.domain.pricing import PriceList
from tests.unit.offer.samples import DEFINITION, OFFER, PLAN, PRICE, SCHEDULE, TIER, WEEKLY

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
PAUSES = st.sampled_from([1, 1, 1, 11, 60, 24 * 60, 60 * 24 * 90])
"""Minutes between two commands."""
