"""Availability: the waitlist and automatic promotion."""

from dataclasses import replace

import pytest

from chassis.refusal import InvalidField
from offer_svc.domain.availability import Capacity
from offer_svc.domain.changes import PromotionPending, WaitlistLeft
from offer_svc.domain.commands import (
    CloseSales,
    Command,
    ConfirmReservation,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    PromoteWaiting,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import Money, PriceList
from offer_svc.domain.reservation import Book, ReservationState
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.sale import DAY, ENDS, HOUR, MINUTE, STARTS, Sale, id_of, on_sale, sold_out
from tests.unit.offer.samples import DEFINITION, NOW, OFFER, PLAN, PROGRAM, TIER

ANN, BEN, CEM, DEA, EVA = map(id_of, ("Ann", "Ben", "Cem", "Dea", "Eva"))
WAITING, HELD, RELEASED = ReservationState.WAITING, ReservationState.HELD, ReservationState.RELEASED


def join(participant: str, seats: int = 1) -> JoinWaitlist:
    """Ask for a place in the line."""
    return JoinWaitlist(OFFER, id_of(participant), participant, seats, "EUR")


def test_who_waits_has_a_number_and_a_price_and_no_seat() -> None:
    sale = sold_out()
    entry = sale.join("Cem", 2)
    assert (entry.state, entry.wait_number, entry.expire_time, entry.hold_time) == (WAITING, 1, None, None)
    assert (entry.price.price, entry.create_time) == (TIER.price, NOW)
    assert sale.join("Dea").wait_number == 2
    assert (sale.taken, sale.left) == ((4, 6, 2), 0)


def test_nobody_waits_for_seats_that_are_free() -> None:
    sale = on_sale()
    found = sale.refusal(join("Ann", 10))
    assert (found.reason, found.metadata) == ("WAITLIST_NOT_NEEDED", {"left": "10", "wanted": "10"})
    sale.reserve("Ann", 9)
    assert sale.refusal(join("Ben")).reason == "WAITLIST_NOT_NEEDED"
    sale.join("Ben", 2)


def test_free_seats_are_for_those_who_wait_already() -> None:
    sale = on_sale()
    sale.reserve("Ann", 9)
    sale.join("Ben", 2)
    found = sale.refusal(ReserveSeats(OFFER, CEM, "Cem", 1, "EUR"))
    assert (found.reason, found.metadata) == ("NO_SEATS", {"left": "1", "wanted": "1", "waiting": "1"})
    sale.join("Cem")


def test_nobody_waits_for_more_seats_than_there_are() -> None:
    sale = sold_out()
    assert sale.refusal(join("Cem", 11)).reason == "NO_SEATS"
    sale.join("Cem", 10)


def test_a_waitlist_may_have_a_limit() -> None:
    sale = sold_out(replace(DEFINITION, waitlist_limit=2))
    sale.join("Cem")
    is_open = [sale.offer.waitlist_open]
    sale.join("Dea")
    assert [*is_open, sale.offer.waitlist_open] == [True, False]
    found = sale.refusal(join("Eva"))
    assert (found.reason, found.metadata) == ("WAITLIST_FULL", {"limit": "2"})


def test_an_offer_may_have_no_waitlist() -> None:
    sale = sold_out(replace(DEFINITION, waitlist_limit=0))
    assert sale.refusal(join("Cem")).reason == "NO_WAITLIST"
    assert not sale.offer.waitlist_open


def test_who_waits_has_no_second_reservation() -> None:
    sale = sold_out()
    sale.join("Cem")
    for command in (JoinWaitlist(OFFER, DEA, "Cem", 1, "EUR"), ReserveSeats(OFFER, DEA, "Cem", 1, "EUR")):
        assert sale.refusal(command).metadata == {"reservation_id": str(CEM), "state": "WAITING"}


def test_nobody_waits_for_what_is_not_on_sale() -> None:
    sale = sold_out()
    assert isinstance(sale.refusal(join("Cem", 0)), InvalidField)
    sale.do(CloseSales(OFFER))
    assert sale.refusal(join("Cem")).reason == "SALES_CLOSED"


@pytest.mark.parametrize("free", ["release", "confirmed released", "expire", "capacity"])
def test_whatever_frees_seats_promotes_in_the_same_revision(free: str) -> None:
    sale = sold_out()
    sale.join("Cem", 2)
    sale.now += 10 * MINUTE
    freeing: dict[str, Command] = {
        "release": ReleaseReservation(OFFER, BEN),
        "confirmed released": ReleaseReservation(OFFER, ANN),
        "expire": ExpireReservation(OFFER, BEN),
        "capacity": SetCapacity(OFFER, 4, 14),
    }
    revision = sale.offer.revision
    sale.do(freeing[free])
    assert sale.offer.revision == revision + 1
    promoted = sale.of("Cem")
    assert (promoted.state, promoted.hold_time, promoted.update_time) == (HELD, sale.now, sale.now)
    assert (promoted.expire_time, promoted.wait_number) == (sale.now + DAY, 1)
    assert (sale.offer.seats.waiting, sale.offer.seats.promotion_pending) == (0, False)
    assert sum(sale.offer.seats.sold_per_tier.values()) == sale.offer.seats.reserved


def test_promotion_is_first_come_first_served_and_a_head_that_does_not_fit_keeps_the_others_waiting() -> None:
    sale = sold_out()
    sale.join("Cem", 2)
    sale.join("Dea", 5)
    sale.join("Eva", 1)
    sale.do(ReleaseReservation(OFFER, BEN))
    assert sale.states("Cem", "Dea", "Eva") == [HELD, WAITING, WAITING]
    assert (sale.left, sale.offer.seats.promotion_pending) == (2, False)


def test_a_head_that_leaves_lets_those_behind_it_in() -> None:
    sale = sold_out()
    sale.join("Cem", 5)
    sale.join("Dea", 2)
    sale.do(ReleaseReservation(OFFER, BEN))
    assert sale.states("Cem", "Dea") == [WAITING, WAITING]
    sale.do(LeaveWaitlist(OFFER, CEM))
    assert sale.states("Cem", "Dea") == [RELEASED, HELD]
    assert (sale.taken, sale.left) == ((2, 6, 0), 2)


def shrunk() -> Sale:
    """Return an offer with six seats, two of them free, for which one waits who wants eight, before others."""
    sale = on_sale(OfferDefinition(PROGRAM, Capacity(0, 11, 1)))
    sale.confirm("Ann", 4)
    sale.reserve("Ben", 6)
    sale.join("Cem", 8)
    sale.join("Dea", 1)
    sale.do(ReleaseReservation(OFFER, BEN))
    return sale


def test_who_can_never_be_served_any_more_is_taken_off_the_list_in_their_turn() -> None:
    sale = shrunk()
    assert sale.states("Cem", "Dea") == [WAITING, WAITING]
    changes = sale.do(SetCapacity(OFFER, maximum=7))
    assert changes[1] == WaitlistLeft(sale.of("Cem"))
    assert sale.states("Cem", "Dea") == [RELEASED, HELD]
    assert (sale.offer.seats.waiting, sale.left) == (0, 1)
    sale.reserve("Eva")


def test_who_can_never_be_served_is_taken_off_a_full_offer_s_list_too() -> None:
    sale = shrunk()
    sale.do(SetCapacity(OFFER, maximum=5))
    assert (sale.states("Cem", "Dea"), sale.left) == ([RELEASED, WAITING], 0)
    assert not sale.offer.seats.promotion_pending


def test_who_waits_for_all_the_seats_there_are_waits_on() -> None:
    sale = shrunk()
    sale.do(SetCapacity(OFFER, maximum=9))
    assert sale.states("Cem", "Dea") == [WAITING, WAITING]


def test_taking_off_the_list_is_bounded_as_promotions_are() -> None:
    sale = on_sale(OfferDefinition(PROGRAM, Capacity(0, 9)))
    sale.context = replace(sale.context, rules=replace(sale.context.rules, most_promotions=2))
    sale.confirm("Ann", 2)
    sale.reserve("Ben", 7)
    for name in ("Cem", "Dea", "Eva"):
        sale.join(name, 9)
    sale.do(ReleaseReservation(OFFER, BEN), SetCapacity(OFFER, maximum=4))
    assert sale.states("Cem", "Dea", "Eva") == [RELEASED, RELEASED, WAITING]
    sale.do(PromoteWaiting(OFFER))
    assert (sale.of("Eva").state, sale.offer.seats.promotion_pending) == (RELEASED, False)
    sale.reserve("Eve", 2)


@pytest.mark.parametrize("plan", [PLAN, SchedulePlan(access_window=Window(NOW))])
def test_seats_are_given_to_those_who_wait_as_long_as_they_are_sold(plan: SchedulePlan) -> None:
    until = STARTS + DAY
    definition = replace(DEFINITION, sales_window=Window(end=until))
    sale = on_sale(definition, plan)
    sale.confirm("Ann", 6)
    sale.reserve("Ben", 4)
    sale.join("Cem")
    sale.join("Dea", 6)
    sale.now = STARTS + HOUR
    sale.do(ExpireReservation(OFFER, BEN))
    assert (sale.of("Cem").state, sale.of("Cem").expire_time) == (HELD, until)
    sale.now = until
    sale.do(ExpireReservation(OFFER, CEM))
    assert (sale.of("Dea").state, sale.left) == (WAITING, 4)


def test_other_times_of_sale_promote_those_who_waited_when_sales_ended() -> None:
    sale = sold_out(replace(DEFINITION, sales_window=Window(end=NOW + HOUR)))
    sale.join("Cem")
    sale.now += HOUR
    sale.do(ExpireReservation(OFFER, BEN))
    assert sale.of("Cem").state is WAITING
    longer = replace(DEFINITION, sales_window=Window(NOW + 2 * DAY, NOW + 9 * DAY))
    sale.do(UpdateOffer(OFFER, longer, frozenset({"sales_window"})))
    assert sale.of("Cem").state is HELD


def test_nobody_is_promoted_while_sales_are_closed_and_reopening_promotes() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.do(CloseSales(OFFER), ReleaseReservation(OFFER, BEN))
    assert (sale.of("Cem").state, sale.left, sale.offer.seats.promotion_pending) == (WAITING, 4, False)
    revision = sale.offer.revision
    sale.do(ReopenSales(OFFER))
    assert (sale.of("Cem").state, sale.offer.revision) == (HELD, revision + 1)


def test_a_promotion_near_the_end_of_sales_is_held_until_then() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.now = STARTS - HOUR
    sale.do(ReleaseReservation(OFFER, BEN))
    assert sale.of("Cem").expire_time == STARTS


def limited(code: str = "") -> Sale:
    """Return an offer sold out, with three early birds, for whose seats two wait at that price."""
    early = replace(TIER, name="Early bird", price=Money("EUR", TIER.price.amount / 2), quantity_limit=3, code=code)
    sale = on_sale(OfferDefinition(PROGRAM, Capacity(0, 8)), prices=PriceList((early, TIER)))
    reserve = [ReserveSeats(OFFER, id_of(name), name, 1, "EUR", code) for name in ("e1", "e2")]
    sale.do(*reserve, ReserveSeats(OFFER, BEN, "Ben", 6, "EUR"))
    for name in ("Cem", "Dea"):
        sale.do(JoinWaitlist(OFFER, id_of(name), name, 1, "EUR", code))
    assert [sale.of(name).price.tier for name in ("Cem", "Dea")] == ["Early bird", "Early bird"]
    return sale


@pytest.mark.parametrize("code", ["", "P-77"])
def test_the_line_buys_no_more_of_a_limited_tier_than_there_is(code: str) -> None:
    sale = limited(code)
    sale.do(ReleaseReservation(OFFER, BEN))
    assert [sale.of(name).price.tier for name in ("Cem", "Dea")] == ["Early bird", "Standard"]
    assert sale.offer.seats.sold_per_tier == {"Early bird": 3, "Standard": 1}


def test_the_seat_given_back_counts_for_who_gets_it() -> None:
    sale = limited()
    sale.do(ReleaseReservation(OFFER, id_of("e1")))
    sale.do(ReleaseReservation(OFFER, id_of("e2")))
    assert [sale.of(name).price.tier for name in ("Cem", "Dea")] == ["Early bird", "Early bird"]
    assert sale.offer.seats.sold_per_tier == {"Early bird": 2, "Standard": 6}


def test_who_waited_for_a_tier_by_code_may_have_another_seat_by_that_code() -> None:
    sale = limited("P-77")
    first, standard = replace(TIER, name="Early bird", quantity_limit=1, code="P-77"), TIER
    second = replace(TIER, name="Partner", price=Money("EUR", TIER.price.amount / 4), code="P-77")
    sale.do(SetPriceList(OFFER, PriceList((first, second, standard))), ReleaseReservation(OFFER, BEN))
    assert [sale.of(name).price.tier for name in ("Cem", "Dea")] == ["Partner", "Partner"]


def test_a_price_noted_stays_where_its_tier_is_no_more_or_no_list_is_there() -> None:
    sale = limited()
    listless = Sale(replace(sale.offer, price_list=None), sale.book, sale.now, sale.context)
    sale.do(SetPriceList(OFFER, PriceList((replace(TIER, name="New"),))))
    for each in (sale, listless):
        each.do(ReleaseReservation(OFFER, BEN))
        assert [each.of(name).price.tier for name in ("Cem", "Dea")] == ["Early bird", "Early bird"]


def test_who_leaves_the_line_keeps_nobody_from_joining_again() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.join("Dea")
    sale.do(LeaveWaitlist(OFFER, CEM), JoinWaitlist(OFFER, EVA, "Cem", 1, "EUR"))
    assert (sale.of("Eva").wait_number, sale.offer.seats.waiting) == (3, 2)
    sale.do(ReleaseReservation(OFFER, BEN))
    assert sale.states("Dea", "Eva") == [HELD, HELD]


def test_a_promotion_is_held_for_a_day_and_can_not_be_extended() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.do(ReleaseReservation(OFFER, BEN))
    assert sale.refusal(ExtendReservation(OFFER, CEM)).reason == "HOLD_LIMIT"
    sale.now += DAY
    assert sale.refusal(ConfirmReservation(OFFER, CEM)).reason == "HOLD_EXPIRED"
    sale.do(ExpireReservation(OFFER, CEM))
    assert sale.left == 4


def test_a_promotion_that_expires_promotes_the_next() -> None:
    sale = sold_out()
    sale.join("Cem", 4)
    sale.join("Dea", 4)
    sale.do(ReleaseReservation(OFFER, BEN))
    sale.now += DAY
    sale.do(ExpireReservation(OFFER, CEM), ConfirmReservation(OFFER, DEA))
    assert sale.taken == (0, 10, 0)


def test_the_price_noted_at_joining_is_kept_at_promotion() -> None:
    sale = sold_out()
    sale.join("Cem")
    dearer = PriceList((replace(TIER, price=Money("EUR", TIER.price.amount * 2), quantity_limit=1),))
    sale.do(SetPriceList(OFFER, dearer), ReleaseReservation(OFFER, BEN))
    assert sale.of("Cem").price.price == TIER.price


def test_who_waits_while_every_tier_is_sold_gets_the_price_of_the_last() -> None:
    first, last = replace(TIER, name="Early bird", quantity_limit=4), replace(TIER, quantity_limit=6)
    sale = on_sale(prices=PriceList((first, last, replace(TIER, name="Later", validity=Window(STARTS)))))
    sale.reserve("Ann", 4)
    sale.reserve("Ben", 6)
    assert (sale.of("Ann").price.tier, sale.of("Ben").price.tier) == ("Early bird", "Standard")
    assert sale.join("Cem").price.tier == "Standard"
    assert sale.refusal(replace(join("Dea"), currency="USD")).reason == "NO_PRICE"


def test_who_waits_pays_what_is_left_of_a_tier() -> None:
    first = replace(TIER, name="Early bird", quantity_limit=11)
    sale = on_sale(prices=PriceList((first, TIER)))
    sale.reserve("Ann", 10)
    assert sale.join("Cem").price.tier == "Early bird"
    assert sale.join("Dea", 2).price.tier == "Standard"


def test_nobody_waits_without_a_price_list() -> None:
    sale = sold_out()
    sale.state = replace(sale.offer, price_list=None)
    assert sale.refusal(join("Cem")).reason == "NO_PRICE"


@pytest.mark.parametrize(("plan", "begin"), [(None, STARTS), (SchedulePlan(access_window=Window(NOW, ENDS)), ENDS)])
def test_nobody_is_promoted_once_the_offer_has_begun(plan: SchedulePlan | None, begin: object) -> None:
    sale = sold_out()
    sale.join("Cem")
    if plan is not None:
        sale.do(RescheduleOffer(OFFER, plan))
    sale.now = begin  # type: ignore[assignment] # a table of times
    sale.do(ExpireReservation(OFFER, BEN))
    assert (sale.of("Cem").state, sale.left, sale.offer.seats.promotion_pending) == (WAITING, 4, False)


def test_other_dates_promote_those_who_waited_for_an_offer_that_had_begun() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.now = STARTS
    sale.do(ExpireReservation(OFFER, BEN), RescheduleOffer(OFFER, SchedulePlan(access_window=Window(STARTS))))
    assert sale.of("Cem").state is HELD


def line(length: int, most: int) -> Sale:
    """Return a sold out offer for whose seats so many wait, of whom at most some are promoted in a revision."""
    sale = on_sale(OfferDefinition(PROGRAM, Capacity(0, length)))
    sale.context = replace(sale.context, rules=replace(sale.context.rules, most_promotions=most))
    sale.reserve("Ann", length)
    for number in range(length):
        sale.join(f"w{number}")
    return sale


def test_a_revision_promotes_a_limited_number_and_leaves_the_rest_to_the_timekeeper() -> None:
    sale = line(5, most=2)
    assert sale.do(ReleaseReservation(OFFER, ANN))[-1] == PromotionPending(pending=True)
    assert sale.taken == (2, 0, 3)
    assert sale.refusal(ReserveSeats(OFFER, BEN, "Ben", 1, "EUR")).reason == "NO_SEATS"
    assert len(sale.do(PromoteWaiting(OFFER))) == 2  # pending as before
    assert sale.do(PromoteWaiting(OFFER))[-1] == PromotionPending(pending=False)
    assert (sale.taken, sale.left) == ((5, 0, 0), 0)
    assert sale.do(PromoteWaiting(OFFER)) == ()


def test_nothing_stays_pending_once_the_offer_has_begun_or_the_line_is_empty() -> None:
    sale = line(3, most=2)
    sale.do(ReleaseReservation(OFFER, ANN))
    begun = Sale(sale.state, sale.book, STARTS, sale.context)
    assert begun.do(PromoteWaiting(OFFER)) == (PromotionPending(pending=False),)
    assert sale.do(LeaveWaitlist(OFFER, id_of("w2")))[1:] == (PromotionPending(pending=False),)


def test_who_was_not_loaded_is_promoted_later_and_never_overtaken() -> None:
    sale = line(4, most=9)
    entries = [sale.of(f"w{number}") for number in range(4)]
    sale.book = Book.of([sale.of("Ann")], waiting=entries[:1], has_more_waiting=True)
    sale.do(LeaveWaitlist(OFFER, id_of("w0")), join("late"))
    sale.do(ReleaseReservation(OFFER, ANN))
    assert (sale.of("late").state, sale.offer.seats.promotion_pending) == (WAITING, True)
    sale.book = Book.of([], waiting=[*entries[1:], sale.of("late")])
    sale.do(PromoteWaiting(OFFER))
    assert sale.states("w1", "w2", "w3", "late") == [HELD] * 4
    assert (sale.left, sale.offer.seats.promotion_pending) == (0, False)
