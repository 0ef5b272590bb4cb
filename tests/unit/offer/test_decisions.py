"""What commands decide beyond the states: programs, completeness, repetition."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.refusal import Refusal, ResourceExists
from offer_svc.domain.availability import Capacity
from offer_svc.domain.changes import (
    OfferCalledOff,
    OfferCreated,
    OfferMadePublic,
    PriceListSet,
    SessionsScheduled,
)
from offer_svc.domain.commands import Command, CreateOffer, ImportOffer, ScheduleSessions, SetPriceList
from offer_svc.domain.context import ProgramFacts, ProgramState
from offer_svc.domain.decide import decide
from offer_svc.domain.errors import (
    CapacityInvalid,
    DoubleBooking,
    OfferIncomplete,
    OfferRefusal,
    PriceListInvalid,
    ProgramNotReleased,
    ProgramRetired,
    ScheduleInvalid,
    SessionsOverlap,
)
from offer_svc.domain.offer import Cancellation, Offer, OfferDefinition, State
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import BookingMode, SchedulePlan
from offer_svc.domain.scheduling import expand
from offer_svc.domain.window import Window
from tests.unit.offer.samples import (
    BOUNDS,
    CANCEL,
    CONTEXT,
    CREATE,
    DEFINITION,
    IMPORT,
    NOW,
    OFFER,
    PLAN,
    PRICE,
    PRICES,
    PROGRAM,
    PUBLISH,
    RETIRED,
    SCHEDULE,
    TIER,
    WEEKLY,
    after,
    in_state,
)

NEEDS_A_PROGRAM: list[tuple[Command, State | None]] = [
    (CREATE, None),
    (IMPORT, None),
    (PUBLISH, State.DRAFT),
]
ENDED = SchedulePlan(access_window=Window(NOW - timedelta(days=9), NOW))


def refusal(command: Command, state: Offer | None = None, program: ProgramFacts | None = CONTEXT.program) -> Refusal:
    """Return the refusal of a command."""
    with pytest.raises(Refusal) as caught:
        decide(state, command, replace(CONTEXT, program=program))
    return caught.value


@pytest.mark.parametrize(("command", "state"), NEEDS_A_PROGRAM)
def test_an_offer_is_only_for_a_program_known_as_released(command: Command, state: State | None) -> None:
    offer = None if state is None else in_state(state)
    other = ProgramFacts(UUID(int=7), ProgramState.RELEASED, 1)
    for program in (None, other):
        found = refusal(command, offer, program)
        assert isinstance(found, ProgramNotReleased)
        assert found.metadata == {"program_id": str(PROGRAM), "state": "UNKNOWN"}


def test_a_state_of_a_program_without_a_name_here_is_not_released() -> None:
    unknown = ProgramFacts(PROGRAM, ProgramState(99), 1)
    assert unknown.state is ProgramState.UNKNOWN
    assert isinstance(refusal(CREATE, program=unknown), ProgramNotReleased)
    with pytest.raises(ValueError, match="valid ProgramState"):
        ProgramState("released")  # type: ignore[arg-type] # no number at all


@pytest.mark.parametrize(("command", "state"), NEEDS_A_PROGRAM)
def test_a_retired_program_gets_no_more_offers(command: Command, state: State | None) -> None:
    found = refusal(command, None if state is None else in_state(state), RETIRED)
    assert isinstance(found, ProgramRetired)
    assert found.metadata == {"program_id": str(PROGRAM)}


@pytest.mark.parametrize("program", [None, RETIRED])
def test_other_commands_do_not_ask_for_the_program(program: ProgramFacts | None) -> None:
    context = replace(CONTEXT, program=program)
    assert decide(after(CREATE), SCHEDULE, context)
    assert decide(after(CREATE), PRICE, context)
    assert decide(in_state(State.PUBLISHED), CANCEL, context)


def test_creating_makes_a_draft_of_the_definition() -> None:
    assert decide(None, CREATE, CONTEXT) == (OfferCreated(OFFER, DEFINITION),)


def test_a_draft_may_lack_seats_but_not_contradict_itself() -> None:
    assert decide(None, CreateOffer(OFFER, OfferDefinition(PROGRAM)), CONTEXT)
    contradiction = OfferDefinition(PROGRAM, Capacity(5, 4))
    assert isinstance(refusal(CreateOffer(OFFER, contradiction)), CapacityInvalid)


def test_scheduling_sets_the_expanded_plan() -> None:
    warned = ScheduleSessions(OFFER, replace(PLAN, booking_mode=BookingMode.WARN))
    expected = SessionsScheduled(expand(PLAN, BOUNDS), BookingMode.WARN)
    assert decide(after(CREATE), warned, CONTEXT) == (expected,)


def test_scheduling_the_same_again_changes_nothing() -> None:
    assert decide(after(CREATE, SCHEDULE), SCHEDULE, CONTEXT) == ()


def test_what_clashes_do_is_part_of_the_schedule() -> None:
    warned = ScheduleSessions(OFFER, replace(PLAN, booking_mode=BookingMode.WARN))
    changes = decide(after(CREATE, SCHEDULE), warned, CONTEXT)
    assert changes == (SessionsScheduled(expand(PLAN, BOUNDS), BookingMode.WARN),)
    assert after(CREATE, SCHEDULE, warned).booking_mode is BookingMode.WARN
    assert after(CREATE).booking_mode is None


def test_pricing_sets_the_list() -> None:
    assert decide(after(CREATE), PRICE, CONTEXT) == (PriceListSet(PRICES),)


@pytest.mark.parametrize("state", [State.DRAFT, State.PUBLISHED])
def test_pricing_the_same_again_changes_nothing(state: State) -> None:
    assert decide(in_state(state), PRICE, CONTEXT) == ()


def test_an_invalid_command_is_told_before_the_state_it_meets() -> None:
    cancelled = in_state(State.CANCELLED)
    assert isinstance(refusal(SetPriceList(OFFER, PriceList(())), cancelled), PriceListInvalid)
    assert isinstance(refusal(ScheduleSessions(OFFER, SchedulePlan()), cancelled), ScheduleInvalid)


def test_publishing_makes_a_complete_draft_public() -> None:
    assert decide(in_state(State.DRAFT), PUBLISH, CONTEXT) == (OfferMadePublic(),)


def test_publishing_names_everything_that_is_missing_together() -> None:
    bare = after(CreateOffer(OFFER, OfferDefinition(PROGRAM)))
    found = refusal(PUBLISH, bare)
    assert isinstance(found, OfferIncomplete)
    assert [(v.field, v.rule, v.found) for v in found.violations] == [
        ("schedule", "schedule", "none"),
        ("capacity.maximum", "capacity.seats", "0"),
        ("price_list", "price_list", "none"),
    ]


def test_publishing_needs_something_ahead() -> None:
    over = after(CREATE, ScheduleSessions(OFFER, ENDED), PRICE)
    assert [violation.rule for violation in refusal(PUBLISH, over).violations] == ["schedule.ahead"]
    last = expand(PLAN, BOUNDS).end_time
    assert last is not None
    at_the_end = replace(CONTEXT, now=last)
    with pytest.raises(OfferIncomplete):
        decide(in_state(State.DRAFT), PUBLISH, at_the_end)
    assert decide(in_state(State.DRAFT), PUBLISH, replace(at_the_end, now=last - timedelta(microseconds=1)))


def test_an_open_ended_access_window_is_always_ahead() -> None:
    open_ended = SchedulePlan(access_window=Window(NOW - timedelta(days=9000)))
    assert decide(after(CREATE, ScheduleSessions(OFFER, open_ended), PRICE), PUBLISH, CONTEXT)


def test_zero_is_a_price() -> None:
    free = PriceList((replace(TIER, price=replace(TIER.price, amount=TIER.price.amount * 0)),))
    assert decide(after(CREATE, SCHEDULE, SetPriceList(OFFER, free)), PUBLISH, CONTEXT)


def test_cancelling_keeps_the_reason_and_the_time() -> None:
    expected = OfferCalledOff(Cancellation("too few people", NOW))
    assert decide(in_state(State.PUBLISHED), CANCEL, CONTEXT) == (expected,)


def test_importing_creates_schedules_prices_and_publishes_at_once() -> None:
    assert decide(None, IMPORT, CONTEXT) == (
        OfferCreated(OFFER, DEFINITION),
        SessionsScheduled(expand(PLAN, BOUNDS), BookingMode.FORBID),
        PriceListSet(PRICES),
        OfferMadePublic(),
    )


@pytest.mark.parametrize("commands", [(IMPORT,), (CREATE, SCHEDULE, PRICE, PUBLISH), (IMPORT, CANCEL)])
def test_importing_what_is_public_already_changes_nothing(commands: tuple[Command, ...]) -> None:
    later = replace(CONTEXT, program=None, now=datetime(2040, 1, 1, tzinfo=UTC))
    assert decide(after(*commands), IMPORT, later) == ()


@pytest.mark.parametrize(
    "row",
    [
        replace(IMPORT, definition=replace(DEFINITION, language_codes=("en",))),
        replace(IMPORT, plan=SchedulePlan(weekly_rules=(replace(WEEKLY, days=WEEKLY.days[:1]),))),
        replace(IMPORT, plan=replace(PLAN, booking_mode=BookingMode.WARN)),
        replace(IMPORT, price_list=PriceList((replace(TIER, name="Other"),))),
    ],
)
def test_importing_something_else_under_a_known_id_is_refused(row: ImportOffer) -> None:
    found = refusal(row, after(IMPORT))
    assert isinstance(found, ResourceExists)
    assert found.metadata == {"resource_type": "training.offer.v1.Offer", "resource_name": str(OFFER)}


def test_importing_over_a_draft_is_refused_even_if_it_is_the_same() -> None:
    assert isinstance(refusal(IMPORT, in_state(State.DRAFT)), ResourceExists)


def test_an_import_without_seats_is_refused_by_its_capacity() -> None:
    found = refusal(replace(IMPORT, definition=OfferDefinition(PROGRAM)))
    assert isinstance(found, CapacityInvalid)
    assert found.metadata == {"rule": "capacity.seats"}


def test_an_import_whose_meetings_overlap_is_refused() -> None:
    twice = SchedulePlan(weekly_rules=(WEEKLY, WEEKLY))
    assert isinstance(refusal(replace(IMPORT, plan=twice)), SessionsOverlap)


def test_an_import_of_the_past_is_refused() -> None:
    found = refusal(replace(IMPORT, plan=ENDED))
    assert isinstance(found, OfferIncomplete)
    assert [violation.rule for violation in found.violations] == ["schedule.ahead"]


def test_an_import_with_a_bad_price_list_is_refused() -> None:
    assert isinstance(refusal(replace(IMPORT, price_list=PriceList(()))), PriceListInvalid)


def test_a_double_booking_names_what_is_booked_and_when() -> None:
    found = DoubleBooking("trainer:t-1", NOW, NOW + timedelta(hours=1))
    assert isinstance(found, OfferRefusal)
    assert found.metadata == {
        "resource": "trainer:t-1",
        "start": "2027-01-10T12:00:00Z",
        "end": "2027-01-10T13:00:00Z",
    }
