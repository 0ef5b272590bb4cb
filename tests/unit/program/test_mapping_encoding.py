from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from training.program.v1 import events_pb2 as events
from training.program.v1 import program_service_pb2 as service
from training.program.v1 import review_pb2

from program_svc.adapters import mapping
from program_svc.adapters.encoding import ProgramEncoding, ReviewerEncoding
from program_svc.domain.commands import (
    AddReviewComment,
    Command,
    DeleteProgram,
    RegisterReviewer,
    ReleaseProgram,
    ResolveReviewComment,
    RetireProgram,
    ReviewerCommand,
    SubmitProgram,
    UpdateReviewer,
    WithdrawProgram,
)
from program_svc.domain.context import Context
from program_svc.domain.decide import decide
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program, State
from program_svc.domain.registry import apply_reviewer, decide_reviewer
from program_svc.domain.release_gate import release_warnings
from program_svc.domain.reviewer import Reviewer
from tests.unit.program.samples import COMMENT_ID, COMPLETE, PROGRAM_ID, comment, context, in_work, program

PROGRAMS = ProgramEncoding(UUID(int=1))
REVIEWERS = ReviewerEncoding()


def answered(state: Program | None, command: Command, given: Context) -> tuple[Program, bytes]:
    """Carry a command out; return the program after it and the response, as the command path would."""
    changes = decide(state, command, given)
    if not changes:
        assert state is not None
        return state, PROGRAMS.response(state, command, given)
    after = apply(state, changes, given)
    return after, PROGRAMS.revision(state, after, changes, command, given).response


def answered_reviewer(state: Reviewer | None, command: ReviewerCommand, given: Context) -> tuple[Reviewer, bytes]:
    """Carry a command on a reviewer out, as `answered`."""
    changes = decide_reviewer(state, command, given)
    if not changes:
        assert state is not None
        return state, REVIEWERS.response(state, command, given)
    after = apply_reviewer(state, changes, given)
    return after, REVIEWERS.revision(state, after, changes, command, given).response


def test_a_response_has_the_program_as_it_is_stored() -> None:
    given, state = context(), program(State.IN_REVIEW)
    changes = decide(state, WithdrawProgram(PROGRAM_ID), given)
    after = apply(state, changes, given)
    revision = PROGRAMS.revision(state, after, changes, WithdrawProgram(PROGRAM_ID), given)
    response = service.WithdrawProgramResponse.FromString(revision.response)
    assert response == service.WithdrawProgramResponse(program=mapping.to_message(after))
    assert PROGRAMS.decode(response.program.SerializeToString()) == after
    assert PROGRAMS.decode(bytes(revision.columns["state"])) == after  # type: ignore[call-overload] # a column's type is open
    assert (revision.event_type, revision.public) == mapping.ADVANCED
    assert events.ProgramRevisionRecord.FromString(revision.private).command == "WithdrawProgram"
    assert PROGRAMS.etag(after) == response.program.etag


def test_the_actor_of_a_public_event_is_who_commanded() -> None:
    given, state = context("paul", after=3), program(State.APPROVED)
    changes = decide(state, ReleaseProgram(PROGRAM_ID), given)
    after = apply(state, changes, given)
    revision = PROGRAMS.revision(state, after, changes, ReleaseProgram(PROGRAM_ID), given)
    assert revision.event_type == "training.program.v1.ProgramReleased"
    told = events.ProgramEvent.FromString(revision.public)
    assert (told.actor, told.program) == ("paul", mapping.published(after))


@pytest.mark.parametrize(
    ("state", "command", "adds"),
    [
        (State.APPROVED, ReleaseProgram(PROGRAM_ID), True),
        (State.RELEASED, RetireProgram(PROGRAM_ID, "outdated"), False),
    ],
)
def test_a_program_whose_content_just_fits_into_an_event_can_still_be_retired(
    state: State, command: Command, *, adds: bool
) -> None:
    given, before = context("paul", after=3), program(state)
    changes = decide(before, command, given)
    revision = PROGRAMS.revision(before, apply(before, changes, given), changes, command, given)
    assert (revision.public != b"", revision.adds_content) == (True, adds)


