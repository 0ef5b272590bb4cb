import pytest

from program_svc.domain.changes import VersionApproved, VersionSubmitted
from program_svc.domain.commands import ApproveProgram, SubmitProgram, UpdateProgram
from program_svc.domain.content import ProgramContent
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import AlreadyApprovedBy, FourEyes
from program_svc.domain.gate_rules import GateRules
from program_svc.domain.program import State
from program_svc.domain.release_gate import release_warnings
from tests.unit.program.samples import NOW, PROGRAM_ID, carry_out, context, program

APPROVE = ApproveProgram(PROGRAM_ID)
TWO = Rules(approvals_needed=2)


def test_submitting_locks_the_draft_for_review() -> None:
    after = carry_out(program(State.DRAFT), SubmitProgram(PROGRAM_ID), context())
    assert after is not None
    assert after.working is not None
    assert (after.state, after.working.submit_time) == (State.IN_REVIEW, NOW)


def test_incomplete_content_can_be_submitted_and_is_warned_of() -> None:
    assert decide(program(State.DRAFT, ProgramContent()), SubmitProgram(PROGRAM_ID), context()) == (VersionSubmitted(),)
    assert release_warnings(program(State.IN_REVIEW, ProgramContent()), GateRules())
    assert release_warnings(program(State.IN_REVIEW), GateRules()) == ()


def test_a_program_without_a_working_version_is_not_warned_of() -> None:
    assert release_warnings(program(State.RELEASED, ProgramContent()), GateRules()) == ()


@pytest.mark.parametrize("principal", ["alice", "carol"])
def test_four_eyes_an_author_or_co_author_never_approves(principal: str) -> None:
    with pytest.raises(FourEyes) as refused:
        decide(program(State.IN_REVIEW), APPROVE, context(principal))
    assert refused.value.metadata == {"principal": principal}


def test_one_approval_is_enough_by_default() -> None:
    after = carry_out(program(State.IN_REVIEW), APPROVE, context("bob"))
    assert after is not None
    assert after.working is not None
    assert after.state is State.APPROVED
    assert [(given.reviewer, given.approve_time) for given in after.working.approvals] == [("bob", NOW)]


def test_the_policy_says_how_many_approvals_are_needed() -> None:
    first = carry_out(program(State.IN_REVIEW), APPROVE, context("bob", rules=TWO))
    assert first is not None
    assert first.state is State.IN_REVIEW
    assert decide(first, APPROVE, context("dora", rules=TWO)) == (VersionApproved("dora", complete=True),)


def test_the_same_reviewer_does_not_approve_twice() -> None:
    first = carry_out(program(State.IN_REVIEW), APPROVE, context("bob", rules=TWO))
    with pytest.raises(AlreadyApprovedBy) as refused:
        decide(first, APPROVE, context("bob", rules=TWO))
    assert refused.value.metadata == {"principal": "bob"}


def test_a_new_submission_starts_without_approvals() -> None:
    reopened = carry_out(program(State.APPROVED), UpdateProgram(PROGRAM_ID, ProgramContent(), ("title",)), context())
    again = carry_out(reopened, SubmitProgram(PROGRAM_ID), context())
    assert again is not None
    assert again.working is not None
    assert (again.working.state, again.working.approvals) == (State.IN_REVIEW, ())
    assert decide(again, APPROVE, context("bob")) == (VersionApproved("bob", complete=True),)


def test_a_partial_approval_leaves_the_definition_as_reviewers_read_it() -> None:
    before = program(State.IN_REVIEW)
    first = carry_out(before, APPROVE, context("bob", after=5, rules=TWO))
    assert first is not None
    assert (first.revision, first.update_time > before.update_time) == (before.revision + 1, True)
    assert (first.definition_revision, first.definition_time) == (before.definition_revision, before.definition_time)
    second = carry_out(first, APPROVE, context("dora", after=9, rules=TWO))
    assert second is not None
    assert (second.definition_revision, second.definition_time) == (second.revision, second.update_time)
