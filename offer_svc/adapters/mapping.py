"""Offers between messages and the domain, both ways.

The stored state of an offer is its resource message, and so is what callers read. This module and its parts
(`mapping_requests`, `mapping_terms`, `mapping_schedule`, `mapping_values`) are the only place where the two meet.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from google.protobuf.timestamp_pb2 import Timestamp
from training.offer.v1 import events_pb2, offer_pb2
from training.type.v1.vocabulary_pb2 import DeliveryMode

from chassis.wire import field
from offer_svc.adapters.mapping_requests import (
    cancel_offer,
    create_offer,
    import_offer,
    publish_offer,
    schedule_sessions,
    set_price_list,
)
from offer_svc.adapters.mapping_schedule import clash_message, fill_schedule, mode_of, schedule_from, span_of
from offer_svc.adapters.mapping_terms import (
    bounds_message,
    capacity_message,
    definition_from,
    price_list_from,
    price_list_message,
)
from offer_svc.adapters.mapping_values import (
    Faults,
    enum_from,
    instant_at,
    instant_from,
    instant_message,
    microseconds_of,
    uuid_from,
)
from offer_svc.domain.changes import (
    Change,
    OfferCalledOff,
    OfferCreated,
    OfferMadePublic,
    PriceListSet,
    SessionsScheduled,
)
from offer_svc.domain.offer import Cancellation, Offer, State
from offer_svc.domain.schedule import BookingMode

__all__ = [
    "ADVANCED",
    "as_written",
    "cancel_offer",
    "clash_message",
    "create_offer",
    "etag",
    "event",
    "from_message",
    "import_offer",
    "publish_offer",
    "published",
    "record",
    "schedule_sessions",
    "set_price_list",
    "to_message",
]

_PACKAGE = "training.offer.v1"
ADVANCED = f"{_PACKAGE}.Advanced"


def etag(offer: Offer) -> str:
    """Stand for the offer's definition."""
    return f"{offer.definition_revision:x}-{microseconds_of(offer.definition_time):x}"


def to_message(offer: Offer) -> offer_pb2.Offer:
    """Write the resource."""
    definition, prices, ended = offer.definition, offer.price_list, offer.cancellation
    message = offer_pb2.Offer(
        offer_id=str(offer.offer_id),
        program_id=str(definition.program_id),
        revision=offer.revision,
        etag=etag(offer),
        create_time=instant_message(offer.create_time),
        update_time=instant_message(offer.update_time),
        state=offer_pb2.Offer.State.ValueType(offer.state),
        capacity=capacity_message(definition.capacity),
        price_list=None if prices is None else price_list_message(prices),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
        publish_time=_optional(offer.publish_time),
        cancellation=None if ended is None else _cancellation_message(ended),
        booking_mode=offer_pb2.BookingMode.ValueType(offer.booking_mode or 0),
    )
    if offer.schedule is not None:
        fill_schedule(message.schedule, offer.schedule)
    return message


def from_message(message: offer_pb2.Offer) -> Offer:
    """Read the stored state."""
    faults = Faults()
    revision, _, moment = message.etag.partition("-")
    cancellation = message.cancellation
    offer = Offer(
        offer_id=uuid_from(message.offer_id, "offer_id", faults),
        definition=definition_from(message, "", faults),
        state=enum_from(State, message.state, "state", faults, State.DRAFT),
        revision=message.revision,
        definition_revision=int(revision, 16),
        definition_time=instant_at(int(moment, 16)),
        create_time=instant_from(message.create_time, "create_time", faults),
        update_time=instant_from(message.update_time, "update_time", faults),
        schedule=schedule_from(message.schedule, "schedule", faults) if message.HasField("schedule") else None,
        price_list=(
            price_list_from(message.price_list, "price_list", faults) if message.HasField("price_list") else None
        ),
        publish_time=(
            instant_from(message.publish_time, "publish_time", faults) if message.HasField("publish_time") else None
        ),
        cancellation=(
            Cancellation(
                cancellation.reason, instant_from(cancellation.cancel_time, "cancellation.cancel_time", faults)
            )
            if message.HasField("cancellation")
            else None
        ),
        booking_mode=(
            enum_from(BookingMode, message.booking_mode, "booking_mode", faults, BookingMode.FORBID)
            if message.booking_mode
            else None
        ),
    )
    faults.refuse()
    return offer


