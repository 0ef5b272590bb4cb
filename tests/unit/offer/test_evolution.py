"""Changes make the next state."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest

from offer_svc.domain.changes import OfferCreated, OfferMadePublic, PromotionPending, SalesClosed, SeatsReleased
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply, evolve
from offer_svc.domain.offer import Cancellation, FormerDates, Offer, State
from offer_svc.domain.reservation import ReservationState
from offer_svc.domain.scheduling import expand
from offer_svc.domain.seats import Seats
from tests.unit.offer.sale import sold_out
from tests.unit.offer.samples import (
    BOUNDS,
    CANCEL,
    CONTEXT,
    CREATE,
    DEFINITION,
    IMPORT,
    NOW,
    OFFER,
    PLAN,
    PRICE,
    PRICES,
    PUBLISH,
    SCHEDULE,
    after,
    in_state,
)

MINUTE = timedelta(minutes=1)


def test_the_first_revision_is_one_and_every_time_is_now() -> None:
    offer = after(CREATE)
    assert (offer.offer_id, offer.definition, offer.state) == (OFFER, DEFINITION, State.DRAFT)
    assert (offer.revision, offer.definition_revision) == (1, 1)
    assert {offer.create_time, offer.update_time, offer.definition_time} == {NOW}


def test_each_command_is_one_revision_and_keeps_the_time_of_creation() -> None:
    offer = after(CREATE, SCHEDULE, PRICE, PUBLISH, CANCEL)
    assert (offer.revision, offer.definition_revision) == (5, 5)
    assert (offer.create_time, offer.publish_time) == (NOW, NOW + 3 * MINUTE)
    assert (offer.update_time, offer.definition_time) == (NOW + 4 * MINUTE, NOW + 4 * MINUTE)
    assert (offer.schedule, offer.price_list) == (expand(PLAN, BOUNDS), PRICES)
    assert (offer.state, offer.cancellation) == (
        State.CANCELLED,
        Cancellation("too few people", NOW + 4 * MINUTE),
    )


def test_an_import_is_one_revision_and_equals_the_steps() -> None:
    imported = after(IMPORT)
    stepwise = after(CREATE, SCHEDULE, PRICE, PUBLISH)
    assert (imported.revision, imported.publish_time) == (1, NOW)
    same = replace(
        stepwise,
        revision=1,
        definition_revision=1,
        definition_time=NOW,
        update_time=NOW,
        publish_time=NOW,
        public_revision=1,
        public_time=NOW,
    )
    assert imported == same


def test_no_changes_leave_the_offer_as_it_is() -> None:
    offer = in_state(State.DRAFT)
    assert apply(offer, decide(offer, PRICE, CONTEXT), CONTEXT) is offer


def test_a_change_that_does_not_fit_leaves_the_state_as_it_is() -> None:
    offer = in_state(State.DRAFT)
    assert evolve(offer, OfferCreated(OFFER, DEFINITION), CONTEXT) is offer
    assert evolve(None, OfferMadePublic(), CONTEXT) is None
    assert evolve(None, PromotionPending(pending=True), CONTEXT) is None


def test_one_change_is_folded_with_its_counts() -> None:
    sale = sold_out()
    released = evolve(sale.offer, SeatsReleased(sale.of("Ben"), ReservationState.HELD), CONTEXT)
    assert released is not None
    assert (released.seats.held, released.seats_left) == (0, 4)
    assert released.revision == sale.offer.revision
    pending = evolve(released, PromotionPending(pending=True), CONTEXT)
    assert pending is not None
    assert pending.seats == replace(released.seats, promotion_pending=True)
    closed = evolve(sale.offer, SalesClosed(), CONTEXT)
    assert closed == replace(sale.offer, sales_closed=True)


def test_a_revision_that_only_counts_keeps_everything_else() -> None:
    seats = Seats(1, 2, 3, {"Standard": 3}, 4, promotion_pending=True)
    full = replace(
        in_state(State.CANCELLED),
        definition_revision=3,
        sales_closed=True,
        at_risk=True,
        decide_time=NOW + 5 * MINUTE,
        previous_dates=(FormerDates(NOW, NOW, NOW),),
        leave_until=NOW + 6 * MINUTE,
        complete_time=NOW + 7 * MINUTE,
        source_offer_id=OFFER,
    )
    assert all(getattr(full, field.name) for field in fields(Offer))
    counted = replace(full, revision=7, update_time=NOW, seats=seats)
    assert full.counted(7, NOW, seats, is_public=False) == counted
    assert full.counted(7, NOW, seats, is_public=True) == replace(counted, public_revision=7, public_time=NOW)


def test_an_offer_begins_with_its_creation() -> None:
    with pytest.raises(ValueError, match="no offer yet"):
        apply(None, (OfferMadePublic(),), CONTEXT)


def test_taken_seats_are_the_opening_balance_and_what_is_held_and_confirmed() -> None:
    assert after(IMPORT).seats_taken == 2
    assert sold_out().offer.seats_taken == 12
