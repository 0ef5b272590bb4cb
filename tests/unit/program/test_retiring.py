from datetime import datetime, timedelta

import pytest

from chassis.refusal import InvalidField
from program_svc.domain.changes import RetirementScheduled, ReviewersAssigned, VersionRetired
from program_svc.domain.commands import FireRetirement, RetireProgram
from program_svc.domain.decide import decide
from program_svc.domain.due import next_due
from program_svc.domain.errors import (
    ProgramRefersToItself,
    RetirementReasonMissing,
    RetirementTimePast,
    SuccessorNotReleased,
)
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program, Retirement, State
from program_svc.domain.versions import left_behind
from tests.unit.program.samples import (
    LATER,
    NOW,
    OTHER_ID,
    PROGRAM_ID,
    carry_out,
    context,
    in_work,
    live,
    program,
    revised,
)

HOUR = 3600
RETIREMENT = Retirement("outdated", None, NOW)


def ending(*, cancel_offers: bool = False) -> Program:
    command = RetireProgram(
        PROGRAM_ID,
        "outdated",
        OTHER_ID,
        successor_released=True,
        effective_time=LATER,
        cancel_offers=cancel_offers,
    )
    after = carry_out(program(State.RELEASED), command, context("paul"))
    assert after is not None
    return after


def test_a_released_program_is_retired_with_its_reason() -> None:
    command = RetireProgram(PROGRAM_ID, "outdated")
    assert decide(program(State.RELEASED), command, context("paul")) == (VersionRetired(RETIREMENT),)
    after = carry_out(program(State.RELEASED), command, context("paul"))
    assert after is not None
    assert (after.state, live(after).state, after.retirement) == (State.RETIRED, State.RETIRED, RETIREMENT)


def test_a_retirement_says_whether_the_offers_are_to_be_cancelled() -> None:
    command = RetireProgram(PROGRAM_ID, "outdated", cancel_offers=True)
    assert decide(program(State.RELEASED), command, context("paul")) == (
        VersionRetired(Retirement("outdated", None, NOW, cancel_offers=True)),
    )


def test_a_released_successor_is_named_by_the_retirement() -> None:
    command = RetireProgram(PROGRAM_ID, "outdated", OTHER_ID, successor_released=True)
    assert decide(program(State.RELEASED), command, context("paul")) == (
        VersionRetired(Retirement("outdated", OTHER_ID, NOW)),
    )


@pytest.mark.parametrize("effective_time", [None, LATER])
def test_a_successor_that_is_not_released_is_refused(effective_time: datetime | None) -> None:
    command = RetireProgram(PROGRAM_ID, "outdated", OTHER_ID, effective_time=effective_time)
    with pytest.raises(SuccessorNotReleased) as refused:
        decide(program(State.RELEASED), command, context("paul"))
    assert refused.value.metadata == {"program_id": str(OTHER_ID)}


def test_a_program_is_not_its_own_successor() -> None:
    command = RetireProgram(PROGRAM_ID, "outdated", PROGRAM_ID, successor_released=True)
    with pytest.raises(ProgramRefersToItself) as refused:
        decide(program(State.RELEASED), command, context("paul"))
    assert refused.value.metadata == {"program_id": str(PROGRAM_ID)}


@pytest.mark.parametrize("reason", ["", " \n\t"])
@pytest.mark.parametrize("time", [None, LATER])
def test_a_retirement_needs_a_reason(reason: str, time: datetime | None) -> None:
    with pytest.raises(RetirementReasonMissing) as refused:
        decide(program(State.RELEASED), RetireProgram(PROGRAM_ID, reason, effective_time=time), context("paul"))
    assert (refused.value.reason, str(refused.value)) == ("RETIREMENT_REASON_MISSING", "A retirement needs a reason.")


def test_the_reason_of_a_retirement_has_no_control_characters() -> None:
    with pytest.raises(InvalidField) as refused:
        decide(program(State.RELEASED), RetireProgram(PROGRAM_ID, "\x00"), context("paul"))
    assert [found.field for found in refused.value.violations] == ["reason"]


def test_a_retirement_at_a_later_time_leaves_the_program_released_until_then() -> None:
    before, after = program(State.RELEASED), ending(cancel_offers=True)
    pending = Retirement("outdated", OTHER_ID, LATER, cancel_offers=True)
    assert (after.state, after.retirement, after.pending_retirement) == (State.RELEASED, None, pending)
    assert (after.live, after.public_revision) == (before.live, before.public_revision)
    assert next_due(after) == LATER


