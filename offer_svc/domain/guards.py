"""What commands require before they ask for anything of their own."""

from collections.abc import Set as AbstractSet
from typing import Final
from uuid import UUID

from offer_svc.domain.commands import ConfirmReservation, ExtendReservation, LeaveWaitlist, ReleaseReservation
from offer_svc.domain.context import Context, ProgramState
from offer_svc.domain.errors import (
    OfferState,
    ProgramNotReleased,
    ProgramRetired,
    offer_not_found,
    reservation_exists,
    reservation_not_found,
)
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.reservation import Reservation, ReservationState
from offer_svc.domain.sales_errors import AlreadyReserved, ReservationUnfit

DRAFT: Final = frozenset({State.DRAFT})
PUBLISHED: Final = frozenset({State.PUBLISHED})
OPEN: Final = frozenset({State.DRAFT, State.PUBLISHED})


def offer_in(states: AbstractSet[State], state: Offer | None, offer_id: UUID, command: object) -> Offer:
    """Return the offer if it is in one of the states, or refuse the command."""
    if state is None or state.state is State.DELETED:
        raise offer_not_found(offer_id)
    if state.state not in states:
        raise OfferState(state.state.name, command)
    return state


def known(state: Offer | None, offer_id: UUID) -> Offer:
    """Return the offer in whatever state, for the timekeeper: it finds nothing to do where the state is not fit."""
    if state is None:
        raise offer_not_found(offer_id)
    return state


def require_released(program_id: UUID, context: Context) -> None:
    """Refuse a program that the service does not know as released."""
    program = context.program
    if program is None or program.program_id != program_id:
        raise ProgramNotReleased(program_id)
    if program.state is ProgramState.RETIRED:
        raise ProgramRetired(program_id)
    if program.state is not ProgramState.RELEASED:
        raise ProgramNotReleased(program_id)


def refuse_taken(reservation_id: UUID, participant: str, context: Context) -> None:
    """Refuse an id that is taken, and a second live reservation of a participant."""
    if context.book.get(reservation_id) is not None:
        raise reservation_exists(reservation_id)
    live = context.book.live_of(participant)
    if live is not None:
        raise AlreadyReserved(live.reservation_id, live.state.name)


def reservation_in(
    states: AbstractSet[ReservationState],
    command: ConfirmReservation | ExtendReservation | ReleaseReservation | LeaveWaitlist,
    context: Context,
) -> Reservation:
    """Return the offer's reservation if it is in one of the states, or refuse the command."""
    reservation = context.book.get(command.reservation_id)
    if reservation is None or reservation.offer_id != command.offer_id:
        raise reservation_not_found(command.reservation_id)
    if reservation.state not in states:
        raise ReservationUnfit(reservation.state.name, command)
    return reservation
