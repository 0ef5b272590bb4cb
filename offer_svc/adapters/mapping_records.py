"""The private record of a revision: which command was accepted, and what it changed.

It never names a participant, a quote or what a reservation costs: reservations stand in it by their ids.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from training.offer.v1 import events_pb2 as pb
from training.offer.v1 import offer_pb2

from chassis.wire import field
from offer_svc.adapters.mapping_offer import cancellation_message, former_dates_message
from offer_svc.adapters.mapping_schedule import fill_schedule
from offer_svc.adapters.mapping_terms import bounds_message, capacity_message, price_list_message
from offer_svc.adapters.mapping_values import instant_message, optional_instant
from offer_svc.adapters.mapping_wire import id_field, instant_field, number_field, text_field
from offer_svc.domain.changes import (
    CapacitySet,
    Change,
    DefinitionChanged,
    HoldExpired,
    HoldExtended,
    MinimumDecided,
    OfferCalledOff,
    OfferCreated,
    OfferDeleted,
    OfferEnded,
    OfferMadePublic,
    OfferMoved,
    ParticipantErased,
    PriceListSet,
    PromotionPending,
    ReservationChange,
    SalesClosed,
    SalesReopened,
    SeatsConfirmed,
    SeatsHeld,
    SeatsReleased,
    SessionsScheduled,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPromoted,
)

_COMMAND, _CHANGES = pb.OfferRevisionRecord.COMMAND_FIELD_NUMBER, pb.OfferRevisionRecord.CHANGES_FIELD_NUMBER
_ID, _SEATS, _EXPIRES = (
    pb.ReservationChanged.RESERVATION_ID_FIELD_NUMBER,
    pb.ReservationChanged.SEATS_FIELD_NUMBER,
    pb.ReservationChanged.EXPIRE_TIME_FIELD_NUMBER,
)
_Bare = OfferMadePublic | SalesClosed | SalesReopened | OfferDeleted | OfferEnded
_Dates = SessionsScheduled | OfferMoved
_Others = (
    OfferCreated
    | DefinitionChanged
    | PriceListSet
    | CapacitySet
    | OfferCalledOff
    | MinimumDecided
    | PromotionPending
    | ParticipantErased
)

_BARE_KINDS: Final[dict[type[_Bare], int]] = {
    OfferMadePublic: pb.OfferChange.MADE_PUBLIC_FIELD_NUMBER,
    SalesClosed: pb.OfferChange.SALES_CLOSED_FIELD_NUMBER,
    SalesReopened: pb.OfferChange.SALES_REOPENED_FIELD_NUMBER,
    OfferDeleted: pb.OfferChange.DELETED_FIELD_NUMBER,
    OfferEnded: pb.OfferChange.ENDED_FIELD_NUMBER,
}
_RESERVATION_KINDS: Final[dict[type[ReservationChange], int]] = {
    SeatsHeld: pb.OfferChange.SEATS_HELD_FIELD_NUMBER,
    HoldExtended: pb.OfferChange.HOLD_EXTENDED_FIELD_NUMBER,
    SeatsConfirmed: pb.OfferChange.SEATS_CONFIRMED_FIELD_NUMBER,
    SeatsReleased: pb.OfferChange.SEATS_RELEASED_FIELD_NUMBER,
    HoldExpired: pb.OfferChange.HOLD_EXPIRED_FIELD_NUMBER,
    WaitlistJoined: pb.OfferChange.WAITLIST_JOINED_FIELD_NUMBER,
    WaitlistLeft: pb.OfferChange.WAITLIST_LEFT_FIELD_NUMBER,
    WaitlistPromoted: pb.OfferChange.WAITLIST_PROMOTED_FIELD_NUMBER,
}


def record(command_name: str, changes: Sequence[Change]) -> bytes:
    """Write the private record of one revision."""
    return text_field(_COMMAND, command_name) + b"".join([field(_CHANGES, _written(change)) for change in changes])


def _written(change: Change) -> bytes:
    if isinstance(change, ReservationChange):
        reservation = change.reservation
        expires = reservation.expire_time
        return field(
            _RESERVATION_KINDS[type(change)],
            id_field(_ID, reservation.reservation_id)
            + number_field(_SEATS, reservation.seats)
            + (b"" if expires is None else instant_field(_EXPIRES, expires)),
        )
    if isinstance(change, _Bare):
        return field(_BARE_KINDS[type(change)], b"")
    message = pb.OfferChange()
    if isinstance(change, _Dates):
        _fill_dates(message, change)
    else:
        _fill(message, change)
    return message.SerializeToString()


def _fill(message: pb.OfferChange, change: _Others) -> None:
    match change:
        case OfferCreated():
            message.created.CopyFrom(_created_message(change))
        case DefinitionChanged():
            message.definition_changed.CopyFrom(_definition_message(change))
        case PriceListSet():
            message.price_list_set.price_list.CopyFrom(price_list_message(change.price_list))
        case CapacitySet():
            message.capacity_set.capacity.CopyFrom(capacity_message(change.capacity))
        case OfferCalledOff():
            message.called_off.cancellation.CopyFrom(cancellation_message(change.cancellation))
        case MinimumDecided():
            message.minimum_decided.CopyFrom(pb.MinimumDecided(at_risk=change.at_risk))
        case PromotionPending():
            message.promotion_pending.CopyFrom(pb.PromotionPending(pending=change.pending))
        case ParticipantErased():
            message.participant_erased.reservation_ids.extend(map(str, change.reservation_ids))
        case _:
            assert_never(change)


def _fill_dates(message: pb.OfferChange, change: _Dates) -> None:
    mode = offer_pb2.BookingMode.ValueType(change.booking_mode)
    if isinstance(change, SessionsScheduled):
        message.sessions_scheduled.booking_mode = mode
        fill_schedule(message.sessions_scheduled.schedule, change.schedule)
    else:
        message.moved.booking_mode = mode
        message.moved.former_dates.CopyFrom(former_dates_message(change.former_dates))
        message.moved.leave_until.CopyFrom(instant_message(change.leave_until))
        fill_schedule(message.moved.schedule, change.schedule)


def _created_message(change: OfferCreated) -> pb.OfferCreated:
    definition = change.definition
    return pb.OfferCreated(
        program_id=str(definition.program_id),
        capacity=capacity_message(definition.capacity),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
        decision_deadline=optional_instant(definition.decision_deadline),
        cancel_below_minimum=definition.cancel_below_minimum,
        waitlist_limit=definition.waitlist_limit,
        source_offer_id="" if change.source_offer_id is None else str(change.source_offer_id),
    )


def _definition_message(change: DefinitionChanged) -> pb.DefinitionChanged:
    definition = change.definition
    return pb.DefinitionChanged(
        capacity=capacity_message(definition.capacity),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
        decision_deadline=optional_instant(definition.decision_deadline),
        cancel_below_minimum=definition.cancel_below_minimum,
        waitlist_limit=definition.waitlist_limit,
        changed_fields=change.fields,
    )
