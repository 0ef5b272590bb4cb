"""The public event of a revision: what it tells readers, or that it tells them nothing."""

from collections.abc import Mapping, Sequence
from typing import Final

from training.offer.v1.events_pb2 import OfferEvent

from chassis.wire import field
from offer_svc.adapters.mapping_public import WritePublished, write_published
from offer_svc.adapters.mapping_wire import text_field
from offer_svc.domain.changes import Change
from offer_svc.domain.offer import Offer
from offer_svc.domain.telling import Told, told

_PACKAGE: Final = "training.offer.v1"
ADVANCED: Final = f"{_PACKAGE}.Advanced"

_KINDS: Final[Mapping[Told, tuple[str, bytes]]] = {
    kind: (f"{_PACKAGE}.{name}", field(number, b""))
    for kind, name, number in (
        (Told.PUBLISHED, "OfferPublished", OfferEvent.PUBLISHED_FIELD_NUMBER),
        (Told.REPRICED, "OfferRepriced", OfferEvent.REPRICED_FIELD_NUMBER),
        (Told.CANCELLED, "OfferCancelled", OfferEvent.CANCELLED_FIELD_NUMBER),
        (Told.RESCHEDULED, "OfferRescheduled", OfferEvent.RESCHEDULED_FIELD_NUMBER),
        (Told.AVAILABILITY_CHANGED, "AvailabilityChanged", OfferEvent.AVAILABILITY_CHANGED_FIELD_NUMBER),
        (Told.UPDATED, "OfferUpdated", OfferEvent.UPDATED_FIELD_NUMBER),
        (Told.AT_RISK, "OfferAtRisk", OfferEvent.AT_RISK_FIELD_NUMBER),
        (Told.COMPLETED, "OfferCompleted", OfferEvent.COMPLETED_FIELD_NUMBER),
    )
}
"""The CloudEvents types of what readers are told, and the empty message that says so in the body."""


def event(
    actor: str,
    before: Offer | None,
    after: Offer,
    changes: Sequence[Change],
    write: WritePublished = write_published,
) -> tuple[str, bytes]:
    """Write the public event of one revision, as its CloudEvents type and its body."""
    kind = told(before, after, changes)
    if kind is None:
        return ADVANCED, b""
    event_type, change = _KINDS[kind]
    return event_type, text_field(OfferEvent.ACTOR_FIELD_NUMBER, actor) + change + field(
        OfferEvent.OFFER_FIELD_NUMBER, write(after)
    )
