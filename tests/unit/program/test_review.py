from dataclasses import replace

import pytest

from chassis.refusal import InvalidField
from program_svc.domain.changes import (
    Change,
    ChangesRequested,
    CommentAdded,
    ReviewDequeued,
    ReviewersAssigned,
    ReviewQueued,
    VersionApproved,
    VersionRejected,
    VersionSubmitted,
    VersionWithdrawn,
)
from program_svc.domain.commands import (
    ApproveProgram,
    Command,
    RejectProgram,
    RequestChanges,
    SubmitProgram,
    UpdateProgram,
    WithdrawProgram,
)
from program_svc.domain.content import ProgramContent
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import (
    AlreadyApprovedBy,
    FourEyes,
    NotAnAuthor,
    NotAssigned,
    OpenBlockingComments,
    RejectionReasonMissing,
)
from program_svc.domain.evolve import apply
from program_svc.domain.gate_rules import GateRules
from program_svc.domain.program import ChangeRequest, Program, Rejection, State
from program_svc.domain.release_gate import release_warnings
from tests.unit.program.samples import NOW, PROGRAM_ID, carry_out, comment, context, in_work, program

APPROVE = ApproveProgram(PROGRAM_ID)
REQUEST = RequestChanges(PROGRAM_ID, "more steps")
REJECT = RejectProgram(PROGRAM_ID, "off topic")
TWO = Rules(approvals_needed=2)


def in_review(*changes: Change) -> Program:
    return apply(program(State.IN_REVIEW), changes, context())


def of_bob() -> Program:
    return in_review(ReviewersAssigned(("bob",)), ReviewDequeued())


def test_submitting_locks_the_draft_for_review() -> None:
    after = carry_out(program(State.DRAFT), SubmitProgram(PROGRAM_ID), context())
    assert after is not None
    assert after.working is not None
    assert (after.state, after.working.submit_time) == (State.IN_REVIEW, NOW)


def test_incomplete_content_can_be_submitted_and_is_warned_of() -> None:
    assert decide(program(State.DRAFT, ProgramContent()), SubmitProgram(PROGRAM_ID), context())[0] == VersionSubmitted()
    assert release_warnings(program(State.IN_REVIEW, ProgramContent()), GateRules())
    assert release_warnings(program(State.IN_REVIEW), GateRules()) == ()


def test_a_program_without_a_working_version_is_not_warned_of() -> None:
    assert release_warnings(program(State.RELEASED, ProgramContent()), GateRules()) == ()


