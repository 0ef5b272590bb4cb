"""The public event of a revision: what it tells readers, or that it tells them nothing."""

from collections.abc import Mapping, Sequence
from typing import Final

from training.offer.v1.events_pb2 import OfferEvent

from chassis.wire import field
from offer_svc.adapters.mapping_public import WritePublished, is_waitlist_open, write_published
from offer_svc.adapters.mapping_wire import text_field
from offer_svc.domain.changes import Change, OfferCalledOff, OfferEnded, OfferMadePublic, OfferMoved
from offer_svc.domain.offer import Offer, State

_PACKAGE: Final = "training.offer.v1"
ADVANCED: Final = f"{_PACKAGE}.Advanced"

_UNSEEN: Final = frozenset({State.DRAFT, State.DELETED})
_STEPS: Final[Mapping[type[Change], str]] = {
    OfferMadePublic: "OfferPublished",
    OfferCalledOff: "OfferCancelled",
    OfferEnded: "OfferCompleted",
    OfferMoved: "OfferRescheduled",
}
_KINDS: Final = {
    name: (f"{_PACKAGE}.{name}", field(number, b""))
    for name, number in {
        "OfferPublished": OfferEvent.PUBLISHED_FIELD_NUMBER,
        "OfferRepriced": OfferEvent.REPRICED_FIELD_NUMBER,
        "OfferCancelled": OfferEvent.CANCELLED_FIELD_NUMBER,
        "OfferRescheduled": OfferEvent.RESCHEDULED_FIELD_NUMBER,
        "AvailabilityChanged": OfferEvent.AVAILABILITY_CHANGED_FIELD_NUMBER,
        "OfferUpdated": OfferEvent.UPDATED_FIELD_NUMBER,
        "OfferAtRisk": OfferEvent.AT_RISK_FIELD_NUMBER,
        "OfferCompleted": OfferEvent.COMPLETED_FIELD_NUMBER,
    }.items()
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
    told = _told(before, after, changes)
    if told is None:
        return ADVANCED, b""
    event_type, kind = _KINDS[told]
    return event_type, text_field(OfferEvent.ACTOR_FIELD_NUMBER, actor) + kind + field(
        OfferEvent.OFFER_FIELD_NUMBER, write(after)
    )


def _told(before: Offer | None, after: Offer, changes: Sequence[Change]) -> str | None:
    """Return what readers are told; they see no draft, and nothing that a public offer keeps from them."""
    if after.state in _UNSEEN:
        return None
    for change in changes:
        step = _STEPS.get(type(change))
        if step is not None:
            return step
    return None if before is None else _difference(before, after)


def _difference(before: Offer, after: Offer) -> str | None:
    """Return which difference readers see between two states of an offer that is public in both."""
    had, has = before.seats, after.seats
    if had.held != has.held or had.confirmed != has.confirmed or had.waiting != has.waiting:
        return "AvailabilityChanged"
    return _edit(before, after)


def _edit(before: Offer, after: Offer) -> str | None:
    """Return which difference readers see where nobody came or went."""
    prices = after.price_list
    if prices is not before.price_list and prices is not None and not prices.same_in_public(before.price_list):
        return "OfferRepriced"
    if _availability(before) != _availability(after):
        return "AvailabilityChanged"
    if before.at_risk is not after.at_risk:
        return "OfferAtRisk" if after.at_risk else "OfferUpdated"
    had, has = before.definition, after.definition
    if (had.sales_window, had.language_codes) != (has.sales_window, has.language_codes):
        return "OfferUpdated"
    return None


def _availability(offer: Offer) -> tuple[object, ...]:
    return offer.definition.capacity, offer.sales_closed, is_waitlist_open(offer)
