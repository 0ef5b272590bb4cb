"""Commands from the requests to review a program, and to keep the registry of its reviewers."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from training.program.v1 import program_service_pb2 as service

from chassis.refusal import Violation
from program_svc.adapters.mapping_values import read_id, read_mask, read_optional_id, refuse, the_id
from program_svc.domain.commands import (
    AddReviewComment,
    ApproveProgram,
    AssignReviewer,
    RegisterReviewer,
    RejectProgram,
    RemoveReviewer,
    RequestChanges,
    ResolveReviewComment,
    SubmitProgram,
    UpdateReviewer,
    WithdrawProgram,
)

_REVIEWER_FIELDS: Final = ("categories", "max_open_reviews")


def submit_program(request: service.SubmitProgramRequest) -> SubmitProgram:
    """Read a SubmitProgram."""
    return SubmitProgram(the_id(request.program_id, "program_id"))


def withdraw_program(request: service.WithdrawProgramRequest) -> WithdrawProgram:
    """Read a WithdrawProgram."""
    return WithdrawProgram(the_id(request.program_id, "program_id"))


def assign_reviewer(request: service.AssignReviewerRequest) -> AssignReviewer:
    """Read an AssignReviewer."""
    return AssignReviewer(the_id(request.program_id, "program_id"), request.reviewer)


def add_review_comment(
    request: service.AddReviewCommentRequest, comment_id: UUID, *, as_reviewer: bool
) -> AddReviewComment:
    """Read an AddReviewComment; the id is the request's or the one made for it, the role that of the caller."""
    faults: list[Violation] = []
    command = AddReviewComment(
        program_id=read_id(request.program_id, "program_id", faults),
        comment_id=comment_id,
        text=request.text,
        field_path=request.field_path,
        parent_comment_id=read_optional_id(request.parent_comment_id, "parent_comment_id", faults),
        blocking=request.blocking,
        as_reviewer=as_reviewer,
    )
    refuse(faults)
    return command


def resolve_review_comment(request: service.ResolveReviewCommentRequest, *, as_reviewer: bool) -> ResolveReviewComment:
    """Read a ResolveReviewComment; the role is that of the caller."""
    faults: list[Violation] = []
    command = ResolveReviewComment(
        read_id(request.program_id, "program_id", faults),
        read_id(request.comment_id, "comment_id", faults),
        as_reviewer,
    )
    refuse(faults)
    return command


def request_changes(request: service.RequestChangesRequest) -> RequestChanges:
    """Read a RequestChanges."""
    return RequestChanges(the_id(request.program_id, "program_id"), request.text)


def approve_program(request: service.ApproveProgramRequest) -> ApproveProgram:
    """Read an ApproveProgram."""
    return ApproveProgram(the_id(request.program_id, "program_id"))


def reject_program(request: service.RejectProgramRequest) -> RejectProgram:
    """Read a RejectProgram."""
    return RejectProgram(the_id(request.program_id, "program_id"), request.reason)


def register_reviewer(request: service.RegisterReviewerRequest) -> RegisterReviewer:
    """Read a RegisterReviewer; no number of reviews means the usual one."""
    return RegisterReviewer(request.principal, tuple(request.categories), request.max_open_reviews or None)


def update_reviewer(request: service.UpdateReviewerRequest) -> UpdateReviewer:
    """Read an UpdateReviewer with its mask resolved; no number of reviews means the usual one."""
    faults: list[Violation] = []
    command = UpdateReviewer(
        request.principal,
        tuple(request.categories),
        request.max_open_reviews or None,
        read_mask(request.update_mask, _REVIEWER_FIELDS, _given(request), faults),
    )
    refuse(faults)
    return command


def _given(request: service.UpdateReviewerRequest) -> Iterator[str]:
    if request.categories:
        yield "categories"
    if request.max_open_reviews:
        yield "max_open_reviews"


def remove_reviewer(request: service.RemoveReviewerRequest) -> RemoveReviewer:
    """Read a RemoveReviewer."""
    return RemoveReviewer(request.principal)
