"""What is put together from a lasting and a changing part is what readers may see, whole and right."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from training.offer.v1 import events_pb2, offer_pb2
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_HYBRID, DELIVERY_MODE_SELF_PACED

from offer_svc.adapters.mapping import LastingParts, from_message, published, to_message
from offer_svc.adapters.mapping_public import _MOST_KEPT
from offer_svc.domain.commands import ReserveSeats
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer import stored
from tests.unit.offer.sale import id_of, on_sale, sold_out
from tests.unit.offer.samples import (
    DEFINITION,
    IMPORT,
    NOW,
    OFFER,
    ONLINE,
    ONSITE,
    PRICES,
    TIER,
    after,
    in_state,
    single,
)

SAME = (
    "offer_id",
    "program_id",
    "state",
    "capacity",
    "sales_window",
    "language_codes",
    "create_time",
    "publish_time",
    "sales_closed",
    "at_risk",
    "previous_dates",
    "leave_until",
    "complete_time",
)
"""The fields that readers see as callers of the service do."""


def plain(offer: Offer) -> events_pb2.PublishedOffer:
    """Write what readers may see, from the resource and field by field."""
    resource = to_message(offer)
    message = events_pb2.PublishedOffer(
        revision=resource.public_revision,
        seats_taken=offer.seats_taken,
        seats_held=offer.seats.held,
        waiting=offer.seats.waiting,
        waitlist_open=offer.state is State.PUBLISHED and offer.waitlist_open,
    )
    for name in SAME:
        _copy(resource, message, name)
    if resource.HasField("public_time"):
        message.update_time.CopyFrom(resource.public_time)
    if resource.HasField("cancellation"):
        message.cancel_time.CopyFrom(resource.cancellation.cancel_time)
    if offer.schedule is not None:
        message.schedule.CopyFrom(resource.schedule)
        message.mode = offer.schedule.mode  # type: ignore[assignment] # the same numbers
        for session in message.schedule.sessions:
            session.ClearField("join_uri")
        window = resource.schedule.access_window
        sessions = resource.schedule.sessions
        _copy(sessions[0] if sessions else window, message, "start_time")
        _copy(sessions[-1] if sessions else window, message, "end_time")
    if offer.price_list is not None:
        message.price_list.CopyFrom(resource.price_list)
        if offer.price_list.tax_rate_percent is not None:
            message.price_list.tax_rate_percent.value = f"{offer.price_list.tax_rate_percent.normalize():f}"
        del message.price_list.tiers[:]
        message.price_list.tiers.extend(tier for tier in resource.price_list.tiers if not tier.code)
        limited = [tier.name for tier in message.price_list.tiers if tier.HasField("quantity_limit")]
        sold = {sales.tier: sales for sales in resource.seats.sold_per_tier}
        message.sold_per_tier.extend(sold[name] for name in dict.fromkeys(limited) if name in sold)
    return message


def _copy(source: Any, target: Any, name: str) -> None:  # noqa: ANN401 - any two messages with that field
    """Copy one field as it is, set or not."""
    for descriptor, value in source.ListFields():
        if descriptor.name == name and descriptor.message_type is not None and not descriptor.is_repeated:
            getattr(target, name).CopyFrom(value)
        elif descriptor.name == name and descriptor.is_repeated:
            getattr(target, name).MergeFrom(value)
        elif descriptor.name == name:
            setattr(target, name, value)


@settings(max_examples=50)
@given(stored.offers())
def test_the_parts_put_together_are_the_whole(offer: Offer) -> None:
    expected = plain(offer)
    parts = LastingParts()
    assert published(offer) == expected
    for _ in range(2):
        assert events_pb2.PublishedOffer.FromString(parts.write(offer)) == expected


@settings(max_examples=20)
@given(st.lists(stored.offers(), min_size=2, max_size=4), st.data())
def test_a_part_that_was_kept_is_never_told_of_another_state(offers: list[Offer], data: st.DataObject) -> None:
    parts, names = LastingParts(), list(Offer.__slots__)
    offer = offers[0]
    for other in offers[1:]:
        parts.write(offer)
        taken = data.draw(st.sets(st.sampled_from(names)))
        offer = replace(offer, **{name: getattr(other, name) for name in taken if name != "offer_id"})
        assert events_pb2.PublishedOffer.FromString(parts.write(offer)) == plain(offer)


def test_a_state_that_was_loaded_again_finds_its_part() -> None:
    parts, offer = LastingParts(), after(IMPORT)
    parts.write(offer)
    (kept,) = parts._kept.values()
    loaded = from_message(to_message(replace(offer, public_revision=9)))
    assert events_pb2.PublishedOffer.FromString(parts.write(loaded)) == plain(loaded)
    (again,) = parts._kept.values()
    assert again is kept


def test_the_parts_of_so_many_offers_are_kept_and_no_more() -> None:
    parts, offer = LastingParts(), after(IMPORT)
    ids = [id_of(str(number)) for number in range(_MOST_KEPT + 3)]
    for offer_id in ids:
        parts.write(replace(offer, offer_id=offer_id))
    assert list(parts._kept) == ids[3:]


def test_the_public_state_is_complete() -> None:
    plan = SchedulePlan(
        sessions=(
            single("2027-03-01T09:00", "2027-03-01T10:00", traits=ONSITE),
            single("2027-03-02T09:00", "2027-03-02T10:00", traits=ONLINE),
        )
    )
    offer = after(replace(IMPORT, plan=plan, definition=replace(DEFINITION, sales_window=Window(end=NOW))))
    message, resource = published(offer), to_message(offer)
    assert message.mode == DELIVERY_MODE_HYBRID
    assert message.state == offer_pb2.Offer.STATE_PUBLISHED
    assert message.start_time == resource.schedule.sessions[0].start_time
    assert message.end_time == resource.schedule.sessions[1].end_time
    assert (message.seats_taken, message.capacity) == (2, resource.capacity)
    assert message.price_list == resource.price_list
    assert message.waitlist_open
    assert not message.HasField("cancel_time")


def test_a_cancelled_offer_says_when() -> None:
    offer = in_state(State.CANCELLED)
    assert published(offer).cancel_time == to_message(offer).cancellation.cancel_time


def test_an_open_ended_offer_has_no_end() -> None:
    message = published(after(replace(IMPORT, plan=SchedulePlan(access_window=Window(NOW)))))
    assert message.mode == DELIVERY_MODE_SELF_PACED
    assert message.HasField("start_time")
    assert not message.HasField("end_time")


def test_readers_see_how_many_seats_are_taken_and_who_waits_in_numbers() -> None:
    sale = sold_out(replace(DEFINITION, waitlist_limit=1))
    assert published(sale.offer).waitlist_open
    sale.join("Cem")
    message = published(sale.offer)
    assert (message.seats_taken, message.seats_held, message.waiting, message.waitlist_open) == (12, 4, 1, False)


def test_the_waitlist_of_an_offer_that_is_over_is_closed() -> None:
    assert not published(in_state(State.CANCELLED)).waitlist_open
    assert not published(in_state(State.COMPLETED)).waitlist_open


def test_readers_see_what_is_sold_of_public_tiers_with_a_limit() -> None:
    tiers = (
        replace(TIER, name="Early bird", quantity_limit=2),
        replace(TIER, name="Early bird", price=replace(TIER.price, currency="USD"), quantity_limit=9),
        replace(TIER, name="Hidden", code="P-77", quantity_limit=5),
        TIER,
    )
    sale = on_sale(prices=replace(PRICES, tiers=tiers))
    assert list(published(sale.offer).sold_per_tier) == []
    sale.reserve("Ann", 2)
    sale.reserve("Ben", 3)
    sale.do(ReserveSeats(OFFER, id_of("Cem"), "Cem", 1, "EUR", code="P-77"))
    assert dict(sale.offer.seats.sold_per_tier) == {"Early bird": 2, "Standard": 3, "Hidden": 1}
    assert list(published(sale.offer).sold_per_tier) == [offer_pb2.TierSales(tier="Early bird", seats=2)]
