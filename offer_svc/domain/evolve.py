"""How changes make the next state."""

from dataclasses import replace
from typing import assert_never

from offer_svc.domain.changes import (
    Change,
    OfferCalledOff,
    OfferCreated,
    OfferMadePublic,
    PriceListSet,
    SessionsScheduled,
)
from offer_svc.domain.context import Context
from offer_svc.domain.offer import Offer, State


def apply(state: Offer | None, changes: tuple[Change, ...], context: Context) -> Offer:
    """Fold the changes of one command into one new revision; every change there is so far changes the definition.

    Raises ValueError when there is neither an offer nor an OfferCreated: no decision makes such changes.
    """
    after = state
    for change in changes:
        after = evolve(after, change, context)
    if after is None:
        raise ValueError("There is no offer yet, and the changes do not create one.")
    if not changes:
        return after
    revision = 1 if state is None else state.revision + 1
    return replace(
        after,
        revision=revision,
        definition_revision=revision,
        definition_time=context.now,
        update_time=context.now,
    )


def evolve(state: Offer | None, change: Change, context: Context) -> Offer | None:
    """Fold one change; one that does not fit the state leaves it as it is."""
    if isinstance(change, OfferCreated):
        return _created(change, context) if state is None else state
    if state is None:
        return None
    match change:
        case PriceListSet():
            return replace(state, price_list=change.price_list)
        case SessionsScheduled():
            return replace(state, schedule=change.schedule, booking_mode=change.booking_mode)
        case OfferMadePublic():
            return replace(state, state=State.PUBLISHED, publish_time=context.now)
        case OfferCalledOff():
            return replace(state, state=State.CANCELLED, cancellation=change.cancellation)
        case _:
            assert_never(change)


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
    )
