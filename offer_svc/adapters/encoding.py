"""Offers as stored bytes, events and responses: the ports of the command path, filled by the mapping."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from training.offer.v1 import offer_pb2 as pb
from typing_extensions import override

from bus.commands.path import Revision
from offer_svc.adapters import mapping, responses
from offer_svc.adapters.effects import row_effects
from offer_svc.adapters.responses import erased_in, without_participant
from offer_svc.application.affected import Affected
from offer_svc.domain.bookings import Clash
from offer_svc.domain.changes import (
    Change,
    DefinitionChanged,
    OfferCreated,
    OfferMadePublic,
    OfferMoved,
    PriceListSet,
    SessionsScheduled,
)
from offer_svc.domain.commands import (
    CancelForRetirement,
    CancelOffer,
    Command,
    CompleteOffer,
    DecideAtDeadline,
    EraseReservations,
    ExpireReservation,
    ImportOffer,
    PromoteWaiting,
    ReservationCommand,
)
from offer_svc.domain.deadlines import next_due
from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import Reservation

__all__ = ["OfferEncoding", "erased_in", "without_participant"]

_OF_TIME: Final = ExpireReservation | PromoteWaiting | DecideAtDeadline | CompleteOffer | CancelForRetirement
"""The commands that the timekeeper gives, to whom nobody answers."""
_CONTENT: Final = OfferCreated | DefinitionChanged | PriceListSet | SessionsScheduled | OfferMoved | OfferMadePublic
"""The changes by which what is published of an offer grows; all others count, end or release something."""


class OfferRow(Mapping[str, object]):
    """The columns of an offer's row, written when they are asked for: of a batch only the last revision's are."""

    __slots__ = ("_columns", "_offer", "_state")

    def __init__(self, offer: Offer, state: bytes | None = None) -> None:
        self._offer = offer
        self._state = state
        self._columns: Mapping[str, object] | None = None

    @override
    def __getitem__(self, name: str) -> object:
        return self._written()[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._written())

    @override
    def __len__(self) -> int:
        return len(self._written())

    def _written(self) -> Mapping[str, object]:
        if self._columns is None:
            offer, schedule = self._offer, self._offer.schedule
            self._columns = {
                "status": offer.state.value,
                "program_id": offer.definition.program_id,
                "updated_at": offer.update_time,
                "due_at": next_due(offer),
                "starts_at": None if schedule is None else schedule.start_time,
                "trainers": [] if schedule is None else mapping.trainers_of(schedule),
                "state": mapping.to_message(offer).SerializeToString() if self._state is None else self._state,
            }
        return self._columns


class OfferEncoding:
    """Writes offers and what happens to them as messages, and reads them back."""

    def __init__(self) -> None:
        self._lasting = mapping.LastingParts()

    def decode(self, state: bytes) -> Offer:
        """Return the offer from its stored message."""
        return mapping.from_message(pb.Offer.FromString(state))

    def etag(self, state: Offer) -> str:
        """Return the etag of the offer's definition."""
        return mapping.etag(state)

    def revision(
        self,
        before: Offer | None,
        after: Offer,
        changes: tuple[Change, ...],
        command: Command,
        actor: str,
        *,
        clashes: Sequence[Clash] = (),
        affected: Affected | None = None,
    ) -> Revision:
        """Encode one revision: the new state and its rows, the event, the private record, the response."""
        if isinstance(command, ReservationCommand):
            return self._reserved(before, after, changes, command, actor)
        message = mapping.to_message(after)
        state = message.SerializeToString()
        if any(isinstance(change, SessionsScheduled | OfferMoved) for change in changes):
            after, changes = mapping.as_written(message, after, changes)
        event_type, public = mapping.event(actor, before, after, changes, self._lasting.write)
        return Revision(
            columns=OfferRow(after, state),
            event_type=event_type,
            public=public,
            private=mapping.record(type(command).__name__, changes),
            response=_response(state, after, changes, command, clashes=clashes, affected=affected),
            effects=row_effects(before, after, changes, mapping.reservation_details),
            guarded=any(isinstance(change, OfferCreated | OfferMadePublic) for change in changes),
            adds_content=any(isinstance(change, _CONTENT) for change in changes),
        )

    def response(
        self,
        offer: Offer,
        command: Command,
        *,
        clashes: Sequence[Clash] = (),
        reservation: Reservation | None = None,
    ) -> bytes:
        """Encode the response to a command that changed nothing."""
        if isinstance(command, _OF_TIME | EraseReservations):
            return b""
        if reservation is not None:
            return responses.with_reservation(mapping.reservation_details(reservation), reservation.participant)
        state = mapping.to_message(offer).SerializeToString()
        return _response(state, offer, (), command, clashes=clashes, affected=None)

    def _reserved(
        self,
        before: Offer | None,
        after: Offer,
        changes: tuple[Change, ...],
        command: ReservationCommand,
        actor: str,
    ) -> Revision:
        """Encode a revision of one reservation, and perhaps of those who take its seats.

        Hundreds of them are one commit: what all have in common is written once for all, or once for the last.
        """
        written: dict[UUID, tuple[bytes, str | None]] = {}
        event_type, public = mapping.event(actor, before, after, changes, self._lasting.write)
        effects = row_effects(before, after, changes, _keeping(written))
        response, subject = b"", ""
        if not isinstance(command, ExpireReservation):
            details, participant = written[command.reservation_id]
            response, subject = responses.with_reservation(details, participant), participant or ""
        return Revision(
            columns=OfferRow(after),
            event_type=event_type,
            public=public,
            private=mapping.record(type(command).__name__, changes),
            response=response,
            effects=effects,
            subject=subject,
            adds_content=False,
        )


def _keeping(written: dict[UUID, tuple[bytes, str | None]]) -> Callable[[Reservation], bytes]:
    """Return what writes a reservation and keeps the bytes, with whose they are."""

    def write(reservation: Reservation) -> bytes:
        details = mapping.reservation_details(reservation)
        written[reservation.reservation_id] = details, reservation.participant
        return details

    return write


def _response(
    state: bytes,
    offer: Offer,
    changes: Sequence[Change],
    command: Command,
    *,
    clashes: Sequence[Clash],
    affected: Affected | None,
) -> bytes:
    match command:
        case ImportOffer():
            return responses.of_row(clashes)
        case CancelOffer():
            return responses.called_off(state, offer, affected or Affected())
        case EraseReservations():
            return responses.erased(changes)
        case PromoteWaiting() | DecideAtDeadline() | CompleteOffer() | CancelForRetirement():
            return b""
        case _:
            return responses.with_offer(state, clashes)
