"""What a manager can change of an offer: its definition, prices, capacity, and whether it is sold."""

from dataclasses import fields, replace
from typing import Final, assert_never

from chassis.refusal import InvalidField, Violation
from offer_svc.domain.availability import check_availability, check_deadline, check_seats
from offer_svc.domain.changes import CapacitySet, Change, DefinitionChanged, PriceListSet, SalesClosed, SalesReopened
from offer_svc.domain.commands import CloseSales, ReopenSales, SetCapacity, SetPriceList, UpdateOffer
from offer_svc.domain.context import Context
from offer_svc.domain.errors import CapacityBelowTaken, FieldLocked
from offer_svc.domain.guards import OPEN, PUBLISHED, offer_in
from offer_svc.domain.offer import Offer, OfferDefinition, State
from offer_svc.domain.pricing import check_price_list
from offer_svc.domain.promotion import promotions

TermsCommand = UpdateOffer | SetPriceList | SetCapacity | CloseSales | ReopenSales

_FIELDS: Final = frozenset(field.name for field in fields(OfferDefinition))
_LOCKED: Final = {State.DRAFT: frozenset({"program_id"}), State.PUBLISHED: frozenset({"program_id", "capacity"})}


def decide_terms(state: Offer | None, command: TermsCommand, context: Context) -> tuple[Change, ...]:
    """Decide on what a manager changes."""
    match command:
        case UpdateOffer():
            return _update(offer_in(OPEN, state, command.offer_id, command), command, context)
        case SetPriceList():
            check_price_list(command.price_list)
            offer = offer_in(OPEN, state, command.offer_id, command)
            return () if offer.price_list == command.price_list else (PriceListSet(command.price_list),)
        case SetCapacity():
            return _set_capacity(state, command, context)
        case CloseSales():
            offer = offer_in(PUBLISHED, state, command.offer_id, command)
            return () if offer.sales_closed else (SalesClosed(),)
        case ReopenSales():
            offer = offer_in(PUBLISHED, state, command.offer_id, command)
            if not offer.sales_closed:
                return ()
            return (SalesReopened(), *promotions(replace(offer, sales_closed=False), context))
        case _:
            assert_never(command)


def _update(offer: Offer, command: UpdateOffer, context: Context) -> tuple[Change, ...]:
    names = sorted(command.fields)
    unknown = tuple(
        Violation(name, "update_mask", name, "a field of the definition") for name in names if name not in _FIELDS
    )
    if unknown:
        raise InvalidField(f"Invalid: {', '.join(violation.field for violation in unknown)}.", violations=unknown)
    given = {name: getattr(command.definition, name) for name in names}
    changed = {name: value for name, value in given.items() if value != getattr(offer.definition, name)}
    for name in changed:
        if name in _LOCKED[offer.state]:
            raise FieldLocked(name, offer.state.name)
    definition = replace(offer.definition, **changed)
    check_availability(definition.capacity, definition.sales_window, definition.waitlist_limit)
    if not changed:
        return ()
    if offer.state is State.PUBLISHED and "decision_deadline" in changed:
        check_deadline(definition.decision_deadline, offer.schedule, context.now)
    # Seats that nobody was given any more may be given again within other times of sale.
    return (DefinitionChanged(definition, tuple(changed)), *promotions(replace(offer, definition=definition), context))


def _set_capacity(state: Offer | None, command: SetCapacity, context: Context) -> tuple[Change, ...]:
    offer = offer_in(OPEN, state, command.offer_id, command)
    taken, had = offer.seats_taken, offer.definition.capacity
    capacity = replace(
        had,
        minimum=had.minimum if command.minimum is None else command.minimum,
        maximum=had.maximum if command.maximum is None else command.maximum,
    )
    check_seats(capacity)
    if capacity.maximum < taken:
        raise CapacityBelowTaken(taken, capacity.maximum)
    if capacity == had:
        return ()
    definition = replace(offer.definition, capacity=capacity)
    return (CapacitySet(capacity), *promotions(replace(offer, definition=definition), context))