@pytest.mark.parametrize("time", [NOW, NOW - timedelta(microseconds=1)])
def test_a_retirement_is_not_set_for_the_past(time: datetime) -> None:
    with pytest.raises(RetirementTimePast) as refused:
        decide(program(State.RELEASED), RetireProgram(PROGRAM_ID, "outdated", effective_time=time), context("paul"))
    assert refused.value.metadata == {"effective_time": time.isoformat(), "now": NOW.isoformat()}
    assert str(refused.value) == f"The effective time {time.isoformat()} is not in the future."


def test_a_retirement_set_again_takes_the_place_of_the_one_to_come() -> None:
    later = LATER + timedelta(days=1)
    command = RetireProgram(PROGRAM_ID, "sold", effective_time=later)
    assert decide(ending(), command, context("paul")) == (RetirementScheduled(Retirement("sold", None, later)),)
    after = carry_out(ending(), command, context("paul"))
    assert after is not None
    assert next_due(after) == later


def test_the_same_retirement_set_again_changes_nothing() -> None:
    command = RetireProgram(PROGRAM_ID, "outdated", OTHER_ID, successor_released=True, effective_time=LATER)
    assert decide(ending(), command, context("paul")) == ()


def test_a_retirement_to_come_can_be_brought_forward_to_now() -> None:
    after = carry_out(ending(), RetireProgram(PROGRAM_ID, "at once"), context("paul"))
    assert after is not None
    assert (after.state, after.pending_retirement) == (State.RETIRED, None)
    assert after.retirement == Retirement("at once", None, NOW)
    assert next_due(after) is None


def test_a_retirement_fires_at_its_time_and_not_before() -> None:
    fire = FireRetirement(PROGRAM_ID, successor_released=True)
    assert decide(ending(), fire, context("timekeeper", after=HOUR - 1)) == ()
    assert decide(ending(), fire, context("timekeeper", after=HOUR)) == (
        VersionRetired(Retirement("outdated", OTHER_ID, LATER)),
    )


def test_a_retirement_fires_however_late_and_once() -> None:
    much_later = context("timekeeper", after=90 * 24 * HOUR)
    after = carry_out(ending(cancel_offers=True), FireRetirement(PROGRAM_ID, successor_released=True), much_later)
    assert after is not None
    assert after.retirement == Retirement("outdated", OTHER_ID, much_later.now, cancel_offers=True)
    assert (after.state, after.pending_retirement, after.public_revision) == (State.RETIRED, None, after.revision)
    assert decide(after, FireRetirement(PROGRAM_ID), much_later) == ()


def test_a_retirement_whose_successor_was_retired_meanwhile_takes_effect_without_one_and_says_so() -> None:
    fire, late = FireRetirement(PROGRAM_ID, successor_released=False), context("timekeeper", after=HOUR)
    assert decide(ending(), fire, late) == (
        VersionRetired(Retirement("outdated", None, LATER), successor_dropped=True),
    )
    after = carry_out(ending(), fire, late)
    assert after is not None
    assert (after.state, after.retirement) == (State.RETIRED, Retirement("outdated", None, LATER))


def test_a_retirement_without_a_successor_drops_none() -> None:
    pending = RetireProgram(PROGRAM_ID, "outdated", effective_time=LATER)
    before = carry_out(program(State.RELEASED), pending, context("paul"))
    fired = decide(before, FireRetirement(PROGRAM_ID), context("timekeeper", after=HOUR))
    assert fired == (VersionRetired(Retirement("outdated", None, LATER), successor_dropped=False),)


@pytest.mark.parametrize("working", [State.DRAFT, State.IN_REVIEW, State.APPROVED, State.SCHEDULED, State.REJECTED])
def test_a_retirement_ends_the_working_version_which_is_kept_as_rejected(working: State) -> None:
    before = revised(State.RELEASED, working)
    if working is State.IN_REVIEW:
        before = apply(before, (ReviewersAssigned(("bob",)),), context())
    changes = decide(before, RetireProgram(PROGRAM_ID, "outdated"), context("paul"))
    assert changes == (VersionRetired(RETIREMENT),)
    after = apply(before, changes, context("paul"))
    assert (after.state, after.working, after.assigned, next_due(after)) == (State.RETIRED, None, (), None)
    [kept] = left_behind(before, after)
    assert (kept.number, kept.state, kept.content) == (2, State.REJECTED, in_work(before).content)
    assert (kept.assignments, kept.waiting_since, kept.release_time, kept.waivers) == ((), None, None, ())
    assert kept.approvals == in_work(before).approvals
