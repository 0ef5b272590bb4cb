from datetime import datetime
from typing import Any, Final

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from chassis.refusal import InvalidField
from program_svc.adapters import mapping
from program_svc.domain.commands import (
    AddReviewComment,
    ApproveProgram,
    AssignReviewer,
    CancelScheduledRelease,
    DeleteProgram,
    ImportProgram,
    RegisterReviewer,
    RejectProgram,
    ReleaseProgram,
    RemoveReviewer,
    RequestChanges,
    ResolveReviewComment,
    RetireProgram,
    ReviseProgram,
    SubmitProgram,
    UpdateReviewer,
    WaiverRequest,
    WithdrawProgram,
)
from program_svc.domain.content import CONTENT_FIELDS
from tests.unit.program.samples import COMMENT_ID, COMPLETE, NOW, OTHER_ID, PROGRAM_ID, instants

ID: Final = str(PROGRAM_ID)
WAIVER: Final = pb.Waiver(rules=["plan.length", "*"], reason="a pilot", principal="not taken")
ASKED: Final = WaiverRequest(("plan.length", "*"), "a pilot")


@pytest.mark.parametrize(
    ("read", "request_", "command"),
    [
        (mapping.submit_program, service.SubmitProgramRequest(program_id=ID), SubmitProgram(PROGRAM_ID)),
        (mapping.withdraw_program, service.WithdrawProgramRequest(program_id=ID), WithdrawProgram(PROGRAM_ID)),
        (mapping.approve_program, service.ApproveProgramRequest(program_id=ID), ApproveProgram(PROGRAM_ID)),
        (mapping.revise_program, service.ReviseProgramRequest(program_id=ID), ReviseProgram(PROGRAM_ID)),
        (mapping.delete_program, service.DeleteProgramRequest(program_id=ID), DeleteProgram(PROGRAM_ID)),
        (
            mapping.cancel_scheduled_release,
            service.CancelScheduledReleaseRequest(program_id=ID),
            CancelScheduledRelease(PROGRAM_ID),
        ),
        (mapping.assign_reviewer, service.AssignReviewerRequest(program_id=ID), AssignReviewer(PROGRAM_ID)),
        (
            mapping.assign_reviewer,
            service.AssignReviewerRequest(program_id=ID, reviewer="bob"),
            AssignReviewer(PROGRAM_ID, "bob"),
        ),
        (mapping.request_changes, service.RequestChangesRequest(program_id=ID), RequestChanges(PROGRAM_ID)),
        (
            mapping.request_changes,
            service.RequestChangesRequest(program_id=ID, text="Longer."),
            RequestChanges(PROGRAM_ID, "Longer."),
        ),
        (
            mapping.reject_program,
            service.RejectProgramRequest(program_id=ID, reason="off topic"),
            RejectProgram(PROGRAM_ID, "off topic"),
        ),
        (mapping.release_program, service.ReleaseProgramRequest(program_id=ID), ReleaseProgram(PROGRAM_ID)),
        (
            mapping.release_program,
            service.ReleaseProgramRequest(program_id=ID, waiver=WAIVER),
            ReleaseProgram(PROGRAM_ID, ASKED),
        ),
        (
            mapping.import_program,
            service.ImportProgramsRequest(program_id=ID, content=mapping.write_content(COMPLETE), waiver=WAIVER),
            ImportProgram(PROGRAM_ID, COMPLETE, ASKED),
        ),
        (
            mapping.import_program,
            service.ImportProgramsRequest(
                program_id=ID, content=mapping.write_content(COMPLETE), author="ann", co_authors=["ben", "cleo"]
            ),
            ImportProgram(PROGRAM_ID, COMPLETE, author="ann", co_authors=("ben", "cleo")),
        ),
        (
            mapping.import_program,
            service.ImportProgramsRequest(program_id=ID, content=mapping.write_content(COMPLETE)),
            ImportProgram(PROGRAM_ID, COMPLETE),
        ),
        (
            mapping.retire_program,
            service.RetireProgramRequest(program_id=ID, reason="outdated"),
            RetireProgram(PROGRAM_ID, "outdated"),
        ),
        (
            mapping.register_reviewer,
            service.RegisterReviewerRequest(principal="bob", categories=["cloud", "law"], max_open_reviews=7),
            RegisterReviewer("bob", ("cloud", "law"), 7),
        ),
        (mapping.register_reviewer, service.RegisterReviewerRequest(principal="bob"), RegisterReviewer("bob")),
        (mapping.remove_reviewer, service.RemoveReviewerRequest(principal="bob"), RemoveReviewer("bob")),
    ],
)
def test_each_request_becomes_its_command(read: Any, request_: Any, command: object) -> None:  # noqa: ANN401 - of any type
    assert read(request_) == command


def test_a_retirement_does_not_say_itself_that_its_successor_is_released() -> None:
    followed = service.RetireProgramRequest(program_id=ID, reason="outdated", successor_program_id=str(OTHER_ID))
    assert mapping.retire_program(followed) == RetireProgram(PROGRAM_ID, "outdated", OTHER_ID, successor_released=False)


