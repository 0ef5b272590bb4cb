"""How changes make the next state."""

from dataclasses import replace
from typing import assert_never

from offer_svc.domain.changes import (
    CapacitySet,
    Change,
    DefinitionChanged,
    MinimumDecided,
    OfferCalledOff,
    OfferCreated,
    OfferDeleted,
    OfferEnded,
    OfferMadePublic,
    OfferMoved,
    ParticipantErased,
    PriceListSet,
    PromotionPending,
    ReservationChange,
    SalesClosed,
    SalesReopened,
    SessionsScheduled,
)
from offer_svc.domain.context import Context
from offer_svc.domain.counting import counted
from offer_svc.domain.offer import Offer, OfferDefinition, State
from offer_svc.domain.telling import are_counts_told, told

_BesideTheOffer = ReservationChange | PromotionPending | ParticipantErased
_NotByManagers = _BesideTheOffer | MinimumDecided | OfferEnded
_Terms = DefinitionChanged | PriceListSet | SessionsScheduled | OfferMoved | CapacitySet | SalesClosed | SalesReopened
_Stages = OfferMadePublic | OfferCalledOff | OfferDeleted | OfferEnded | MinimumDecided


def apply(state: Offer | None, changes: tuple[Change, ...], context: Context) -> Offer:
    """Fold the changes of one command into one new revision.

    A manager's changes make a new definition, those that readers see a new public revision.

    Raises ValueError when there is neither an offer nor an OfferCreated: no decision makes such changes.
    """
    after = state
    for change in changes:
        after = _evolved(after, change, context)
    if after is None:
        raise ValueError("There is no offer yet, and the changes do not create one.")
    if not changes:
        return after
    seats, is_by_manager = after.seats, False
    for change in changes:
        seats = counted(seats, change)
        is_by_manager = is_by_manager or not isinstance(change, _NotByManagers)
    revision = 1 if state is None else state.revision + 1
    is_told = state is not None and are_counts_told(after.state, state.seats, seats)
    after = after.counted(revision, context.now, seats, is_public=is_told)
    if is_by_manager:
        after = replace(after, definition_revision=revision, definition_time=context.now)
    after = _judged(after)
    if not is_told and told(state, after, changes) is not None:
        after = replace(after, public_revision=revision, public_time=context.now)
    return after


def _judged(offer: Offer) -> Offer:
    """Keep it true whether an offer is at risk, from its decision deadline on until it is over."""
    if offer.state is not State.PUBLISHED or offer.decide_time is None or offer.at_risk is offer.is_below_minimum:
        return offer
    return replace(offer, at_risk=offer.is_below_minimum)


def evolve(state: Offer | None, change: Change, context: Context) -> Offer | None:
    """Fold one change; one that does not fit the state leaves it as it is."""
    after = _evolved(state, change, context)
    if after is None:
        return None
    seats = counted(after.seats, change)
    return after if seats is after.seats else replace(after, seats=seats)


def _evolved(state: Offer | None, change: Change, context: Context) -> Offer | None:
    """Fold one change, apart from its counts of seats."""
    if isinstance(change, _BesideTheOffer):
        return state
    if isinstance(change, OfferCreated):
        return _created(change, context) if state is None else state
    if state is None:
        return None
    if isinstance(change, _Stages):
        return _staged(state, change, context)
    return _termed(state, change, context)


def _termed(state: Offer, change: _Terms, context: Context) -> Offer:
    match change:
        case DefinitionChanged() if "decision_deadline" in change.fields:
            return replace(state, definition=change.definition, decide_time=None, at_risk=False)
        case DefinitionChanged():
            return replace(state, definition=change.definition)
        case CapacitySet():
            return replace(state, definition=replace(state.definition, capacity=change.capacity))
        case PriceListSet():
            return replace(state, price_list=change.price_list)
        case SessionsScheduled():
            return replace(state, schedule=change.schedule, booking_mode=change.booking_mode)
        case OfferMoved():
            return _moved(state, change, context)
        case SalesClosed() | SalesReopened():
            return replace(state, sales_closed=isinstance(change, SalesClosed))
        case _:
            assert_never(change)


def _staged(state: Offer, change: _Stages, context: Context) -> Offer:
    match change:
        case OfferMadePublic():
            return replace(state, state=State.PUBLISHED, publish_time=context.now)
        case OfferCalledOff():
            return replace(state, state=State.CANCELLED, cancellation=change.cancellation)
        case OfferEnded():
            return replace(state, state=State.COMPLETED, complete_time=context.now)
        case MinimumDecided():
            return replace(state, at_risk=change.at_risk, decide_time=context.now)
        case OfferDeleted():
            return _tombstone(state)
        case _:
            assert_never(change)


def _moved(state: Offer, change: OfferMoved, context: Context) -> Offer:
    return replace(
        state,
        schedule=change.schedule,
        booking_mode=change.booking_mode,
        previous_dates=(*state.previous_dates, change.former_dates)[-context.rules.most_former_dates :],
        leave_until=change.leave_until,
    )


def _tombstone(state: Offer) -> Offer:
    """Keep the id, and nothing of what the offer was."""
    return replace(
        state,
        state=State.DELETED,
        definition=OfferDefinition(state.definition.program_id),
        schedule=None,
        booking_mode=None,
        price_list=None,
        source_offer_id=None,
    )


def _created(change: OfferCreated, context: Context) -> Offer:
    return Offer(
        offer_id=change.offer_id,
        definition=change.definition,
        state=State.DRAFT,
        revision=1,
        definition_revision=1,
        definition_time=context.now,
        create_time=context.now,
        update_time=context.now,
        source_offer_id=change.source_offer_id,
    )
