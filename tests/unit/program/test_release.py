from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from chassis.refusal import InvalidField, ResourceExists
from program_svc.domain.changes import CommentAdded, ProgramCreated, ReleaseFailed, ReleaseScheduled, VersionReleased
from program_svc.domain.commands import FireRelease, ImportProgram, ReleaseProgram, WaiverRequest
from program_svc.domain.content import Prerequisites, ProgramContent
from program_svc.domain.decide import decide
from program_svc.domain.errors import (
    OpenBlockingComments,
    ProgramRefersToItself,
    ProgramState,
    ReleaseGateClosed,
    RuleNotWaivable,
    WaiverReasonMissing,
)
from program_svc.domain.evolve import apply
from program_svc.domain.gate_rules import GateRules
from program_svc.domain.program import State, Waiver
from program_svc.domain.release_gate import release_warnings
from tests.unit.program.samples import (
    COMPLETE,
    LATER,
    NOW,
    PROGRAM_ID,
    carry_out,
    comment,
    context,
    program,
    revised,
)

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


def test_an_import_names_who_is_to_revise_the_program() -> None:
    command = ImportProgram(PROGRAM_ID, COMPLETE, author="ann", co_authors=("ben",))
    changes = decide(None, command, context("paul"))
    assert changes == (ProgramCreated(PROGRAM_ID, "ann", ("ben",), COMPLETE), VersionReleased(()))


@pytest.mark.parametrize(
    ("authors", "field"), [({"author": "a\0"}, "author"), ({"co_authors": ("b", "a\0")}, "co_authors[1]")]
)
def test_nobody_whose_name_can_not_be_read_is_to_revise_an_import(authors: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidField) as refused:
        decide(None, ImportProgram(PROGRAM_ID, COMPLETE, **authors), context("paul"))
    assert [found.field for found in refused.value.violations] == [field]


def test_an_import_without_a_waiver_passes_the_whole_gate() -> None:
    assert decide(None, ImportProgram(PROGRAM_ID, COMPLETE), context("paul"))
    with pytest.raises(ReleaseGateClosed):
        decide(None, ImportProgram(PROGRAM_ID, BARE), context("paul"))


def test_importing_the_live_content_again_changes_nothing() -> None:
    before = program(State.RELEASED, replace(COMPLETE, prerequisites=None))
    for same in (None, Prerequisites()):
        again = ImportProgram(PROGRAM_ID, replace(COMPLETE, prerequisites=same))
        assert decide(before, again, context("paul")) == ()


def test_importing_the_content_of_a_retired_program_again_does_not_pass_for_its_being_live() -> None:
    with pytest.raises(ProgramState) as refused:
        decide(program(State.RETIRED), ImportProgram(PROGRAM_ID, COMPLETE), context("paul"))
    assert refused.value.metadata == {"state": "RETIRED", "command": "ImportProgram"}


@pytest.mark.parametrize("time", [None, LATER])
def test_a_version_with_an_open_blocking_comment_is_not_released_or_scheduled(time: datetime | None) -> None:
    blocked = apply(program(State.APPROVED), (CommentAdded(comment(blocking=True)),), context())
    with pytest.raises(OpenBlockingComments) as refused:
        decide(blocked, ReleaseProgram(PROGRAM_ID, None, time), context("paul"))
    assert refused.value.metadata == {"count": "1"}


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_a_waiver_needs_a_reason(reason: str) -> None:
    asked = WaiverRequest(("plan.length",), reason)
    for state, command in (
        (program(State.APPROVED), ReleaseProgram(PROGRAM_ID, asked)),
        (program(State.APPROVED), ReleaseProgram(PROGRAM_ID, asked, LATER)),
        (None, ImportProgram(PROGRAM_ID, COMPLETE, asked)),
    ):
        with pytest.raises(WaiverReasonMissing) as refused:
            decide(state, command, context("paul"))
        assert (refused.value.reason, str(refused.value)) == ("WAIVER_REASON_MISSING", "A waiver needs a reason.")


def test_content_too_large_to_be_published_is_refused_by_the_gate_whatever_is_waived() -> None:
    large = replace(COMPLETE, tags=("ü" * (245 * 1024),))
    for state, command in (
        (program(State.APPROVED, large), ReleaseProgram(PROGRAM_ID, EVERY_RULE)),
        (program(State.APPROVED, large), ReleaseProgram(PROGRAM_ID, EVERY_RULE, LATER)),
        (None, ImportProgram(PROGRAM_ID, large, EVERY_RULE)),
    ):
        with pytest.raises(ReleaseGateClosed) as refused:
            decide(state, command, context("paul"))
        assert [(found.field, found.rule) for found in refused.value.violations] == [("content", "content.size")]
    with pytest.raises(RuleNotWaivable):
        decide(None, ImportProgram(PROGRAM_ID, large, WaiverRequest(("content.size",), "please")), context("paul"))
    waiting = apply(program(State.APPROVED, large), (ReleaseScheduled(LATER),), context())
    (fired,) = decide(waiting, FireRelease(PROGRAM_ID), context("timekeeper", after=3600))
    assert isinstance(fired, ReleaseFailed)
    assert [found.rule for found in fired.violations] == ["content.size"]
    assert [found.rule for found in release_warnings(waiting, GateRules())] == ["content.size"]


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