def published(offer: Offer) -> events_pb2.PublishedOffer:
    """Write what readers may see of a public offer: no join URIs, no tiers that need a code, no reasons."""
    definition, schedule, prices, ended = offer.definition, offer.schedule, offer.price_list, offer.cancellation
    start, end = (None, None) if schedule is None else span_of(schedule)
    message = events_pb2.PublishedOffer(
        offer_id=str(offer.offer_id),
        program_id=str(definition.program_id),
        revision=offer.revision,
        state=offer_pb2.Offer.State.ValueType(offer.state),
        mode=DeliveryMode.ValueType(0 if schedule is None else mode_of(schedule)),
        start_time=start,
        end_time=end,
        capacity=capacity_message(definition.capacity),
        seats_taken=offer.seats_taken,
        price_list=None if prices is None else price_list_message(prices, public=True),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
        create_time=instant_message(offer.create_time),
        update_time=instant_message(offer.update_time),
        publish_time=_optional(offer.publish_time),
        cancel_time=None if ended is None else instant_message(ended.cancel_time),
    )
    if schedule is not None:
        fill_schedule(message.schedule, schedule, public=True)
    return message


def event(actor: str, before: Offer | None, after: Offer, changes: Sequence[Change]) -> tuple[str, bytes]:
    """Write the public event of one revision, as its CloudEvents type and its body."""
    kinds = {type(change) for change in changes}
    body = events_pb2.OfferEvent(actor=actor)
    if OfferMadePublic in kinds:
        name = "OfferPublished"
        body.published.SetInParent()
    elif OfferCalledOff in kinds:
        name = "OfferCancelled"
        body.cancelled.SetInParent()
    elif _is_repriced(before, after):
        name = "OfferRepriced"
        body.repriced.SetInParent()
    else:
        return ADVANCED, b""
    # In Protobuf, concatenation is merge.
    state = field(events_pb2.OfferEvent.OFFER_FIELD_NUMBER, published(after).SerializeToString())
    return f"{_PACKAGE}.{name}", body.SerializeToString() + state


def as_written(message: offer_pb2.Offer, after: Offer, changes: Sequence[Change]) -> tuple[Offer, tuple[Change, ...]]:
    """Return a new state and its changes with the schedule as the message has it: it need not be written again."""
    if after.schedule is None:
        return after, tuple(changes)
    schedule = schedule_from(message.schedule, "schedule", Faults())
    return replace(after, schedule=schedule), tuple(
        replace(change, schedule=schedule) if isinstance(change, SessionsScheduled) else change for change in changes
    )


def record(command_name: str, changes: Sequence[Change]) -> events_pb2.OfferRevisionRecord:
    """Write the private record of one revision."""
    return events_pb2.OfferRevisionRecord(command=command_name, changes=map(_change_message, changes))


def _is_repriced(before: Offer | None, after: Offer) -> bool:
    """Tell whether readers see other prices; they see neither a draft's nor those that need a code."""
    if before is None or after.state is State.DRAFT or after.price_list is None:
        return False
    return not after.price_list.same_in_public(before.price_list)


def _change_message(change: Change) -> events_pb2.OfferChange:
    match change:
        case OfferCreated():
            return events_pb2.OfferChange(created=_created_message(change))
        case PriceListSet():
            prices = events_pb2.PriceListSet(price_list=price_list_message(change.price_list))
            return events_pb2.OfferChange(price_list_set=prices)
        case SessionsScheduled():
            mode = offer_pb2.BookingMode.ValueType(change.booking_mode)
            message = events_pb2.OfferChange(sessions_scheduled=events_pb2.SessionsScheduled(booking_mode=mode))
            fill_schedule(message.sessions_scheduled.schedule, change.schedule)
            return message
        case OfferMadePublic():
            return events_pb2.OfferChange(made_public=events_pb2.OfferMadePublic())
        case OfferCalledOff():
            ended = events_pb2.OfferCalledOff(cancellation=_cancellation_message(change.cancellation))
            return events_pb2.OfferChange(called_off=ended)
        case _:
            assert_never(change)


def _created_message(change: OfferCreated) -> events_pb2.OfferCreated:
    definition = change.definition
    return events_pb2.OfferCreated(
        program_id=str(definition.program_id),
        capacity=capacity_message(definition.capacity),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
    )


def _cancellation_message(cancellation: Cancellation) -> offer_pb2.Cancellation:
    return offer_pb2.Cancellation(reason=cancellation.reason, cancel_time=instant_message(cancellation.cancel_time))


def _optional(instant: datetime | None) -> Timestamp | None:
    return None if instant is None else instant_message(instant)
