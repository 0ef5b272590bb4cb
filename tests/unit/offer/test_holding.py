"""Availability: reserving, extending, confirming and releasing seats."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from chassis.refusal import InvalidField
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CloseSales,
    ConfirmReservation,
    ExpireReservation,
    ExtendReservation,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
)
from offer_svc.domain.pricing import Money
from offer_svc.domain.reservation import ReservationState
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.sale import DAY, ENDS, HOUR, MINUTE, STARTS, Sale, id_of, on_sale, sold_out
from tests.unit.offer.samples import CONTEXT, DEFINITION, NOW, OFFER, PLAN, TIER, single

ANN, BEN = id_of("Ann"), id_of("Ben")
TICK = timedelta(microseconds=1)


def reserve(participant: str, seats: int = 1) -> ReserveSeats:
    """Ask for seats."""
    return ReserveSeats(OFFER, id_of(participant), participant, seats, "EUR")


def test_a_reservation_is_a_hold_that_expires_after_ten_minutes() -> None:
    sale = on_sale()
    hold = sale.reserve("Ann", 3)
    assert (hold.state, hold.seats, hold.participant) == (ReservationState.HELD, 3, "Ann")
    assert hold.create_time == hold.update_time == hold.hold_time == NOW
    assert hold.expire_time == NOW + 10 * MINUTE
    assert hold.price.price == TIER.price
    assert (sale.taken, sale.left) == ((3, 0, 0), 7)
    assert sale.offer.seats.sold_per_tier == {"Standard": 3}


def test_an_offer_is_never_oversold() -> None:
    sale = on_sale()
    sale.reserve("Ann", 9)
    found = sale.refusal(reserve("Ben", 2))
    assert (found.reason, found.metadata) == ("NO_SEATS", {"left": "1", "wanted": "2", "waiting": "0"})
    sale.reserve("Ben", 1)
    assert (sale.left, sale.offer.seats_taken) == (0, 12)
    assert sale.refusal(reserve("Cem")).reason == "NO_SEATS"


def test_the_opening_balance_takes_seats_without_names() -> None:
    sale = on_sale(replace(DEFINITION, capacity=Capacity(0, 5, 5)))
    assert sale.refusal(reserve("Ann")).metadata["left"] == "0"


def test_a_participant_has_at_most_one_live_reservation_per_offer() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    second = ReserveSeats(OFFER, BEN, "Ann", 1, "EUR")
    found = sale.refusal(second)
    assert (found.reason, found.metadata) == ("ALREADY_RESERVED", {"reservation_id": str(ANN), "state": "HELD"})
    sale.do(ConfirmReservation(OFFER, ANN))
    assert sale.refusal(second).metadata["state"] == "CONFIRMED"
    sale.do(ReleaseReservation(OFFER, ANN), second)
    assert sale.states("Ann", "Ben") == [ReservationState.RELEASED, ReservationState.HELD]


def test_an_id_of_a_reservation_is_used_once() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    sale.do(ReleaseReservation(OFFER, ANN))
    found = sale.refusal(ReserveSeats(OFFER, ANN, "Ben", 1, "EUR"))
    assert (found.reason, found.metadata["resource_name"]) == ("RESOURCE_EXISTS", str(ANN))


def test_no_seats_at_all_can_not_be_reserved() -> None:
    assert isinstance(on_sale().refusal(reserve("Ann", 0)), InvalidField)


def test_a_hold_is_extended_from_now_by_ten_minutes() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    sale.now += 9 * MINUTE
    sale.do(ExtendReservation(OFFER, ANN))
    assert sale.of("Ann").expire_time == NOW + 19 * MINUTE
    assert (sale.of("Ann").hold_time, sale.of("Ann").update_time) == (NOW, NOW + 9 * MINUTE)
    assert sale.taken == (1, 0, 0)


def test_a_hold_that_is_as_long_already_is_left_as_it_is() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    assert sale.do(ExtendReservation(OFFER, ANN)) == ()


def test_a_hold_lasts_at_most_an_hour() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    for _ in range(6):
        sale.now += 9 * MINUTE
        sale.do(ExtendReservation(OFFER, ANN))
    assert sale.of("Ann").expire_time == NOW + HOUR
    found = sale.refusal(ExtendReservation(OFFER, ANN))
    assert (found.reason, found.metadata) == ("HOLD_LIMIT", {"expire_time": "2027-01-10T13:00:00Z"})


def test_a_hold_is_confirmed_before_it_expires() -> None:
    sale = on_sale()
    sale.reserve("Ann", 2)
    sale.now += 10 * MINUTE - TICK
    sale.do(ConfirmReservation(OFFER, ANN))
    assert (sale.of("Ann").state, sale.of("Ann").expire_time) == (ReservationState.CONFIRMED, None)
    assert (sale.of("Ann").confirm_time, sale.of("Ann").update_time) == (sale.now, sale.now)
    assert (sale.taken, sale.offer.seats.sold_per_tier) == ((0, 2, 0), {"Standard": 2})


@pytest.mark.parametrize("command", [ConfirmReservation(OFFER, ANN), ExtendReservation(OFFER, ANN)])
def test_an_expired_hold_is_refused_before_its_timer_fires_and_after(
    command: ConfirmReservation | ExtendReservation,
) -> None:
    sale = on_sale()
    sale.reserve("Ann")
    sale.now += 10 * MINUTE
    before = sale.refusal(command)
    sale.do(ExpireReservation(OFFER, ANN))
    sale.now -= 5 * MINUTE  # not even a clock that goes back makes it live again
    for found in (before, sale.refusal(command)):
        assert (found.reason, found.metadata) == ("HOLD_EXPIRED", {"expire_time": "2027-01-10T12:10:00Z"})


def test_a_seat_is_freed_by_a_revision_only() -> None:
    sale = on_sale()
    sale.reserve("Ann", 10)
    sale.now += HOUR
    assert sale.refusal(reserve("Ben")).reason == "NO_SEATS"
    assert sale.refusal(ReserveSeats(OFFER, BEN, "Ann", 1, "EUR")).reason == "ALREADY_RESERVED"
    sale.do(ExpireReservation(OFFER, ANN))
    assert (sale.taken, sale.offer.seats.sold_per_tier) == ((0, 0, 0), {})
    assert (sale.of("Ann").state, sale.of("Ann").update_time) == (ReservationState.EXPIRED, sale.now)
    sale.reserve("Ben")


def test_a_hold_that_runs_or_is_over_does_not_expire() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    sale.now += 10 * MINUTE - TICK
    assert sale.do(ExpireReservation(OFFER, ANN)) == ()
    assert sale.do(ExpireReservation(OFFER, BEN)) == ()
    sale.do(ConfirmReservation(OFFER, ANN))
    sale.now += HOUR
    assert sale.do(ExpireReservation(OFFER, ANN)) == ()


def test_released_seats_are_free_again() -> None:
    sale = on_sale()
    sale.confirm("Ann", 4)
    sale.reserve("Ben", 3)
    sale.now += MINUTE
    sale.do(ReleaseReservation(OFFER, ANN), ReleaseReservation(OFFER, BEN))
    assert (sale.taken, sale.left, sale.offer.seats.sold_per_tier) == ((0, 0, 0), 10, {})
    assert (sale.of("Ben").expire_time, sale.of("Ben").update_time) == (None, sale.now)


def test_confirmed_seats_are_given_back_until_the_offer_begins() -> None:
    sale = on_sale()
    sale.confirm("Ann")
    sale.now = STARTS
    found = sale.refusal(ReleaseReservation(OFFER, ANN))
    assert (found.reason, found.metadata) == ("TOO_LATE_TO_LEAVE", {"start": "2027-03-02T15:00:00Z", "leave_until": ""})
    sale.now -= TICK
    assert sale.do(ReleaseReservation(OFFER, ANN))


@pytest.mark.parametrize(("end", "until"), [(ENDS, ENDS), (None, None)])
def test_self_paced_seats_are_given_back_until_the_access_window_ends(
    end: datetime | None, until: datetime | None
) -> None:
    sale = on_sale(plan=SchedulePlan(access_window=Window(NOW - DAY, end)))
    sale.confirm("Ann")
    sale.confirm("Ben")
    sale.now = ENDS - TICK
    assert sale.do(ReleaseReservation(OFFER, ANN))
    sale.now = ENDS
    assert sale.outcome(ReleaseReservation(OFFER, BEN)) == ("done" if until is None else "TOO_LATE_TO_LEAVE")


def test_no_hold_outlives_the_sale() -> None:
    sale = on_sale()
    sale.now = STARTS - 15 * MINUTE
    sale.reserve("Ann")
    assert sale.of("Ann").expire_time == STARTS - 5 * MINUTE
    sale.now = STARTS - 6 * MINUTE
    sale.do(ExtendReservation(OFFER, ANN))
    assert sale.reserve("Ben").expire_time == sale.of("Ann").expire_time == STARTS
    assert sale.refusal(ExtendReservation(OFFER, ANN)).reason == "HOLD_LIMIT"


def test_a_hold_is_given_back_at_any_time() -> None:
    sale = on_sale(replace(DEFINITION, sales_window=Window(end=ENDS)))
    sale.now = STARTS
    sale.reserve("Ann")
    assert sale.do(ReleaseReservation(OFFER, ANN))


def test_a_rescheduled_offer_may_be_left_for_fourteen_days_even_if_it_has_begun() -> None:
    sale = on_sale()
    sale.confirm("Ann")
    begun = (single("2027-01-09T13:00", "2027-01-09T14:00"), single("2027-03-09T13:00", "2027-03-09T14:00"))
    sale.do(RescheduleOffer(OFFER, SchedulePlan(sessions=begun)))
    sale.now += 14 * DAY
    found = sale.refusal(ReleaseReservation(OFFER, ANN))
    assert (found.reason, found.metadata["leave_until"]) == ("TOO_LATE_TO_LEAVE", "2027-01-24T12:00:00Z")
    sale.now -= TICK
    assert sale.do(ReleaseReservation(OFFER, ANN))


def test_seats_are_sold_within_the_sales_window_which_is_half_open() -> None:
    window = Window(NOW + HOUR, NOW + 2 * HOUR)
    sale = on_sale(replace(DEFINITION, sales_window=window))
    bounds = {"closed": "false", "from": "2027-01-10T13:00:00Z", "until": "2027-01-10T14:00:00Z"}
    for instant in (NOW + HOUR - TICK, NOW + 2 * HOUR):
        sale.now = instant
        found = sale.refusal(reserve("Ann"))
        assert (found.reason, found.metadata) == ("SALES_CLOSED", bounds)
    for instant, participant in ((NOW + HOUR, "Ann"), (NOW + 2 * HOUR - TICK, "Ben")):
        sale.now = instant
        sale.reserve(participant)


@pytest.mark.parametrize(
    ("plan", "end", "until"),
    [
        pytest.param(PLAN, None, STARTS, id="sessions until the first starts"),
        pytest.param(PLAN, STARTS + DAY, STARTS + DAY, id="sessions as long as the window says"),
        pytest.param(PLAN, ENDS + DAY, ENDS, id="but not after the last"),
        pytest.param(SchedulePlan(access_window=Window(NOW, ENDS)), None, ENDS, id="access until it ends"),
        pytest.param(SchedulePlan(access_window=Window(NOW)), ENDS, ENDS, id="open access as the window says"),
    ],
)
def test_sales_end_with_their_window_or_with_the_offer(plan: SchedulePlan, end: object, until: object) -> None:
    sale = on_sale(replace(DEFINITION, sales_window=Window(None, end)), plan)  # type: ignore[arg-type] # a table of times
    sale.now = until  # type: ignore[assignment] # a table of times
    assert sale.refusal(reserve("Ann")).reason == "SALES_CLOSED"
    sale.now -= TICK
    sale.reserve("Ann")


def test_open_access_is_sold_for_ever() -> None:
    sale = on_sale(plan=SchedulePlan(access_window=Window(NOW)))
    sale.now += 10_000 * DAY
    sale.reserve("Ann")


def test_sales_are_closed_and_reopened_by_hand() -> None:
    sale = on_sale()
    sale.do(CloseSales(OFFER))
    found = sale.refusal(reserve("Ann"))
    assert found.metadata == {"closed": "true", "from": "", "until": "2027-03-02T15:00:00Z"}
    assert sale.do(CloseSales(OFFER)) == ()
    sale.do(ReopenSales(OFFER))
    assert sale.do(ReopenSales(OFFER)) == ()
    sale.reserve("Ann")


def test_what_is_held_can_be_confirmed_though_sales_are_closed() -> None:
    sale = on_sale()
    sale.reserve("Ann")
    sale.do(CloseSales(OFFER), ConfirmReservation(OFFER, ANN))
    assert sale.taken == (0, 1, 0)


def test_a_reservation_of_another_offer_is_none_of_this_one() -> None:
    sale = sold_out()
    sale.book = sale.book.with_all([replace(sale.of("Ben"), offer_id=UUID(int=9))])
    found = sale.refusal(ConfirmReservation(OFFER, BEN))
    assert (found.reason, found.metadata["resource_type"]) == ("RESOURCE_NOT_FOUND", "training.offer.v1.Reservation")
    assert sale.refusal(ConfirmReservation(OFFER, id_of("Cem"))).reason == "RESOURCE_NOT_FOUND"


def test_reservations_leave_the_definition_as_it_is() -> None:
    sale = on_sale()
    defined = (sale.offer.definition_revision, sale.offer.definition_time)
    sale.now += MINUTE
    sale.confirm("Ann")
    sale.do(ReleaseReservation(OFFER, ANN))
    sale.reserve("Ben")
    sale.now += HOUR
    sale.do(ExpireReservation(OFFER, BEN))
    assert (sale.offer.definition_revision, sale.offer.definition_time) == defined
    assert (sale.offer.revision, sale.offer.update_time) == (defined[0] + 5, sale.now)


def test_a_published_offer_without_a_schedule_or_prices_sells_nothing_by_mistake() -> None:
    bare = replace(on_sale().offer, schedule=None, price_list=None)
    assert Sale(bare, context=CONTEXT).refusal(reserve("Ann")).reason == "NO_PRICE"


def test_a_price_in_another_currency_is_no_price() -> None:
    sale = on_sale()
    found = sale.refusal(replace(reserve("Ann"), currency="USD"))
    assert (found.reason, found.metadata) == ("NO_PRICE", {"currency": "USD"})
    assert sale.reserve("Ann").price.price == Money("EUR", TIER.price.amount)
