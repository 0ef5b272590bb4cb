from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from chassis.refusal import Violation
from program_svc.domain.changes import (
    ReleaseFailed,
    ReleaseScheduled,
    ReleaseUnscheduled,
    RetirementScheduled,
    VersionReleased,
)
from program_svc.domain.commands import (
    CancelScheduledRelease,
    FireRelease,
    FireRetirement,
    ReleaseProgram,
    WaiverRequest,
)
from program_svc.domain.content import ProgramContent
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.due import next_due
from program_svc.domain.errors import ProgramState, ReleaseGateClosed, ReleaseTimePast
from program_svc.domain.evolve import apply
from program_svc.domain.gate_rules import GateRules, Length
from program_svc.domain.program import Program, ReleaseFailure, Retirement, State, Waiver
from tests.unit.program.samples import (
    COMPLETE,
    LATER,
    NOW,
    PROGRAM_ID,
    carry_out,
    context,
    in_work,
    live,
    program,
    revised,
)

HOUR = 3600
SOON = timedelta(microseconds=1)
UNPLANNED = replace(COMPLETE, plan="Soon.")
PILOT = WaiverRequest(("plan.length", "plan.steps"), "a pilot")
PILOTED = (Waiver(PILOT.rules, "a pilot", "paul"),)
STRICTER = Rules(gate=GateRules(title=Length(100)))


def scheduled(content: ProgramContent = COMPLETE, waiver: WaiverRequest | None = None) -> Program:
    after = carry_out(program(State.APPROVED, content), ReleaseProgram(PROGRAM_ID, waiver, LATER), context("paul"))
    assert after is not None
    return after


def failed() -> Program:
    return apply(scheduled(), (ReleaseFailed(()),), context())


def test_a_release_is_scheduled_for_a_time() -> None:
    assert decide(program(State.APPROVED), ReleaseProgram(PROGRAM_ID, None, LATER), context("paul")) == (
        ReleaseScheduled(LATER),
    )
    assert (scheduled().state, in_work(scheduled()).release_time, next_due(scheduled())) == (
        State.SCHEDULED,
        LATER,
        LATER,
    )


@pytest.mark.parametrize("time", [NOW, NOW - SOON, datetime(1, 1, 1, tzinfo=UTC)])
def test_a_release_is_not_scheduled_for_the_past(time: datetime) -> None:
    with pytest.raises(ReleaseTimePast) as refused:
        decide(program(State.APPROVED), ReleaseProgram(PROGRAM_ID, None, time), context("paul"))
    assert refused.value.metadata == {"release_time": time.isoformat(), "now": NOW.isoformat()}
    assert str(refused.value) == f"The release time {time.isoformat()} is not in the future."


def test_a_release_can_be_scheduled_for_the_next_moment_in_any_zone() -> None:
    time = (NOW + SOON).astimezone(timezone(timedelta(hours=13)))
    assert decide(program(State.APPROVED), ReleaseProgram(PROGRAM_ID, None, time), context("paul"))


def test_the_release_gate_is_enforced_when_scheduling() -> None:
    with pytest.raises(ReleaseGateClosed) as refused:
        decide(program(State.APPROVED, UNPLANNED), ReleaseProgram(PROGRAM_ID, None, LATER), context("paul"))
    assert [found.rule for found in refused.value.violations] == ["plan.length", "plan.steps"]
    assert in_work(scheduled(UNPLANNED, PILOT)).waivers == PILOTED


def test_scheduling_again_takes_another_time_and_keeps_the_waiver() -> None:
    later = LATER + timedelta(days=1)
    again = ReleaseProgram(PROGRAM_ID, None, later)
    assert decide(scheduled(UNPLANNED, PILOT), again, context("paula")) == (ReleaseScheduled(later, PILOTED),)


def test_a_waiver_given_again_takes_the_place_of_the_one_before() -> None:
    narrower = WaiverRequest(("plan.length",), "steps were added")
    stepped = replace(UNPLANNED, plan="First this, then that.")
    changes = decide(scheduled(stepped, PILOT), ReleaseProgram(PROGRAM_ID, narrower, LATER), context("paul"))
    assert changes == (ReleaseScheduled(LATER, (Waiver(("plan.length",), "steps were added", "paul"),)),)


def test_scheduling_again_for_the_same_time_changes_nothing() -> None:
    assert decide(scheduled(UNPLANNED, PILOT), ReleaseProgram(PROGRAM_ID, None, LATER), context("paula")) == ()
    assert decide(scheduled(UNPLANNED, PILOT), ReleaseProgram(PROGRAM_ID, PILOT, LATER), context("paul")) == ()


def test_a_scheduled_version_is_released_now_under_the_waiver_it_was_scheduled_with() -> None:
    before = scheduled(UNPLANNED, PILOT)
    assert decide(before, ReleaseProgram(PROGRAM_ID), context("paula")) == (VersionReleased(PILOTED),)
    after = carry_out(before, ReleaseProgram(PROGRAM_ID), context("paula", after=5))
    assert (live(after).release_time, live(after).waivers) == (NOW + timedelta(seconds=5), PILOTED)
    assert after is not None
    assert next_due(after) is None


