"""Which changes a command makes, or why it is refused.

What is wrong with the command itself is told before what is wrong with the offer's state, its program or the
reservations. The rules stand by theme: `holding` and `waitlist` (reservations), `promotion`, `lifecycle`, `terms`,
`dates`, `deadlines`.
"""

from typing import assert_never

from offer_svc.domain.changes import Change, ParticipantErased
from offer_svc.domain.commands import (
    CancelForRetirement,
    CancelOffer,
    CloseSales,
    Command,
    CompleteOffer,
    ConfirmReservation,
    CopyOffer,
    CreateOffer,
    DecideAtDeadline,
    DeleteOffer,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    ImportOffer,
    JoinWaitlist,
    LeaveWaitlist,
    PromoteWaiting,
    PublishOffer,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
    ScheduleSessions,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.context import Context
from offer_svc.domain.dates import decide_dates
from offer_svc.domain.deadlines import decide_deadline
from offer_svc.domain.guards import known
from offer_svc.domain.holding import decide_holding
from offer_svc.domain.lifecycle import decide_lifecycle
from offer_svc.domain.offer import Offer
from offer_svc.domain.terms import decide_terms
from offer_svc.domain.waitlist import decide_waitlist


def decide(state: Offer | None, command: Command, context: Context) -> tuple[Change, ...]:
    """Return the changes that the command makes, none if there is nothing to do, or raise a Refusal."""
    match command:
        case ReserveSeats() | ConfirmReservation() | ExtendReservation() | ReleaseReservation() | ExpireReservation():
            return decide_holding(state, command, context)
        case JoinWaitlist() | LeaveWaitlist() | PromoteWaiting():
            return decide_waitlist(state, command, context)
        case CreateOffer() | CopyOffer() | ImportOffer() | PublishOffer() | CancelOffer() | DeleteOffer():
            return decide_lifecycle(state, command, context)
        case UpdateOffer() | SetPriceList() | SetCapacity() | CloseSales() | ReopenSales():
            return decide_terms(state, command, context)
        case ScheduleSessions() | RescheduleOffer():
            return decide_dates(state, command, context)
        case DecideAtDeadline() | CompleteOffer() | CancelForRetirement():
            return decide_deadline(state, command, context)
        case EraseReservations():
            return _erase(known(state, command.offer_id), command, context)
        case _:
            assert_never(command)


def _erase(offer: Offer, command: EraseReservations, context: Context) -> tuple[Change, ...]:
    """Take the name off every reservation of the participant; the seats stay taken."""
    named = (
        reservation.reservation_id
        for reservation in context.book.of_participant(command.participant)
        if reservation.offer_id == offer.offer_id
    )
    erased = tuple(sorted(named))
    return (ParticipantErased(erased),) if erased else ()
