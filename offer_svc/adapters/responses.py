"""The responses of commands, put together from stored bytes; a token is added when they are given."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from training.offer.v1 import offer_service_pb2 as pb

from chassis.wire import field
from offer_svc.adapters import mapping
from offer_svc.application.affected import Affected
from offer_svc.domain.bookings import Clash
from offer_svc.domain.changes import Change, ParticipantErased
from offer_svc.domain.keeping import CALLED_OFF
from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import Reservation

_SUBJECT: Final = 1
"""The field of the offer or the reservation, in every response that has one."""

_NAMING: Final = frozenset(
    {
        "ReserveSeats",
        "ExtendReservation",
        "ConfirmReservation",
        "ReleaseReservation",
        "JoinWaitlist",
        "LeaveWaitlist",
    }
)
"""The methods whose responses name a participant, all in the same place."""


def with_offer(state: bytes, clashes: Sequence[Clash] = ()) -> bytes:
    """Answer with an offer, and the clashes of which the caller is warned."""
    if not clashes:
        return field(_SUBJECT, state)
    warning = pb.ScheduleSessionsResponse(clashes=map(mapping.clash_message, clashes))
    return field(_SUBJECT, state) + warning.SerializeToString()


def with_reservation(details: bytes, participant: str | None) -> bytes:
    """Answer with a reservation, in its participant's name."""
    return field(_SUBJECT, mapping.named(details, participant))


def of_row(clashes: Sequence[Clash]) -> bytes:
    """Answer a row of an import, which does not repeat the offer."""
    return pb.ImportOffersResponse(clashes=map(mapping.clash_message, clashes)).SerializeToString()


def called_off(state: bytes, offer: Offer, affected: Affected) -> bytes:
    """Answer with an offer that was called off and what became of its reservations, without names."""
    counts = pb.CancelOfferResponse(
        cancelled=affected.cancelled, released=affected.released, left_waitlist=affected.left_waitlist
    )
    listed = (_ended(reservation, offer) for reservation in affected.reservations)
    return (
        with_offer(state)
        + b"".join(
            field(pb.CancelOfferResponse.RESERVATIONS_FIELD_NUMBER, mapping.reservation_details(reservation))
            for reservation in listed
        )
        + counts.SerializeToString()
    )


def erased(changes: Sequence[Change]) -> bytes:
    """Answer with how many reservations of one offer have lost their name."""
    ids = (len(change.reservation_ids) for change in changes if isinstance(change, ParticipantErased))
    return pb.EraseParticipantResponse(reservations=sum(ids), offers=1).SerializeToString()


def erased_in(response: bytes) -> int:
    """Return how many reservations have lost their name by one offer's response."""
    return pb.EraseParticipantResponse.FromString(response).reservations


def without_participant(method: str, response: bytes) -> bytes:
    """Return a method's response without the name in it."""
    if method.rpartition("/")[2] not in _NAMING:
        return response
    message = pb.ReserveSeatsResponse.FromString(response)
    message.reservation.ClearField("participant_id")
    return message.SerializeToString()


def _ended(reservation: Reservation, offer: Offer) -> Reservation:
    state = CALLED_OFF[reservation.state]
    return replace(reservation, state=state, update_time=offer.update_time, expire_time=None)