@pytest.mark.parametrize("command", [APPROVE, REQUEST, REJECT], ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("principal", ["alice", "carol"])
def test_four_eyes_an_author_or_co_author_never_reviews(principal: str, command: Command) -> None:
    with pytest.raises(FourEyes) as refused:
        decide(program(State.IN_REVIEW), command, context(principal))
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


def test_a_review_that_is_assigned_is_decided_by_the_assigned_reviewers_only() -> None:
    for command in (APPROVE, REJECT):
        assert decide(of_bob(), command, context("bob"))
        with pytest.raises(NotAssigned) as refused:
            decide(of_bob(), command, context("dora"))
        assert refused.value.metadata == {"principal": "dora"}


def test_any_reviewer_who_is_no_author_decides_on_a_review_that_nobody_is_assigned_to() -> None:
    assert decide(program(State.IN_REVIEW), APPROVE, context("dora"))
    assert decide(program(State.IN_REVIEW), REJECT, context("dora"))


def test_any_reviewer_may_request_changes() -> None:
    assert decide(of_bob(), REQUEST, context("dora")) == (ChangesRequested("dora", "more steps"),)


def test_requested_changes_send_the_version_back_to_draft_and_are_told_until_it_is_submitted_again() -> None:
    first = carry_out(program(State.IN_REVIEW), APPROVE, context("bob", rules=TWO))
    after = carry_out(first, REQUEST, context("dora"))
    assert (in_work(after).state, in_work(after).approvals, in_work(after).submit_time) == (State.DRAFT, (), None)
    assert in_work(after).change_request == ChangeRequest("dora", "more steps", NOW)
    again = carry_out(after, SubmitProgram(PROGRAM_ID), context())
    assert in_work(again).change_request is None


def test_requested_changes_need_no_text() -> None:
    assert decide(program(State.IN_REVIEW), RequestChanges(PROGRAM_ID), context("bob")) == (
        ChangesRequested("bob", ""),
    )


def test_a_withdrawn_version_is_a_draft_again() -> None:
    assert decide(of_bob(), WithdrawProgram(PROGRAM_ID), context("carol")) == (VersionWithdrawn(),)
    after = carry_out(of_bob(), WithdrawProgram(PROGRAM_ID), context("alice"))
    assert (in_work(after).state, in_work(after).submit_time) == (State.DRAFT, None)


def test_only_an_author_or_co_author_withdraws() -> None:
    with pytest.raises(NotAnAuthor):
        decide(program(State.IN_REVIEW), WithdrawProgram(PROGRAM_ID), context("bob"))


def test_a_rejection_ends_the_working_version_with_its_reason() -> None:
    assert decide(program(State.IN_REVIEW), REJECT, context("bob")) == (VersionRejected("bob", "off topic"),)
    after = carry_out(program(State.IN_REVIEW), REJECT, context("bob"))
    assert (in_work(after).state, in_work(after).rejection) == (State.REJECTED, Rejection("bob", "off topic", NOW))


@pytest.mark.parametrize("reason", ["", " \n\t"])
def test_a_rejection_needs_a_reason(reason: str) -> None:
    with pytest.raises(RejectionReasonMissing) as refused:
        decide(program(State.IN_REVIEW), RejectProgram(PROGRAM_ID, reason), context("bob"))
    assert (refused.value.reason, str(refused.value)) == ("REJECTION_REASON_MISSING", "A rejection needs a reason.")


def test_what_reviewers_write_has_no_control_characters() -> None:
    for command, path in ((RejectProgram(PROGRAM_ID, "\x00"), "reason"), (RequestChanges(PROGRAM_ID, "\x00"), "text")):
        with pytest.raises(InvalidField) as refused:
            decide(program(State.IN_REVIEW), command, context("bob"))
        assert [found.field for found in refused.value.violations] == [path]


def test_open_blocking_comments_prevent_approval() -> None:
    blocked = in_review(CommentAdded(comment(blocking=True)), CommentAdded(comment(blocking=True)))
    with pytest.raises(OpenBlockingComments) as refused:
        decide(blocked, APPROVE, context("bob"))
    assert refused.value.metadata == {"count": "2"}
    assert decide(blocked, REJECT, context("bob"))
    assert decide(in_review(CommentAdded(comment())), APPROVE, context("bob"))


@pytest.mark.parametrize(
    "command", [APPROVE, REJECT, REQUEST, WithdrawProgram(PROGRAM_ID)], ids=lambda command: type(command).__name__
)
def test_assignments_and_the_queue_end_when_the_version_leaves_review(command: Command) -> None:
    assigned_and_waiting = replace(in_work(in_review(ReviewersAssigned(("bob",)))), waiting_since=NOW)
    before = replace(program(State.IN_REVIEW), working=assigned_and_waiting)
    who = "alice" if isinstance(command, WithdrawProgram) else "bob"
    after = carry_out(before, command, context(who))
    assert (before.assigned, after and after.assigned) == (("bob",), ())
    assert in_work(after).waiting_since is None


def test_a_partial_approval_ends_the_assignment_of_its_reviewer_and_leaves_the_others() -> None:
    before = in_review(ReviewersAssigned(("bob", "dora")), ReviewDequeued())
    assert decide(before, APPROVE, context("bob", rules=TWO)) == (VersionApproved("bob", complete=False),)
    after = carry_out(before, APPROVE, context("bob", rules=TWO))
    assert after is not None
    assert (after.assigned, in_work(after).waiting_since) == (("dora",), None)
    for command in (APPROVE, REJECT):
        with pytest.raises(NotAssigned):
            decide(after, command, context("erin", rules=TWO))
    with pytest.raises(AlreadyApprovedBy):
        decide(after, APPROVE, context("bob", rules=TWO))


def test_a_version_without_the_reviewers_it_still_needs_waits_for_them_as_long_as_it_has_been_submitted() -> None:
    given = context("bob", after=60, rules=TWO)
    before = in_review(ReviewersAssigned(("bob",)), ReviewDequeued())
    assert decide(before, APPROVE, given) == (VersionApproved("bob", complete=False), ReviewQueued())
    after = carry_out(before, APPROVE, given)
    assert after is not None
    assert (after.assigned, in_work(after).waiting_since) == ((), NOW)
    assert after.definition_revision == before.definition_revision
    assert decide(after, APPROVE, context("dora", rules=TWO)) == (VersionApproved("dora", complete=True),)
    waiting = in_review(ReviewersAssigned(("bob",)))
    assert decide(waiting, APPROVE, given) == (VersionApproved("bob", complete=False),)
