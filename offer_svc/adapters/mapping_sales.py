"""From the requests of those who sell to commands and questions; InvalidField lists every value that is none."""

from uuid import UUID

from training.offer.v1 import offer_service_pb2 as pb

from offer_svc.adapters.mapping_values import Faults, uuid_from
from offer_svc.domain.commands import (
    ConfirmReservation,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    ReleaseReservation,
    ReserveSeats,
)
from offer_svc.domain.quote import Quote
from offer_svc.domain.quoting import ConfirmPrice, QuotePrice

_One = (
    pb.ExtendReservationRequest | pb.ConfirmReservationRequest | pb.ReleaseReservationRequest | pb.LeaveWaitlistRequest
)


def quote_price(request: pb.QuotePriceRequest) -> QuotePrice:
    """Read the question."""
    return QuotePrice(_offer_id(request.offer_id), request.seats or 1, request.currency_code, request.code)


def confirm_price(request: pb.ConfirmPriceRequest, quote: Quote) -> ConfirmPrice:
    """Read the question about a quote that the caller has opened."""
    return ConfirmPrice(_offer_id(request.offer_id), quote, request.code)


def reserve_seats(request: pb.ReserveSeatsRequest, reservation_id: UUID, quote: Quote | None) -> ReserveSeats:
    """Read the command; the caller has chosen the id if the request has none, and has opened the quote."""
    return ReserveSeats(
        offer_id=_offer_id(request.offer_id),
        reservation_id=reservation_id,
        participant=request.participant_id,
        seats=request.seats or 1,
        currency=request.currency_code,
        code=request.code,
        quote=quote,
    )


def extend_reservation(request: pb.ExtendReservationRequest) -> ExtendReservation:
    """Read the command."""
    return ExtendReservation(*_ids(request))


def confirm_reservation(request: pb.ConfirmReservationRequest) -> ConfirmReservation:
    """Read the command."""
    return ConfirmReservation(*_ids(request))


def release_reservation(request: pb.ReleaseReservationRequest) -> ReleaseReservation:
    """Read the command."""
    return ReleaseReservation(*_ids(request))


def join_waitlist(request: pb.JoinWaitlistRequest, reservation_id: UUID) -> JoinWaitlist:
    """Read the command; the caller has chosen the id if the request has none."""
    return JoinWaitlist(
        offer_id=_offer_id(request.offer_id),
        reservation_id=reservation_id,
        participant=request.participant_id,
        seats=request.seats or 1,
        currency=request.currency_code,
        code=request.code,
    )


def leave_waitlist(request: pb.LeaveWaitlistRequest) -> LeaveWaitlist:
    """Read the command."""
    return LeaveWaitlist(*_ids(request))


def _ids(request: _One) -> tuple[UUID, UUID]:
    """Return the offer and the reservation."""
    faults = Faults()
    ids = uuid_from(request.offer_id, "offer_id", faults), uuid_from(request.reservation_id, "reservation_id", faults)
    faults.refuse()
    return ids


def _offer_id(text: str) -> UUID:
    faults = Faults()
    offer_id = uuid_from(text, "offer_id", faults)
    faults.refuse()
    return offer_id