@pytest.mark.parametrize("state", [program(State.DRAFT), program(State.DRAFT, replace(COMPLETE, plan=""))])
def test_a_submission_is_answered_with_what_the_release_gate_would_refuse(state: Program) -> None:
    given = context()
    after, response = answered(state, SubmitProgram(PROGRAM_ID), given)
    expected = service.SubmitProgramResponse(program=mapping.to_message(after))
    mapping.fill_violations(expected.warnings, release_warnings(after, given.rules.gate))
    assert service.SubmitProgramResponse.FromString(response) == expected
    assert bool(expected.warnings) == (in_work(state).content.plan == "")


def test_a_comment_is_answered_with_itself() -> None:
    command = AddReviewComment(PROGRAM_ID, uuid4(), "Too short.", "plan", as_reviewer=True)
    after, response = answered(program(State.IN_REVIEW), command, context("bob", after=5))
    told = service.AddReviewCommentResponse.FromString(response)
    assert told.program == mapping.to_message(after)
    made = mapping.read_comment(told.comment)
    assert (made.comment_id, made.author, made.text) == (command.comment_id, "bob", "Too short.")
    assert (made.create_time, made.is_open) == (context(after=5).now, True)


def test_a_resolution_is_answered_with_the_comment_as_it_leaves_it_also_when_there_was_nothing_to_do() -> None:
    known = comment()
    state = program(State.IN_REVIEW)
    command = ResolveReviewComment(PROGRAM_ID, COMMENT_ID, as_reviewer=True)
    after, response = answered(state, command, context("dora", after=5, comments=(known,)))
    told = service.ResolveReviewCommentResponse.FromString(response)
    settled = replace(known, resolver="dora", resolve_time=context(after=5).now)
    assert (told.program, mapping.read_comment(told.comment)) == (mapping.to_message(after), settled)
    again, repeated = answered(after, command, context("erin", after=9, comments=(settled,)))
    assert (again, repeated) == (after, response)


def test_a_deletion_is_answered_with_what_is_left() -> None:
    after, response = answered(program(State.DRAFT), DeleteProgram(PROGRAM_ID), context())
    told = service.DeleteProgramResponse.FromString(response)
    assert told.program == mapping.to_message(after)
    assert not told.program.HasField("working")


def test_a_reviewer_is_answered_as_stored_and_nothing_of_them_is_public() -> None:
    command, given = RegisterReviewer("bob", ("cloud",), 2), context("paul")
    changes = decide_reviewer(None, command, given)
    after = apply_reviewer(None, changes, given)
    revision = REVIEWERS.revision(None, after, changes, command, given)
    told = service.RegisterReviewerResponse.FromString(revision.response)
    assert told == service.RegisterReviewerResponse(reviewer=mapping.to_reviewer_message(after))
    assert REVIEWERS.decode(bytes(revision.columns["state"])) == after  # type: ignore[call-overload] # a column's type is open
    assert (revision.event_type, revision.public) == mapping.ADVANCED
    assert events.ReviewerRevisionRecord.FromString(revision.private).command == "RegisterReviewer"
    assert REVIEWERS.etag(after) == told.reviewer.etag


def test_an_update_that_changes_nothing_of_a_reviewer_is_answered_with_the_reviewer() -> None:
    state, _ = answered_reviewer(None, RegisterReviewer("bob", ("cloud",), 2), context("paul"))
    after, response = answered_reviewer(state, UpdateReviewer("bob", ("cloud",), 9, ("categories",)), context("paul"))
    told = service.UpdateReviewerResponse.FromString(response)
    assert (after, told.reviewer) == (state, mapping.to_reviewer_message(state))
    assert told.reviewer.state == review_pb2.Reviewer.STATE_REGISTERED
