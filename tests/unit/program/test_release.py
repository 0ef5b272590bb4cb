from dataclasses import replace

import pytest

from chassis.refusal import InvalidField, ResourceExists
from program_svc.domain.changes import ProgramCreated, VersionReleased
from program_svc.domain.commands import ImportProgram, ReleaseProgram, WaiverRequest
from program_svc.domain.content import Prerequisites, ProgramContent
from program_svc.domain.decide import decide
from program_svc.domain.errors import (
    ProgramRefersToItself,
    ProgramState,
    ReleaseGateClosed,
    RuleNotWaivable,
)
from program_svc.domain.program import State, Waiver
from tests.unit.program.samples import COMPLETE, NOW, PROGRAM_ID, carry_out, context, program, revised

UNPLANNED = replace(COMPLETE, plan="Soon.")
BARE = ProgramContent(title="Welding", categories=("48.0508",))
EVERY_RULE = WaiverRequest(("*",), "live elsewhere")


def test_an_approved_version_becomes_the_live_one() -> None:
    after = carry_out(program(State.APPROVED), ReleaseProgram(PROGRAM_ID), context("paul"))
    assert after is not None
    assert after.live is not None
    assert (after.state, after.working, after.live.number, after.live.release_time) == (State.RELEASED, None, 1, NOW)


def test_a_scheduled_version_can_be_released() -> None:
    assert decide(program(State.SCHEDULED), ReleaseProgram(PROGRAM_ID), context("paul")) == (VersionReleased(),)


def test_a_new_version_takes_the_live_one_s_place() -> None:
    after = carry_out(revised(State.RELEASED, State.APPROVED), ReleaseProgram(PROGRAM_ID), context("paul"))
    assert after is not None
    assert after.live is not None
    assert (after.live.number, after.working) == (2, None)


def test_the_release_gate_is_enforced_with_all_violations_together() -> None:
    with pytest.raises(ReleaseGateClosed) as refused:
        decide(program(State.APPROVED, ProgramContent(title="No")), ReleaseProgram(PROGRAM_ID), context("paul"))
    assert [found.rule for found in refused.value.violations] == [
        "title.length",
        "description.length",
        "plan.length",
        "plan.steps",
        "language.present",
        "categories.present",
        "agenda.modules",
        "outcomes.present",
        "agenda.duration_sum",
    ]


def test_a_waiver_sets_named_rules_aside_and_is_kept() -> None:
    asked = WaiverRequest(("plan.length", "plan.steps"), "a pilot")
    changes = decide(program(State.APPROVED, UNPLANNED), ReleaseProgram(PROGRAM_ID, asked), context("paul"))
    assert changes == (VersionReleased((Waiver(("plan.length", "plan.steps"), "a pilot", "paul"),)),)


def test_a_waiver_leaves_the_rules_it_does_not_name() -> None:
    asked = WaiverRequest(("plan.length",), "a pilot")
    with pytest.raises(ReleaseGateClosed) as refused:
        decide(program(State.APPROVED, UNPLANNED), ReleaseProgram(PROGRAM_ID, asked), context("paul"))
    assert [found.rule for found in refused.value.violations] == ["plan.steps"]


def test_a_star_waives_every_rule_but_title_and_categories() -> None:
    assert decide(program(State.APPROVED, BARE), ReleaseProgram(PROGRAM_ID, EVERY_RULE), context("paul"))
    with pytest.raises(ReleaseGateClosed) as refused:
        decide(program(State.APPROVED, ProgramContent()), ReleaseProgram(PROGRAM_ID, EVERY_RULE), context("paul"))
    assert [found.rule for found in refused.value.violations] == ["title.length", "categories.present"]


@pytest.mark.parametrize("rule", ["title.length", "categories.present", "no.such_rule", "", "plan.*"])
def test_title_category_and_unknown_rules_are_not_waivable(rule: str) -> None:
    asked = WaiverRequest(("plan.length", rule), "please")
    for state, command in (
        (program(State.APPROVED), ReleaseProgram(PROGRAM_ID, asked)),
        (None, ImportProgram(PROGRAM_ID, COMPLETE, asked)),
    ):
        with pytest.raises(RuleNotWaivable) as refused:
            decide(state, command, context("paul"))
        assert refused.value.metadata == {"rule": rule}
        assert [found.field for found in refused.value.violations] == ["waiver.rules[1]"]


def test_an_import_creates_and_releases_under_its_waiver_in_one_revision() -> None:
    command = ImportProgram(PROGRAM_ID, BARE, EVERY_RULE)
    waived = (Waiver(("*",), "live elsewhere", "paul"),)
    changes = decide(None, command, context("paul"))
    assert changes == (ProgramCreated(PROGRAM_ID, "paul", (), BARE), VersionReleased(waived))
    after = carry_out(None, command, context("paul"))
    assert after is not None
    assert after.live is not None
    assert (after.revision, after.state, after.author, after.live.waivers) == (1, State.RELEASED, "paul", waived)


def test_an_import_without_a_waiver_passes_the_whole_gate() -> None:
    assert decide(None, ImportProgram(PROGRAM_ID, COMPLETE), context("paul"))
    with pytest.raises(ReleaseGateClosed):
        decide(None, ImportProgram(PROGRAM_ID, BARE), context("paul"))


@pytest.mark.parametrize("state", [State.RELEASED, State.RETIRED])
def test_importing_the_live_content_again_changes_nothing(state: State) -> None:
    assert decide(program(state), ImportProgram(PROGRAM_ID, COMPLETE), context("paul")) == ()


@pytest.mark.parametrize("state", [State.DRAFT, State.RELEASED])
def test_importing_over_another_program_is_refused(state: State) -> None:
    with pytest.raises(ResourceExists):
        decide(program(state), ImportProgram(PROGRAM_ID, BARE, EVERY_RULE), context("paul"))


def test_an_imported_program_is_not_its_own_prerequisite() -> None:
    content = replace(BARE, prerequisites=Prerequisites("", (PROGRAM_ID,)))
    with pytest.raises(ProgramRefersToItself):
        decide(None, ImportProgram(PROGRAM_ID, content, EVERY_RULE), context("paul"))


def test_a_retired_program_s_working_version_goes_no_further() -> None:
    with pytest.raises(ProgramState) as refused:
        decide(revised(State.RETIRED, State.APPROVED), ReleaseProgram(PROGRAM_ID), context("paul"))
    assert refused.value.metadata == {"state": "RETIRED", "command": "ReleaseProgram"}


def test_the_reason_of_a_waiver_has_no_control_characters() -> None:
    asked = WaiverRequest(("plan.length",), "a\x00pilot")
    with pytest.raises(InvalidField) as refused:
        decide(program(State.APPROVED), ReleaseProgram(PROGRAM_ID, asked), context("paul"))
    assert [found.field for found in refused.value.violations] == ["waiver.reason"]


@pytest.mark.parametrize("state", [State.DRAFT, State.DELETED])
def test_an_import_without_a_live_version_in_its_place_is_refused(state: State) -> None:
    with pytest.raises(ResourceExists):
        decide(program(state), ImportProgram(PROGRAM_ID, COMPLETE), context("paul"))
