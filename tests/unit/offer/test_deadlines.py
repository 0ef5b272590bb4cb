"""What time brings about: the decision deadline, completion, retirement."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from offer_svc.domain.availability import Capacity
from offer_svc.domain.changes import MinimumDecided, OfferCalledOff, OfferEnded
from offer_svc.domain.commands import (
    CancelForRetirement,
    CancelOffer,
    CompleteOffer,
    ConfirmReservation,
    DecideAtDeadline,
    ExpireReservation,
    PromoteWaiting,
    PublishOffer,
    ReleaseReservation,
    SetCapacity,
    UpdateOffer,
)
from offer_svc.domain.context import ProgramFacts
from offer_svc.domain.deadlines import due_commands, next_due
from offer_svc.domain.offer import OfferDefinition, State
from offer_svc.domain.reservation import ReservationState
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.seats import Seats
from offer_svc.domain.window import Window
from tests.unit.offer.sale import ENDS, HOUR, MINUTE, STARTS, Sale, draft, id_of, on_sale, sold_out
from tests.unit.offer.samples import IMPORT, NOW, OFFER, PLAN, PROGRAM, RELEASED, RETIRED

DEADLINE = NOW + HOUR
DUE = OfferDefinition(PROGRAM, Capacity(5, 12, 2), decision_deadline=DEADLINE)
TICK = timedelta(microseconds=1)
ANN, BEN = id_of("Ann"), id_of("Ben")
WITH_OFFERS = replace(RETIRED, cancel_offers=True)


def at_the_deadline(confirmed: int, *, cancels: bool = False) -> Sale:
    """Return an offer at its deadline, with two seats taken before, some confirmed, and five held."""
    sale = on_sale(replace(DUE, cancel_below_minimum=cancels))
    sale.confirm("Ann", confirmed)
    sale.now = DEADLINE
    sale.reserve("Ben", 5)
    return sale


def test_an_offer_below_its_minimum_at_the_deadline_is_at_risk() -> None:
    sale = at_the_deadline(2)
    assert sale.do(DecideAtDeadline(OFFER)) == (MinimumDecided(at_risk=True),)
    assert (sale.offer.state, sale.offer.at_risk, sale.offer.decide_time) == (State.PUBLISHED, True, DEADLINE)
    assert sale.do(DecideAtDeadline(OFFER)) == ()


def test_an_offer_that_reached_its_minimum_is_not_at_risk() -> None:
    sale = at_the_deadline(3, cancels=True)
    assert sale.do(DecideAtDeadline(OFFER)) == (MinimumDecided(at_risk=False),)
    assert (sale.offer.state, sale.offer.at_risk, sale.offer.decide_time) == (State.PUBLISHED, False, DEADLINE)


def test_an_offer_below_its_minimum_is_cancelled_if_it_says_so() -> None:
    sale = at_the_deadline(2, cancels=True)
    decided, off = sale.do(DecideAtDeadline(OFFER))
    assert isinstance(off, OfferCalledOff)
    assert (sale.offer.state, sale.offer.cancellation, decided) == (
        State.CANCELLED,
        off.cancellation,
        MinimumDecided(at_risk=True),
    )
    assert off.cancellation.reason == "The minimum was not reached by the decision deadline."
    assert off.cancellation.cancel_time == DEADLINE


def test_nothing_is_decided_before_the_deadline_or_without_one() -> None:
    sale = on_sale(DUE)
    sale.now = DEADLINE - TICK
    assert sale.do(DecideAtDeadline(OFFER)) == ()
    sale = on_sale()
    sale.now = ENDS
    assert sale.do(DecideAtDeadline(OFFER)) == ()


def test_an_offer_is_not_at_risk_any_more_once_its_minimum_is_reached_after_all() -> None:
    sale = at_the_deadline(2)
    sale.do(DecideAtDeadline(OFFER), ReleaseReservation(OFFER, ANN))
    assert sale.offer.at_risk
    sale.do(ConfirmReservation(OFFER, BEN))
    assert not sale.offer.at_risk


def test_a_lower_minimum_takes_the_risk_away() -> None:
    sale = at_the_deadline(2)
    sale.do(DecideAtDeadline(OFFER), SetCapacity(OFFER, 5, 20))
    assert sale.offer.at_risk
    sale.do(SetCapacity(OFFER, 4, 20))
    assert not sale.offer.at_risk


def test_an_offer_that_falls_below_its_minimum_after_the_deadline_is_at_risk_and_never_cancelled() -> None:
    sale = at_the_deadline(3, cancels=True)
    sale.do(DecideAtDeadline(OFFER))
    risks = [sale.offer.at_risk]
    sale.do(ReleaseReservation(OFFER, ANN))
    assert ([*risks, sale.offer.at_risk], sale.offer.state) == ([False, True], State.PUBLISHED)
    sale.do(ConfirmReservation(OFFER, BEN), SetCapacity(OFFER, 9, 12))
    assert sale.offer.at_risk
    assert sale.do(DecideAtDeadline(OFFER)) == ()


def test_nothing_is_at_risk_before_its_deadline() -> None:
    sale = on_sale(DUE)
    sale.do(SetCapacity(OFFER, 9, 12))
    assert not sale.offer.at_risk


@pytest.mark.parametrize("plan", [PLAN, SchedulePlan(access_window=Window(STARTS, ENDS))])
def test_a_run_that_has_begun_is_flagged_and_never_cancelled(plan: SchedulePlan) -> None:
    sale = on_sale(replace(DUE, cancel_below_minimum=True), plan)
    late = Sale(sale.offer, now=STARTS - TICK, context=sale.context)
    late.do(DecideAtDeadline(OFFER))
    assert late.offer.state is State.CANCELLED
    sale.now = STARTS
    assert sale.do(DecideAtDeadline(OFFER)) == (MinimumDecided(at_risk=True),)
    assert (sale.offer.state, sale.offer.at_risk) == (State.PUBLISHED, True)


def test_an_offer_that_is_over_is_completed_though_its_deadline_was_not_decided() -> None:
    sale = on_sale(replace(DUE, cancel_below_minimum=True))
    sale.now = ENDS
    assert sale.do(DecideAtDeadline(OFFER)) == ()
    assert due_commands(sale.offer, ENDS) == (CompleteOffer(OFFER),)
    sale.do(CompleteOffer(OFFER))
    assert (sale.offer.state, sale.offer.at_risk) == (State.COMPLETED, False)


def test_an_offer_without_a_schedule_is_decided_all_the_same() -> None:
    sale = on_sale(replace(DUE, cancel_below_minimum=True))
    sale.state = replace(sale.offer, schedule=None)
    sale.now = DEADLINE
    sale.do(DecideAtDeadline(OFFER))
    assert sale.offer.state is State.CANCELLED


@pytest.mark.parametrize("deadline", [NOW - TICK, NOW, ENDS + TICK])
def test_nothing_is_published_or_imported_with_a_deadline_that_is_not_ahead(deadline: datetime) -> None:
    definition = replace(DUE, decision_deadline=deadline)
    for found in (
        draft(definition).refusal(PublishOffer(OFFER)),
        Sale().refusal(replace(IMPORT, definition=definition)),
    ):
        assert found.reason == "OFFER_INCOMPLETE"
        assert [violation.rule for violation in found.violations] == ["decision_deadline.ahead"]


def test_an_import_is_repeated_though_its_deadline_has_passed_since() -> None:
    sale = Sale()
    sale.do(replace(IMPORT, definition=DUE))
    sale.now = ENDS
    assert sale.do(replace(IMPORT, definition=DUE)) == ()


def test_a_new_deadline_is_decided_anew() -> None:
    sale = at_the_deadline(2)
    sale.do(DecideAtDeadline(OFFER))
    sale.do(UpdateOffer(OFFER, replace(DUE, waitlist_limit=3), frozenset({"waitlist_limit"})))
    assert (sale.offer.at_risk, sale.offer.decide_time) == (True, DEADLINE)
    later = replace(DUE, decision_deadline=DEADLINE + HOUR)
    sale.do(UpdateOffer(OFFER, later, frozenset({"decision_deadline"})))
    assert (sale.offer.at_risk, sale.offer.decide_time) == (False, None)
    sale.now += HOUR
    assert sale.do(DecideAtDeadline(OFFER)) == (MinimumDecided(at_risk=True),)


def test_an_offer_is_completed_when_its_last_session_ends() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.now = ENDS - TICK
    assert sale.do(CompleteOffer(OFFER)) == ()
    sale.now = ENDS
    assert sale.do(CompleteOffer(OFFER)) == (OfferEnded(),)
    assert (sale.offer.state, sale.offer.complete_time) == (State.COMPLETED, ENDS)
    assert sale.do(CompleteOffer(OFFER)) == ()


def test_completion_ends_the_line_and_lets_holds_run_out() -> None:
    sale = sold_out()
    sale.join("Cem")
    sale.now = ENDS
    sale.do(CompleteOffer(OFFER))
    assert (sale.taken, sale.of("Cem").state) == ((4, 6, 0), ReservationState.RELEASED)
    assert sale.offer.seats.sold_per_tier == {"Standard": 10}
    sale.do(ExpireReservation(OFFER, BEN))
    assert (sale.taken, sale.offer.seats.sold_per_tier) == ((0, 6, 0), {"Standard": 6})
    assert sale.states("Ann", "Ben") == [ReservationState.CONFIRMED, ReservationState.EXPIRED]


def test_an_access_window_completes_at_its_end_and_an_open_one_never() -> None:
    sale = on_sale(plan=SchedulePlan(access_window=Window(NOW, DEADLINE)))
    sale.now = DEADLINE
    assert sale.do(CompleteOffer(OFFER)) == (OfferEnded(),)
    sale = on_sale(plan=SchedulePlan(access_window=Window(NOW)))
    sale.now = ENDS
    assert sale.do(CompleteOffer(OFFER)) == ()
    assert Sale(replace(sale.offer, schedule=None), now=ENDS).do(CompleteOffer(OFFER)) == ()


def test_completion_and_decisions_are_no_edits_of_a_manager() -> None:
    sale = at_the_deadline(2)
    defined = (sale.offer.definition_revision, sale.offer.definition_time)
    sale.do(DecideAtDeadline(OFFER))
    sale.now = ENDS
    sale.do(CompleteOffer(OFFER))
    assert (sale.offer.definition_revision, sale.offer.definition_time) == defined


def test_cancelling_releases_holds_and_cancels_confirmed_reservations_in_one_revision() -> None:
    sale = sold_out()
    sale.join("Cem")
    revision = sale.offer.revision
    sale.now += MINUTE
    sale.do(CancelOffer(OFFER, "ill"))
    assert (sale.offer.revision, sale.taken, sale.offer.seats.sold_per_tier) == (revision + 1, (0, 0, 0), {})
    released, cancelled = ReservationState.RELEASED, ReservationState.CANCELLED
    assert sale.states("Ann", "Ben", "Cem") == [cancelled, released, released]
    assert (sale.of("Ben").expire_time, sale.of("Ben").update_time) == (None, sale.now)
    assert sale.book.live_of("Ann") is None
    assert sale.offer.seats == Seats(next_wait_number=2)


def test_what_was_over_before_a_cancellation_stays_as_it_was() -> None:
    sale = sold_out()
    sale.do(ReleaseReservation(OFFER, BEN))
    before = sale.of("Ben")
    sale.now += MINUTE
    sale.do(CancelOffer(OFFER, "ill"))
    assert sale.of("Ben") == before


@pytest.mark.parametrize(
    "program",
    [None, RELEASED, RETIRED, replace(RELEASED, cancel_offers=True), replace(WITH_OFFERS, program_id=UUID(int=5))],
)
def test_published_offers_go_on_unless_the_retirement_cancels_them(program: ProgramFacts | None) -> None:
    sale = sold_out()
    sale.context = replace(sale.context, program=program)
    assert sale.do(CancelForRetirement(OFFER)) == ()


def test_a_retirement_that_cancels_offers_calls_them_off_once() -> None:
    sale = sold_out()
    sale.context = replace(sale.context, program=WITH_OFFERS)
    sale.do(CancelForRetirement(OFFER))
    assert (sale.offer.state, sale.taken) == (State.CANCELLED, (0, 0, 0))
    assert sale.offer.cancellation is not None
    assert sale.offer.cancellation.reason == "The program was retired, and its offers with it."
    assert sale.do(CancelForRetirement(OFFER)) == ()


def test_a_draft_of_a_retired_program_can_not_be_published_and_is_not_cancelled() -> None:
    sale = draft()
    sale.context = replace(sale.context, program=WITH_OFFERS)
    assert sale.refusal(PublishOffer(OFFER)).reason == "PROGRAM_RETIRED"
    assert sale.do(CancelForRetirement(OFFER)) == ()


def test_what_is_due_next_is_the_earliest_of_what_is_left_to_do() -> None:
    sale = on_sale(DUE)
    assert next_due(sale.offer) == DEADLINE
    sale.now = DEADLINE
    sale.do(DecideAtDeadline(OFFER))
    assert next_due(sale.offer) == ENDS
    pending = replace(sale.offer, seats=replace(sale.offer.seats, promotion_pending=True))
    assert next_due(pending) == pending.update_time
    sale.now = ENDS
    sale.do(CompleteOffer(OFFER))
    assert next_due(sale.offer) is None
    assert next_due(draft(DUE).offer) is None


def test_due_commands_come_in_their_order_and_leave_nothing_due() -> None:
    sale = sold_out(replace(DUE, decision_deadline=DEADLINE))
    sale.state = replace(sale.offer, seats=replace(sale.offer.seats, promotion_pending=True))
    assert due_commands(sale.offer, DEADLINE - TICK) == (PromoteWaiting(OFFER),)
    assert due_commands(sale.offer, DEADLINE) == (PromoteWaiting(OFFER), DecideAtDeadline(OFFER))
    due = due_commands(sale.offer, ENDS)
    assert due == (PromoteWaiting(OFFER), CompleteOffer(OFFER))
    sale.now = ENDS
    sale.do(*due)
    assert due_commands(sale.offer, ENDS) == ()
    assert due_commands(on_sale().offer, DEADLINE) == ()
