"""Which reservations a batch of commands is decided on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from offer_svc.domain.commands import (
    Command,
    ConfirmReservation,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    PromoteWaiting,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
    SetCapacity,
    UpdateOffer,
)
from offer_svc.domain.offer import Offer


@dataclass(frozen=True, slots=True)
class Needs:
    """Reservations by their ids, whichever offer's; the live ones of participants; all of those who are to be erased.

    `waiting` asks for so many of those who wait, the first ones.
    """

    ids: tuple[UUID, ...] = ()
    participants: tuple[str, ...] = ()
    erased: tuple[str, ...] = ()
    waiting: int = 0


def needs_of(commands: Sequence[Command], offer: Offer | None, most_promotions: int) -> Needs | None:
    """Return what the commands need of an offer's reservations; None if they need none."""
    ids: list[UUID] = []
    participants: list[str] = []
    erased: list[str] = []
    promoting = False
    for command in commands:
        match command:
            case ReserveSeats() | JoinWaitlist():
                ids.append(command.reservation_id)
                participants.append(command.participant)
            case ExtendReservation() | ConfirmReservation():
                ids.append(command.reservation_id)
            case ReleaseReservation() | ExpireReservation() | LeaveWaitlist():
                ids.append(command.reservation_id)
                promoting = True
            case EraseReservations():
                erased.append(command.participant)
            case UpdateOffer() | SetCapacity() | ReopenSales() | RescheduleOffer() | PromoteWaiting():
                promoting = True
            case _:
                pass
    waits = promoting and offer is not None and offer.seats.waiting > 0
    if offer is None or not (ids or erased or waits):
        return None
    return Needs(tuple(ids), tuple(participants), tuple(erased), most_promotions + 1 if waits else 0)