@given(instants, st.booleans())
def test_a_release_and_a_retirement_take_the_time_they_are_given(time: datetime, cancel: bool) -> None:  # noqa: FBT001 - Hypothesis hands values over by position
    wired = Timestamp()
    wired.FromDatetime(time)
    release = service.ReleaseProgramRequest(program_id=ID, release_time=wired)
    assert mapping.release_program(release) == ReleaseProgram(PROGRAM_ID, None, time)
    retire = service.RetireProgramRequest(program_id=ID, reason="old", effective_time=wired, cancel_offers=cancel)
    assert mapping.retire_program(retire) == RetireProgram(PROGRAM_ID, "old", effective_time=time, cancel_offers=cancel)


def test_the_start_of_the_epoch_is_a_time_and_not_its_absence() -> None:
    release = service.ReleaseProgramRequest(program_id=ID, release_time=Timestamp())
    assert mapping.release_program(release).release_time == datetime.fromtimestamp(0, NOW.tzinfo)


@pytest.mark.parametrize("as_reviewer", [True, False])
def test_a_comment_is_asked_for_in_the_role_of_its_caller(*, as_reviewer: bool) -> None:
    request = service.AddReviewCommentRequest(
        program_id=ID,
        comment_id=str(OTHER_ID),
        parent_comment_id=str(OTHER_ID),
        field_path="plan",
        text="Short.",
        blocking=True,
    )
    assert mapping.add_review_comment(request, COMMENT_ID, as_reviewer=as_reviewer) == AddReviewComment(
        PROGRAM_ID, COMMENT_ID, "Short.", "plan", OTHER_ID, blocking=True, as_reviewer=as_reviewer
    )
    alone = service.AddReviewCommentRequest(program_id=ID, field_path="plan", text="Short.")
    assert mapping.add_review_comment(alone, COMMENT_ID, as_reviewer=as_reviewer) == AddReviewComment(
        PROGRAM_ID, COMMENT_ID, "Short.", "plan", as_reviewer=as_reviewer
    )
    resolve = service.ResolveReviewCommentRequest(program_id=ID, comment_id=str(COMMENT_ID))
    assert mapping.resolve_review_comment(resolve, as_reviewer=as_reviewer) == ResolveReviewComment(
        PROGRAM_ID, COMMENT_ID, as_reviewer
    )


def test_a_mask_names_the_fields_that_an_update_takes() -> None:
    request = service.UpdateProgramRequest(
        program_id=ID,
        content=pb.ProgramContent(title="New"),
        update_mask=FieldMask(paths=["plan", "title", "plan"]),
    )
    command = mapping.update_program(request)
    assert (command.program_id, command.content.title) == (PROGRAM_ID, "New")
    assert command.fields == ("title", "plan")


@pytest.mark.parametrize("mask", [None, FieldMask()])
def test_without_a_mask_an_update_takes_the_fields_that_are_set(mask: FieldMask | None) -> None:
    content = pb.ProgramContent(title="New", tags=["a"], prerequisites=pb.Prerequisites())
    request = service.UpdateProgramRequest(program_id=ID, content=content, update_mask=mask)
    assert mapping.update_program(request).fields == ("title", "prerequisites", "tags")


def test_a_star_takes_every_field() -> None:
    request = service.UpdateProgramRequest(
        program_id=ID, content=pb.ProgramContent(), update_mask=FieldMask(paths=["*"])
    )
    assert mapping.update_program(request).fields == CONTENT_FIELDS


@pytest.mark.parametrize(
    ("given_", "paths", "fields"),
    [
        ({}, [], ()),
        ({"categories": ["law"]}, [], ("categories",)),
        ({"max_open_reviews": 2}, [], ("max_open_reviews",)),
        ({"categories": ["law"], "max_open_reviews": 2}, [], ("categories", "max_open_reviews")),
        ({"categories": ["law"], "max_open_reviews": 2}, ["max_open_reviews"], ("max_open_reviews",)),
        ({}, ["max_open_reviews", "categories"], ("categories", "max_open_reviews")),
        ({}, ["*"], ("categories", "max_open_reviews")),
    ],
)
def test_an_update_of_a_reviewer_takes_what_its_mask_names_or_what_is_set(
    given_: dict[str, Any], paths: list[str], fields: tuple[str, ...]
) -> None:
    request = service.UpdateReviewerRequest(principal="bob", update_mask=FieldMask(paths=paths), **given_)
    assert mapping.update_reviewer(request) == UpdateReviewer(
        "bob", tuple(given_.get("categories", ())), given_.get("max_open_reviews"), fields
    )


@pytest.mark.parametrize("path", ["titel", "", "content.title", "prerequisites.text", "agenda[0]", "Title"])
def test_an_unknown_path_of_the_mask_is_an_invalid_field(path: str) -> None:
    mask = FieldMask(paths=["*", path])
    program = service.UpdateProgramRequest(program_id=ID, content=pb.ProgramContent(), update_mask=mask)
    reviewer = service.UpdateReviewerRequest(principal="bob", update_mask=mask)
    with pytest.raises(InvalidField) as refused:
        mapping.update_program(program)
    assert [(found.field, found.found) for found in refused.value.violations] == [("update_mask", path)]
    with pytest.raises(InvalidField) as refused:
        mapping.update_reviewer(reviewer)
    assert [(found.field, found.found) for found in refused.value.violations] == [("update_mask", path)]
