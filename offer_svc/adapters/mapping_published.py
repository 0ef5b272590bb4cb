"""What was published last of a stored offer, from message to message: a copy of everything asks for every offer.

The bytes are those that `mapping_public` wrote into the event: the lasting part, then what reservations change.
"""

from typing import Final

from training.offer.v1 import events_pb2
from training.offer.v1 import offer_pb2 as pb
from training.type.v1.vocabulary_pb2 import DeliveryMode

from chassis.wire import field
from offer_svc.adapters.mapping_schedule import mode_of, schedule_from, span_of
from offer_svc.adapters.mapping_values import Faults, shortest

_OFFER: Final = events_pb2.OfferEvent.OFFER_FIELD_NUMBER


def published_body(stored: pb.Offer, revision: int) -> bytes:
    """Write the body of an event with what readers may see of an offer as of a public revision, and no change.

    An offer that was stored before offers remembered their public revision is taken to be as of its last one.
    """
    lasting = _lasting(stored)
    changing = _changing(stored, revision, lasting.price_list)
    return field(_OFFER, lasting.SerializeToString() + changing.SerializeToString())


def _lasting(stored: pb.Offer) -> events_pb2.PublishedOffer:
    message, given = events_pb2.PublishedOffer(), stored.HasField
    message.offer_id = stored.offer_id
    message.program_id = stored.program_id
    message.state = stored.state
    message.capacity.CopyFrom(stored.capacity)
    message.language_codes.extend(stored.language_codes)
    message.create_time.CopyFrom(stored.create_time)
    message.sales_closed = stored.sales_closed
    message.previous_dates.extend(stored.previous_dates)
    if given("schedule"):
        _fill_schedule(message, stored.schedule)
    if given("price_list"):
        _fill_prices(message.price_list, stored.price_list)
    if given("sales_window"):
        message.sales_window.CopyFrom(stored.sales_window)
    if given("publish_time"):
        message.publish_time.CopyFrom(stored.publish_time)
    if given("cancellation"):
        message.cancel_time.CopyFrom(stored.cancellation.cancel_time)
    if given("leave_until"):
        message.leave_until.CopyFrom(stored.leave_until)
    if given("complete_time"):
        message.complete_time.CopyFrom(stored.complete_time)
    return message


def _fill_schedule(message: events_pb2.PublishedOffer, stored: pb.Schedule) -> None:
    schedule = schedule_from(stored, "schedule", Faults())
    message.schedule.CopyFrom(stored)
    for session in message.schedule.sessions:
        session.ClearField("join_uri")
    message.mode = DeliveryMode.ValueType(mode_of(schedule))
    start, end = span_of(schedule)
    if start is not None:
        message.start_time.CopyFrom(start)
    if end is not None:
        message.end_time.CopyFrom(end)


def _fill_prices(message: pb.PriceList, stored: pb.PriceList) -> None:
    message.SetInParent()
    message.tiers.extend([tier for tier in stored.tiers if not tier.code])
    message.tax_treatment = stored.tax_treatment
    if stored.HasField("tax_rate_percent"):
        message.tax_rate_percent.value = shortest(stored.tax_rate_percent.value)


def _changing(stored: pb.Offer, revision: int, prices: pb.PriceList) -> events_pb2.PublishedOffer:
    seats = stored.seats
    has_room = not stored.HasField("waitlist_limit") or seats.waiting < stored.waitlist_limit
    message = events_pb2.PublishedOffer(
        revision=revision,
        seats_taken=stored.capacity.opening_balance + seats.held + seats.confirmed,
        update_time=stored.public_time if stored.HasField("public_time") else stored.update_time,
        seats_held=seats.held,
        waiting=seats.waiting,
        waitlist_open=stored.state == pb.Offer.STATE_PUBLISHED and has_room,
        at_risk=stored.at_risk,
    )
    sold = {sales.tier: sales for sales in seats.sold_per_tier}
    limited = dict.fromkeys(tier.name for tier in prices.tiers if tier.HasField("quantity_limit"))
    message.sold_per_tier.extend([sold[tier] for tier in limited if tier in sold])
    return message
