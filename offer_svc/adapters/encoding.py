"""Offers as stored bytes, events and responses: the ports of the command path, filled by the mapping."""

from collections.abc import Sequence

from training.offer.v1 import offer_pb2 as pb
from training.offer.v1.offer_service_pb2 import ImportOffersResponse, ScheduleSessionsResponse

from bus.commands import Revision
from chassis.wire import field
from offer_svc.adapters import mapping
from offer_svc.adapters.effects import booking_parameters
from offer_svc.domain.bookings import Clash
from offer_svc.domain.changes import Change, OfferCalledOff, OfferCreated, OfferMadePublic, SessionsScheduled
from offer_svc.domain.commands import Command, ImportOffer, ScheduleSessions
from offer_svc.domain.offer import Offer


class OfferEncoding:
    """Writes offers and what happens to them as messages, and reads them back.

    Every response of a unary command has the offer as its field 1, so the stored message is spliced into it as it is.
    """

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
        clashes: Sequence[Clash],
    ) -> Revision:
        """Encode one revision: the new state, its bookings, the event, the private record, the response."""
        message = mapping.to_message(after)
        state, kinds = message.SerializeToString(), {type(change) for change in changes}
        if SessionsScheduled in kinds:
            after, changes = mapping.as_written(message, after, changes)
        event_type, public = mapping.event(actor, before, after, changes)
        rebooked = not kinds.isdisjoint((SessionsScheduled, OfferCalledOff))
        return Revision(
            columns={
                "status": int(after.state),
                "program_id": after.definition.program_id,
                "updated_at": after.update_time,
                "state": state,
            },
            event_type=event_type,
            public=public,
            private=mapping.record(type(command).__name__, changes).SerializeToString(),
            response=_response(state, command, clashes),
            effects=booking_parameters(before, after) if rebooked else None,
            guarded=not kinds.isdisjoint((OfferCreated, OfferMadePublic)),
        )

    def response(self, offer: Offer, command: Command, clashes: Sequence[Clash]) -> bytes:
        """Encode the response to a command that changed nothing."""
        return _response(mapping.to_message(offer).SerializeToString(), command, clashes)


def _response(state: bytes, command: Command, clashes: Sequence[Clash]) -> bytes:
    match command:
        case ImportOffer():  # its row's result does not repeat the offer
            return ImportOffersResponse(clashes=map(mapping.clash_message, clashes)).SerializeToString()
        case ScheduleSessions() if clashes:
            warning = ScheduleSessionsResponse(clashes=map(mapping.clash_message, clashes))
            return field(1, state) + warning.SerializeToString()
        case _:
            return field(1, state)