def test_a_scheduled_release_can_be_cancelled_until_it_fires() -> None:
    assert decide(scheduled(), CancelScheduledRelease(PROGRAM_ID), context("paul", after=2 * HOUR)) == (
        ReleaseUnscheduled(),
    )
    after = carry_out(scheduled(UNPLANNED, PILOT), CancelScheduledRelease(PROGRAM_ID), context("paul"))
    assert (in_work(after).state, in_work(after).release_time, in_work(after).waivers) == (State.APPROVED, None, ())
    assert after is not None
    assert next_due(after) is None
    with pytest.raises(ProgramState) as refused:
        decide(program(State.RELEASED), CancelScheduledRelease(PROGRAM_ID), context("paul"))
    assert refused.value.metadata == {"state": "RELEASED", "command": "CancelScheduledRelease"}


def test_a_scheduled_release_fires_at_its_time_and_not_before() -> None:
    fire = FireRelease(PROGRAM_ID)
    assert decide(scheduled(), fire, context("timekeeper", after=HOUR - 1)) == ()
    assert decide(scheduled(), fire, context("timekeeper", after=HOUR)) == (VersionReleased(),)


def test_a_release_fires_however_late_and_once() -> None:
    much_later = context("timekeeper", after=90 * 24 * HOUR)
    after = carry_out(scheduled(UNPLANNED, PILOT), FireRelease(PROGRAM_ID), much_later)
    assert (live(after).state, live(after).release_time, live(after).waivers) == (
        State.RELEASED,
        much_later.now,
        PILOTED,
    )
    assert decide(after, FireRelease(PROGRAM_ID), much_later) == ()


def test_a_release_that_fails_the_gate_at_its_time_returns_to_approved_with_the_failure() -> None:
    fired = context("timekeeper", after=HOUR, rules=STRICTER)
    wanted = (Violation("title", "title.length", "27 characters", "at least 100 characters"),)
    standing = (
        *wanted,
        Violation("localizations[0].title", "title.length", "31 characters", "at least 100 characters"),
    )
    assert decide(scheduled(), FireRelease(PROGRAM_ID), fired) == (ReleaseFailed(standing),)
    after = carry_out(scheduled(), FireRelease(PROGRAM_ID), fired)
    assert (in_work(after).state, in_work(after).release_time, in_work(after).waivers) == (State.APPROVED, None, ())
    assert in_work(after).release_failure == ReleaseFailure(fired.now, standing)
    assert after is not None
    assert next_due(after) is None


def test_the_next_schedule_or_release_clears_the_failure() -> None:
    assert in_work(failed()).release_failure is not None
    again = carry_out(failed(), ReleaseProgram(PROGRAM_ID, None, LATER), context("paul"))
    assert in_work(again).release_failure is None
    released = carry_out(failed(), ReleaseProgram(PROGRAM_ID), context("paul"))
    assert live(released).release_failure is None


def test_a_scheduled_revision_leaves_the_live_version_live_until_it_fires() -> None:
    before = revised(State.RELEASED, State.SCHEDULED)
    assert (live(before).number, next_due(before)) == (1, LATER)
    after = carry_out(before, FireRelease(PROGRAM_ID), context("timekeeper", after=HOUR))
    assert (live(after).number, live(after).state) == (2, State.RELEASED)


@pytest.mark.parametrize(
    ("hours", "number"), [(-1, 1), (0, 1), (1, 2)], ids=["retired before", "at the same time", "released before"]
)
def test_after_a_downtime_release_and_retirement_happen_in_the_order_of_their_times(hours: int, number: int) -> None:
    both = apply(
        revised(State.RELEASED, State.SCHEDULED),
        (RetirementScheduled(Retirement("sunset", None, LATER + timedelta(hours=hours))),),
        context(),
    )
    late = context("timekeeper", after=9 * HOUR)
    after = carry_out(both, FireRelease(PROGRAM_ID), late)
    after = carry_out(after, FireRetirement(PROGRAM_ID), late)
    assert (live(after).state, live(after).number) == (State.RETIRED, number)


def test_what_is_due_next_is_the_earlier_of_release_and_retirement() -> None:
    before = revised(State.RELEASED, State.SCHEDULED)
    for hours, due in ((-0.5, LATER - timedelta(hours=0.5)), (1, LATER)):
        retirement = Retirement("sunset", None, LATER + timedelta(hours=hours))
        assert next_due(apply(before, (RetirementScheduled(retirement),), context())) == due


def test_a_retired_program_releases_nothing_more() -> None:
    stuck = revised(State.RETIRED, State.SCHEDULED)
    assert next_due(stuck) is None
    assert decide(stuck, FireRelease(PROGRAM_ID), context("timekeeper", after=2 * HOUR)) == ()


@pytest.mark.parametrize("state", [State.DRAFT, State.IN_REVIEW, State.APPROVED, State.RELEASED, State.DELETED])
def test_nothing_is_due_where_nothing_is_scheduled(state: State) -> None:
    assert next_due(program(state)) is None
