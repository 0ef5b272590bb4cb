"""Which changes a command makes, or why it is refused.

What is wrong with the command itself is told before what is wrong with the offer's state or its program.
"""

from typing import assert_never
from uuid import UUID

from offer_svc.domain.availability import check_availability, check_importable
from offer_svc.domain.changes import (
    Change,
    OfferCalledOff,
    OfferCreated,
    OfferMadePublic,
    PriceListSet,
    SessionsScheduled,
)
from offer_svc.domain.commands import (
    CancelOffer,
    Command,
    CreateOffer,
    ImportOffer,
    PublishOffer,
    ScheduleSessions,
    SetPriceList,
)
from offer_svc.domain.completeness import check_complete
from offer_svc.domain.context import Context, ProgramState
from offer_svc.domain.errors import (
    OfferState,
    ProgramNotReleased,
    ProgramRetired,
    offer_exists,
    offer_not_found,
)
from offer_svc.domain.offer import Cancellation, Offer, State
from offer_svc.domain.pricing import check_price_list
from offer_svc.domain.scheduling import expand

_DRAFT = frozenset({State.DRAFT})
_PUBLISHED = frozenset({State.PUBLISHED})
_PRICEABLE = frozenset({State.DRAFT, State.PUBLISHED})


def decide(state: Offer | None, command: Command, context: Context) -> tuple[Change, ...]:
    """Return the changes that the command makes, none if there is nothing to do, or raise a Refusal."""
    match command:
        case CreateOffer():
            return _create(state, command, context)
        case ImportOffer():
            return _import(state, command, context)
        case SetPriceList():
            return _set_price_list(state, command)
        case ScheduleSessions():
            return _schedule(state, command, context)
        case PublishOffer():
            return _publish(_in(_DRAFT, state, command), context)
        case CancelOffer():
            _in(_PUBLISHED, state, command)
            return (OfferCalledOff(Cancellation(command.reason, context.now)),)
        case _:
            assert_never(command)


def _create(state: Offer | None, command: CreateOffer, context: Context) -> tuple[Change, ...]:
    check_availability(command.definition.capacity, command.definition.sales_window)
    if state is not None:
        raise offer_exists(command.offer_id)
    _require_released(command.definition.program_id, context)
    return (OfferCreated(command.offer_id, command.definition),)


def _import(state: Offer | None, command: ImportOffer, context: Context) -> tuple[Change, ...]:
    definition, price_list = command.definition, command.price_list
    check_importable(definition.capacity, definition.sales_window)
    check_price_list(price_list)
    schedule = expand(command.plan, context.bounds)
    if state is not None:
        # A row that was imported before is done, whatever became of its program or of its dates since.
        known = (state.definition, state.schedule, state.booking_mode, state.price_list)
        if state.state is not State.DRAFT and known == (definition, schedule, command.plan.booking_mode, price_list):
            return ()
        raise offer_exists(command.offer_id)
    _require_released(definition.program_id, context)
    check_complete(schedule, definition.capacity, price_list, context.now)
    return (
        OfferCreated(command.offer_id, definition),
        SessionsScheduled(schedule, command.plan.booking_mode),
        PriceListSet(price_list),
        OfferMadePublic(),
    )


def _set_price_list(state: Offer | None, command: SetPriceList) -> tuple[Change, ...]:
    check_price_list(command.price_list)
    offer = _in(_PRICEABLE, state, command)
    return () if offer.price_list == command.price_list else (PriceListSet(command.price_list),)


def _schedule(state: Offer | None, command: ScheduleSessions, context: Context) -> tuple[Change, ...]:
    schedule, mode = expand(command.plan, context.bounds), command.plan.booking_mode
    offer = _in(_DRAFT, state, command)
    known = (offer.schedule, offer.booking_mode)
    return () if known == (schedule, mode) else (SessionsScheduled(schedule, mode),)


def _publish(offer: Offer, context: Context) -> tuple[Change, ...]:
    _require_released(offer.definition.program_id, context)
    check_complete(offer.schedule, offer.definition.capacity, offer.price_list, context.now)
    return (OfferMadePublic(),)


def _in(states: frozenset[State], state: Offer | None, command: Command) -> Offer:
    if state is None:
        raise offer_not_found(command.offer_id)
    if state.state not in states:
        raise OfferState(state.state.name, command)
    return state


def _require_released(program_id: UUID, context: Context) -> None:
    program = context.program
    if program is None or program.program_id != program_id:
        raise ProgramNotReleased(program_id)
    if program.state is ProgramState.RETIRED:
        raise ProgramRetired(program_id)
    if program.state is not ProgramState.RELEASED:
        raise ProgramNotReleased(program_id)
