"""How offers come to be, become public, and are called off."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from chassis.refusal import Violation
from offer_svc.domain.availability import check_availability, check_importable
from offer_svc.domain.changes import (
    Change,
    OfferCalledOff,
    OfferCreated,
    OfferDeleted,
    OfferMadePublic,
    PriceListSet,
    SessionsScheduled,
)
from offer_svc.domain.commands import CancelOffer, CopyOffer, CreateOffer, DeleteOffer, ImportOffer, PublishOffer
from offer_svc.domain.completeness import check_complete
from offer_svc.domain.context import Context
from offer_svc.domain.errors import ScheduleInvalid, offer_exists, offer_not_found
from offer_svc.domain.guards import DRAFT, PUBLISHED, offer_in, require_released
from offer_svc.domain.offer import Cancellation, Offer, OfferDefinition, State
from offer_svc.domain.pricing import PriceList, check_price_list
from offer_svc.domain.schedule import Schedule
from offer_svc.domain.scheduling import expand
from offer_svc.domain.window import Window

LifecycleCommand = CreateOffer | CopyOffer | ImportOffer | PublishOffer | CancelOffer | DeleteOffer


def decide_lifecycle(state: Offer | None, command: LifecycleCommand, context: Context) -> tuple[Change, ...]:
    """Decide on what an offer's life begins and ends with."""
    match command:
        case CreateOffer():
            return _create(state, command, context)
        case CopyOffer():
            return _copy(state, command, context)
        case ImportOffer():
            return _import(state, command, context)
        case PublishOffer():
            return _publish(offer_in(DRAFT, state, command.offer_id, command), context)
        case CancelOffer():
            offer_in(PUBLISHED, state, command.offer_id, command)
            return (OfferCalledOff(Cancellation(command.reason, context.now)),)
        case DeleteOffer():
            offer_in(DRAFT, state, command.offer_id, command)
            return (OfferDeleted(),)
        case _:
            assert_never(command)


def _create(state: Offer | None, command: CreateOffer, context: Context) -> tuple[Change, ...]:
    definition = command.definition
    check_availability(definition.capacity, definition.sales_window, definition.waitlist_limit)
    if state is not None:
        raise offer_exists(command.offer_id)
    require_released(definition.program_id, context)
    return (OfferCreated(command.offer_id, definition),)


def _import(state: Offer | None, command: ImportOffer, context: Context) -> tuple[Change, ...]:
    definition, price_list = command.definition, command.price_list
    check_importable(definition.capacity, definition.sales_window, definition.waitlist_limit)
    check_price_list(price_list)
    schedule = expand(command.plan, context.bounds)
    if state is not None:
        # A row that was imported before is done, whatever became of its program or of its dates since.
        have = (state.definition, state.schedule, state.booking_mode, state.price_list)
        if state.state is not State.DRAFT and have == (definition, schedule, command.plan.booking_mode, price_list):
            return ()
        raise offer_exists(command.offer_id)
    require_released(definition.program_id, context)
    check_complete(definition, schedule, price_list, context.now)
    return (
        OfferCreated(command.offer_id, definition),
        SessionsScheduled(schedule, command.plan.booking_mode),
        PriceListSet(price_list),
        OfferMadePublic(),
    )


def _copy(state: Offer | None, command: CopyOffer, context: Context) -> tuple[Change, ...]:
    schedule = expand(command.plan, context.bounds)
    if state is not None:
        raise offer_exists(command.offer_id)
    source = context.source
    if source is None or source.state is State.DELETED:
        raise offer_not_found(command.source_offer_id)
    require_released(source.definition.program_id, context)
    by = _distance(source.schedule, schedule)
    try:
        definition = _moved_definition(source.definition, by)
        price_list = None if source.price_list is None else _moved_prices(source.price_list, by)
    except OverflowError:
        needed = "dates at which the windows and the deadline of the offer copied are still in the calendar"
        raise ScheduleInvalid((Violation("plan", "copy.dates", f"{by} later", needed),)) from None
    return (
        OfferCreated(command.offer_id, definition, source.offer_id),
        SessionsScheduled(schedule, command.plan.booking_mode),
        *(() if price_list is None else (PriceListSet(price_list),)),
    )


def _publish(offer: Offer, context: Context) -> tuple[Change, ...]:
    require_released(offer.definition.program_id, context)
    check_complete(offer.definition, offer.schedule, offer.price_list, context.now)
    return (OfferMadePublic(),)


def _distance(old: Schedule | None, new: Schedule) -> timedelta:
    """Return how much later the new schedule starts; nothing where there was none."""
    if old is None or old.start_time is None or new.start_time is None:
        return timedelta()
    return new.start_time - old.start_time


def _moved_definition(definition: OfferDefinition, by: timedelta) -> OfferDefinition:
    """Move the sales window and the deadline; seats taken before an import are not taken in a copy."""
    return replace(
        definition,
        capacity=replace(definition.capacity, opening_balance=0),
        sales_window=_moved(definition.sales_window, by),
        decision_deadline=_later(definition.decision_deadline, by),
    )


def _moved_prices(price_list: PriceList, by: timedelta) -> PriceList:
    return replace(
        price_list, tiers=tuple(replace(tier, validity=_moved(tier.validity, by)) for tier in price_list.tiers)
    )


def _moved(window: Window, by: timedelta) -> Window:
    return Window(_later(window.start, by), _later(window.end, by))


def _later(instant: datetime | None, by: timedelta) -> datetime | None:
    return None if instant is None else instant + by
