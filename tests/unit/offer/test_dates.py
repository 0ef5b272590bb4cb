"""Scheduling: other dates of a published offer, and copies to new ones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from offer_svc.domain.availability import Capacity
from offer_svc.domain.bookings import held_by
from offer_svc.domain.changes import OfferMoved, SessionsScheduled
from offer_svc.domain.commands import CopyOffer, CreateOffer, RescheduleOffer
from offer_svc.domain.context import ProgramFacts
from offer_svc.domain.deadlines import next_due
from offer_svc.domain.offer import FormerDates, Offer
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import BookingMode, SchedulePlan
from offer_svc.domain.window import ALWAYS, Window
from tests.unit.offer.sale import DAY, ENDS, HOUR, STARTS, Sale, draft, id_of, on_sale, sold_out
from tests.unit.offer.samples import (
    CANCEL,
    CONTEXT,
    DEFINITION,
    NOW,
    OFFER,
    PLAN,
    PRICES,
    PROGRAM,
    RELEASED,
    RETIRED,
    TIER,
    single,
)

SPRING = SchedulePlan(sessions=(single("2027-04-05T09:00", "2027-04-05T17:00"),))
SPRING_STARTS, SPRING_ENDS = datetime(2027, 4, 5, 7, tzinfo=UTC), datetime(2027, 4, 5, 15, tzinfo=UTC)
COPY = id_of("copy")


def test_rescheduling_keeps_the_identity_and_the_reservations() -> None:
    sale = sold_out()
    sale.join("Cem")
    before = (sale.of("Ann"), sale.of("Ben"), sale.of("Cem"), sale.offer.seats, sale.offer.offer_id)
    sale.do(RescheduleOffer(OFFER, SPRING))
    assert (sale.of("Ann"), sale.of("Ben"), sale.of("Cem"), sale.offer.seats, sale.offer.offer_id) == before
    assert sale.offer.schedule is not None
    assert (sale.offer.schedule.start_time, sale.offer.schedule.end_time) == (SPRING_STARTS, SPRING_ENDS)


def test_rescheduling_records_the_previous_dates_and_opens_a_window_to_leave() -> None:
    sale = on_sale()
    sale.now += HOUR
    former = FormerDates(STARTS, ENDS, sale.now)
    (moved,) = sale.do(RescheduleOffer(OFFER, SPRING))
    assert isinstance(moved, OfferMoved)
    assert (moved.former_dates, moved.leave_until) == (former, sale.now + 14 * DAY)
    assert (sale.offer.previous_dates, sale.offer.leave_until) == ((former,), sale.now + 14 * DAY)
    assert sale.offer.definition_revision == sale.offer.revision


def test_the_latest_twenty_dates_are_remembered() -> None:
    sale = on_sale()
    for day in range(1, 23):
        sale.do(RescheduleOffer(OFFER, SchedulePlan(access_window=Window(NOW + day * DAY))))
    starts = [dates.start_time for dates in sale.offer.previous_dates]
    assert starts == [NOW + day * DAY for day in range(2, 22)]


def test_the_same_dates_are_nothing_new() -> None:
    sale = on_sale()
    assert sale.do(RescheduleOffer(OFFER, PLAN)) == ()


def test_another_booking_mode_alone_moves_nobody() -> None:
    sale = on_sale()
    (change,) = sale.do(RescheduleOffer(OFFER, replace(PLAN, booking_mode=BookingMode.WARN)))
    assert isinstance(change, SessionsScheduled)
    assert (sale.offer.booking_mode, sale.offer.previous_dates) == (BookingMode.WARN, ())
    assert sale.offer.leave_until is None


def test_new_dates_lie_ahead() -> None:
    sale = on_sale()
    sale.now = SPRING_ENDS
    found = sale.refusal(RescheduleOffer(OFFER, SPRING))
    assert (found.reason, found.metadata) == ("SCHEDULE_INVALID", {"rule": "schedule.ahead"})
    sale.now -= timedelta(microseconds=1)
    sale.do(RescheduleOffer(OFFER, SPRING))


def test_completion_follows_the_dates() -> None:
    sale = on_sale()
    assert next_due(sale.offer) == ENDS
    sale.do(RescheduleOffer(OFFER, SPRING))
    assert next_due(sale.offer) == SPRING_ENDS
    sale.do(RescheduleOffer(OFFER, SchedulePlan(access_window=Window(NOW))))
    assert next_due(sale.offer) is None


def test_rooms_and_trainers_follow_the_dates() -> None:
    sale = on_sale()
    booked = len(held_by(sale.offer))
    sale.do(RescheduleOffer(OFFER, SPRING))
    assert (booked, held_by(sale.offer)) == (18, ())


def test_a_published_offer_without_a_schedule_has_no_previous_dates() -> None:
    sale = Sale(replace(on_sale().offer, schedule=None))
    sale.do(RescheduleOffer(OFFER, SPRING))
    assert sale.offer.previous_dates == (FormerDates(None, None, NOW),)


WINDOWED = replace(
    DEFINITION,
    sales_window=Window(STARTS - 20 * DAY, STARTS - DAY),
    decision_deadline=STARTS - 7 * DAY,
    cancel_below_minimum=True,
    waitlist_limit=5,
)
EARLY = PriceList((replace(TIER, name="Early bird", validity=Window(None, STARTS - 10 * DAY)), TIER))


def copy(source: Offer | None, plan: SchedulePlan = SPRING, program: ProgramFacts | None = RELEASED) -> Sale:
    """Prepare the context of a copy."""
    return Sale(context=replace(CONTEXT, source=source, program=program))


def test_an_offer_is_copied_to_new_dates_with_its_windows_and_deadline_moved_along() -> None:
    source = on_sale(WINDOWED, prices=EARLY).offer
    made = copy(source)
    made.do(CopyOffer(COPY, OFFER, SPRING))
    offer, by = made.offer, SPRING_STARTS - STARTS
    assert (offer.offer_id, offer.source_offer_id, offer.state.name, offer.revision) == (COPY, OFFER, "DRAFT", 1)
    assert offer.schedule is not None
    assert offer.schedule.start_time == SPRING_STARTS
    assert offer.definition == replace(
        WINDOWED,
        capacity=Capacity(4, 12, 0),
        sales_window=Window(STARTS - 20 * DAY + by, STARTS - DAY + by),
        decision_deadline=STARTS - 7 * DAY + by,
    )
    assert offer.price_list == PriceList((replace(EARLY.tiers[0], validity=Window(None, STARTS - 10 * DAY + by)), TIER))


def test_a_copy_has_nobody_of_the_seats_of_its_source() -> None:
    made = copy(sold_out().offer)
    made.do(CopyOffer(COPY, OFFER, SPRING))
    assert (made.offer.seats_taken, made.left, made.offer.seats.waiting) == (0, 12, 0)


def test_a_cancelled_offer_and_a_bare_draft_can_be_copied() -> None:
    ended = on_sale()
    ended.do(CANCEL)
    bare = Sale()
    bare.do(CreateOffer(OFFER, WINDOWED))
    of_ended, of_bare = copy(ended.offer), copy(bare.offer)
    for made in (of_ended, of_bare):
        made.do(CopyOffer(COPY, OFFER, SPRING))
    assert (of_ended.offer.price_list, of_bare.offer.price_list) == (PRICES, None)
    assert of_bare.offer.definition.sales_window == WINDOWED.sales_window


def test_a_copy_needs_a_source_and_a_released_program() -> None:
    command = CopyOffer(COPY, OFFER, SPRING)
    assert copy(None).refusal(command).metadata["resource_name"] == str(OFFER)
    assert copy(draft().offer, program=RETIRED).refusal(command).reason == "PROGRAM_RETIRED"
    unknown = copy(draft().offer, program=None).refusal(command)
    assert (unknown.reason, unknown.metadata["program_id"]) == ("PROGRAM_NOT_RELEASED", str(PROGRAM))


def test_an_access_window_is_copied_to_sessions() -> None:
    source = on_sale(WINDOWED, SchedulePlan(access_window=Window(STARTS))).offer
    made = copy(source)
    made.do(CopyOffer(COPY, OFFER, SPRING))
    assert made.offer.definition.decision_deadline == STARTS - 7 * DAY + (SPRING_STARTS - STARTS)


@pytest.mark.parametrize("prices", [PRICES, PriceList((replace(TIER, validity=Window(NOW, STARTS)),))])
def test_what_would_be_moved_out_of_the_calendar_is_refused(prices: PriceList) -> None:
    far = SchedulePlan(access_window=Window(datetime(9999, 12, 31, tzinfo=UTC)))
    has_windows = prices is PRICES
    source = on_sale(WINDOWED if has_windows else DEFINITION, SchedulePlan(access_window=Window(NOW)), prices).offer
    found = copy(source).refusal(CopyOffer(COPY, OFFER, far))
    assert (found.reason, found.metadata) == ("SCHEDULE_INVALID", {"rule": "copy.dates"})


def test_open_windows_stay_open_however_far_a_copy_is() -> None:
    far = SchedulePlan(access_window=Window(datetime(9999, 12, 31, tzinfo=UTC)))
    made = copy(on_sale().offer)
    made.do(CopyOffer(COPY, OFFER, far))
    assert made.offer.definition.sales_window == ALWAYS
