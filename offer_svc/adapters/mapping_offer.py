"""The offer as it is stored and as callers read it: one message for both."""

from collections.abc import Sequence
from dataclasses import replace

from training.offer.v1 import offer_pb2 as pb

from offer_svc.adapters.mapping_schedule import fill_schedule, schedule_from
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
    optional_instant,
    uuid_from,
)
from offer_svc.domain.changes import Change, OfferMoved, SessionsScheduled
from offer_svc.domain.offer import Cancellation, FormerDates, Offer, State
from offer_svc.domain.schedule import BookingMode
from offer_svc.domain.seats import Seats


def etag(offer: Offer) -> str:
    """Stand for the offer's definition."""
    return f"{offer.definition_revision:x}-{microseconds_of(offer.definition_time):x}"


def to_message(offer: Offer) -> pb.Offer:
    """Write the resource."""
    definition, prices, ended = offer.definition, offer.price_list, offer.cancellation
    message = pb.Offer(
        offer_id=str(offer.offer_id),
        program_id=str(definition.program_id),
        revision=offer.revision,
        etag=etag(offer),
        create_time=instant_message(offer.create_time),
        update_time=instant_message(offer.update_time),
        state=pb.Offer.State.ValueType(offer.state),
        capacity=capacity_message(definition.capacity),
        price_list=None if prices is None else price_list_message(prices),
        sales_window=bounds_message(definition.sales_window),
        language_codes=definition.language_codes,
        publish_time=optional_instant(offer.publish_time),
        cancellation=None if ended is None else cancellation_message(ended),
        booking_mode=pb.BookingMode.ValueType(offer.booking_mode or 0),
        decision_deadline=optional_instant(definition.decision_deadline),
        cancel_below_minimum=definition.cancel_below_minimum,
        waitlist_limit=definition.waitlist_limit,
        sales_closed=offer.sales_closed,
        seats=_seats_message(offer.seats),
        at_risk=offer.at_risk,
        decide_time=optional_instant(offer.decide_time),
        previous_dates=map(former_dates_message, offer.previous_dates),
        leave_until=optional_instant(offer.leave_until),
        complete_time=optional_instant(offer.complete_time),
        source_offer_id="" if offer.source_offer_id is None else str(offer.source_offer_id),
        public_revision=offer.public_revision,
        public_time=optional_instant(offer.public_time),
    )
    if offer.schedule is not None:
        fill_schedule(message.schedule, offer.schedule)
    return message


def from_message(message: pb.Offer) -> Offer:
    """Read the stored state."""
    faults, given = Faults(), message.HasField
    revision, _, moment = message.etag.partition("-")
    source = message.source_offer_id
    offer = Offer(
        offer_id=uuid_from(message.offer_id, "offer_id", faults),
        definition=definition_from(message, "", faults),
        state=enum_from(State, message.state, "state", faults, State.DRAFT),
        revision=message.revision,
        definition_revision=int(revision, 16),
        definition_time=instant_at(int(moment, 16)),
        create_time=instant_from(message.create_time, "create_time", faults),
        update_time=instant_from(message.update_time, "update_time", faults),
        schedule=schedule_from(message.schedule, "schedule", faults) if given("schedule") else None,
        booking_mode=_booking_mode_from(message.booking_mode, faults) if message.booking_mode else None,
        price_list=price_list_from(message.price_list, "price_list", faults) if given("price_list") else None,
        publish_time=instant_from(message.publish_time, "publish_time", faults) if given("publish_time") else None,
        cancellation=_cancellation_from(message.cancellation, faults) if given("cancellation") else None,
        seats=_seats_from(message.seats),
        sales_closed=message.sales_closed,
        at_risk=message.at_risk,
        decide_time=instant_from(message.decide_time, "decide_time", faults) if given("decide_time") else None,
        previous_dates=tuple(_former_dates_from(dates, faults) for dates in message.previous_dates),
        leave_until=instant_from(message.leave_until, "leave_until", faults) if given("leave_until") else None,
        complete_time=instant_from(message.complete_time, "complete_time", faults) if given("complete_time") else None,
        source_offer_id=uuid_from(source, "source_offer_id", faults) if source else None,
        public_revision=message.public_revision,
        public_time=instant_from(message.public_time, "public_time", faults) if given("public_time") else None,
    )
    faults.refuse()
    return offer


def as_written(message: pb.Offer, after: Offer, changes: Sequence[Change]) -> tuple[Offer, tuple[Change, ...]]:
    """Return a new state and its changes with the schedule as the message has it: it need not be written again."""
    if after.schedule is None:
        return after, tuple(changes)
    schedule = schedule_from(message.schedule, "schedule", Faults())
    return replace(after, schedule=schedule), tuple(
        replace(change, schedule=schedule) if isinstance(change, SessionsScheduled | OfferMoved) else change
        for change in changes
    )


def cancellation_message(cancellation: Cancellation) -> pb.Cancellation:
    """Write why and when an offer was called off."""
    return pb.Cancellation(reason=cancellation.reason, cancel_time=instant_message(cancellation.cancel_time))


def former_dates_message(dates: FormerDates) -> pb.FormerDates:
    """Write the dates that an offer had."""
    return pb.FormerDates(
        start_time=optional_instant(dates.start_time),
        end_time=optional_instant(dates.end_time),
        reschedule_time=instant_message(dates.reschedule_time),
    )


def _seats_message(seats: Seats) -> pb.SeatCounts:
    return pb.SeatCounts(
        held=seats.held,
        confirmed=seats.confirmed,
        waiting=seats.waiting,
        sold_per_tier=[pb.TierSales(tier=tier, seats=sold) for tier, sold in seats.sold_per_tier.items()],
        next_wait_number=seats.next_wait_number,
        promotion_pending=seats.promotion_pending,
    )


def _seats_from(message: pb.SeatCounts) -> Seats:
    return Seats(
        held=message.held,
        confirmed=message.confirmed,
        waiting=message.waiting,
        sold_per_tier={sales.tier: sales.seats for sales in message.sold_per_tier},
        next_wait_number=message.next_wait_number,
        promotion_pending=message.promotion_pending,
    )


def _cancellation_from(message: pb.Cancellation, faults: Faults) -> Cancellation:
    return Cancellation(message.reason, instant_from(message.cancel_time, "cancellation.cancel_time", faults))


def _former_dates_from(message: pb.FormerDates, faults: Faults) -> FormerDates:
    given, path = message.HasField, "previous_dates"
    return FormerDates(
        instant_from(message.start_time, path, faults) if given("start_time") else None,
        instant_from(message.end_time, path, faults) if given("end_time") else None,
        instant_from(message.reschedule_time, path, faults),
    )


def _booking_mode_from(number: int, faults: Faults) -> BookingMode:
    return enum_from(BookingMode, number, "booking_mode", faults, BookingMode.FORBID)
