"""What readers may see of an offer as of its last public revision: no participants, join URIs, coded tiers, reasons.

Reservations change a few numbers of it, hundreds of times a second; the rest, schedule and prices and all, changes with
what a manager does. So the two are written apart and put together as bytes.
"""

from collections.abc import Callable
from typing import Final, NamedTuple
from uuid import UUID

from training.offer.v1 import events_pb2, offer_pb2
from training.type.v1.vocabulary_pb2 import DeliveryMode

from chassis.wire import field
from offer_svc.adapters.mapping_offer import former_dates_message
from offer_svc.adapters.mapping_schedule import fill_schedule, mode_of, span_of
from offer_svc.adapters.mapping_terms import bounds_message, capacity_message, price_list_message
from offer_svc.adapters.mapping_values import instant_message, optional_instant
from offer_svc.adapters.mapping_wire import instant_field, number_field
from offer_svc.domain.offer import Offer
from offer_svc.domain.telling import is_waitlist_open

WritePublished = Callable[[Offer], bytes]

_MOST_KEPT: Final = 64

_REVISION, _TAKEN, _UPDATED, _HELD, _WAITING, _WAITLIST_OPEN, _AT_RISK, _SOLD = (
    events_pb2.PublishedOffer.REVISION_FIELD_NUMBER,
    events_pb2.PublishedOffer.SEATS_TAKEN_FIELD_NUMBER,
    events_pb2.PublishedOffer.UPDATE_TIME_FIELD_NUMBER,
    events_pb2.PublishedOffer.SEATS_HELD_FIELD_NUMBER,
    events_pb2.PublishedOffer.WAITING_FIELD_NUMBER,
    events_pb2.PublishedOffer.WAITLIST_OPEN_FIELD_NUMBER,
    events_pb2.PublishedOffer.AT_RISK_FIELD_NUMBER,
    events_pb2.PublishedOffer.SOLD_PER_TIER_FIELD_NUMBER,
)


class Lasting(NamedTuple):
    """What no reservation changes: its bytes, and the public tiers of which readers are told what is sold."""

    written: bytes
    limited_tiers: tuple[str, ...]


class LastingParts:
    """Keeps the lasting parts of the offers last written, each with all that it was written from."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept: dict[UUID, tuple[object, Lasting]] = {}

    def write(self, offer: Offer) -> bytes:
        """Write what readers may see; the lasting part is written again where anything of it is not what it was."""
        kept, made_of = self._kept.get(offer.offer_id), _made_of(offer)
        if kept is not None and kept[0] == made_of:
            lasting = kept[1]
        else:
            lasting = _lasting(offer)
            self._kept.pop(offer.offer_id, None)
            self._kept[offer.offer_id] = (made_of, lasting)
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return lasting.written + _changing(offer, lasting.limited_tiers)


def write_published(offer: Offer) -> bytes:
    """Write what readers may see of a public offer."""
    lasting = _lasting(offer)
    return lasting.written + _changing(offer, lasting.limited_tiers)


def published(offer: Offer) -> events_pb2.PublishedOffer:
    """Return what readers may see of a public offer."""
    return events_pb2.PublishedOffer.FromString(write_published(offer))


def _made_of(offer: Offer) -> tuple[object, ...]:
    """Return all that the lasting part shows. From revision to revision these are mostly the very same objects."""
    return (
        offer.definition,
        offer.state,
        offer.schedule,
        offer.price_list,
        offer.create_time,
        offer.publish_time,
        offer.cancellation,
        offer.sales_closed,
        offer.previous_dates,
        offer.leave_until,
        offer.complete_time,
    )


def _lasting(offer: Offer) -> Lasting:
    definition, schedule, prices, ended = offer.definition, offer.schedule, offer.price_list, offer.cancellation
    start, end = (None, None) if schedule is None else span_of(schedule)
    message = events_pb2.PublishedOffer(
        offer_id=str(offer.offer_id),
        program_id=str(definition.program_id),
        state=offer_pb2.Offer.State.ValueType(offer.state),
        mode=DeliveryMode.ValueType(0 if schedule is None else mode_of(schedule)),
        start_time=start,
        end_time=end,
        capacity=capacity_message(definition.capacity),
        price_list=None if prices is None else price_list_message(prices, public=True),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
        create_time=instant_message(offer.create_time),
        publish_time=optional_instant(offer.publish_time),
        cancel_time=None if ended is None else instant_message(ended.cancel_time),
        sales_closed=offer.sales_closed,
        previous_dates=map(former_dates_message, offer.previous_dates),
        leave_until=optional_instant(offer.leave_until),
        complete_time=optional_instant(offer.complete_time),
    )
    if schedule is not None:
        fill_schedule(message.schedule, schedule, public=True)
    limited = () if prices is None else (tier.name for tier in prices.public_tiers if tier.quantity_limit is not None)
    return Lasting(message.SerializeToString(), tuple(dict.fromkeys(limited)))


def _changing(offer: Offer, limited_tiers: tuple[str, ...]) -> bytes:
    """Write what reservations change; the one repeated field of it is wholly here."""
    seats = offer.seats
    written = (
        number_field(_REVISION, offer.public_revision)
        + number_field(_TAKEN, offer.seats_taken)
        + (b"" if offer.public_time is None else instant_field(_UPDATED, offer.public_time))
        + number_field(_HELD, seats.held)
        + number_field(_WAITING, seats.waiting)
        + number_field(_WAITLIST_OPEN, is_waitlist_open(offer))
        + number_field(_AT_RISK, offer.at_risk)
    )
    for tier in limited_tiers:
        sold = seats.sold_per_tier.get(tier)
        if sold:
            written += field(_SOLD, offer_pb2.TierSales(tier=tier, seats=sold).SerializeToString())
    return written
