"""Submitting for review, and what reviewers decide: never an author, and where reviewers are assigned, only they."""

from typing import assert_never

from program_svc.domain.assignment import missing_reviewers, queue_for_others
from program_svc.domain.changes import (
    Change,
    ChangesRequested,
    VersionApproved,
    VersionRejected,
    VersionSubmitted,
    VersionWithdrawn,
)
from program_svc.domain.commands import (
    ApproveProgram,
    RejectProgram,
    RequestChanges,
    ReviewCommand,
    SubmitProgram,
    WithdrawProgram,
)
from program_svc.domain.content_rules import check_texts
from program_svc.domain.context import Context
from program_svc.domain.errors import (
    AlreadyApprovedBy,
    NotAssigned,
    OpenBlockingComments,
    ProgramState,
    RejectionReasonMissing,
)
from program_svc.domain.preconditions import authored, existing, reviewed
from program_svc.domain.program import Program, State, Version


def decide_review(state: Program | None, command: ReviewCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command on the way through review."""
    match command:
        case SubmitProgram():
            return _submit(existing(state, command), command, context)
        case WithdrawProgram():
            return _withdraw(existing(state, command), command, context)
        case RequestChanges():
            return _request_changes(state, command, context)
        case ApproveProgram():
            return _approve(existing(state, command), command, context)
        case RejectProgram():
            return _reject(state, command, context)
        case _:
            assert_never(command)


def _submit(program: Program, command: SubmitProgram, context: Context) -> tuple[Change, ...]:
    version = authored(program, command, context)
    if version.state is not State.DRAFT:
        raise ProgramState(version.state, command)
    return (VersionSubmitted(), *missing_reviewers(program, version.content, context))


def _withdraw(program: Program, command: WithdrawProgram, context: Context) -> tuple[Change, ...]:
    version = authored(program, command, context)
    if version.state is not State.IN_REVIEW:
        raise ProgramState(version.state, command)
    return (VersionWithdrawn(),)


def _request_changes(state: Program | None, command: RequestChanges, context: Context) -> tuple[Change, ...]:
    check_texts(("text", command.text))
    reviewed(existing(state, command), command, context)
    return (ChangesRequested(context.principal, command.text),)


def _approve(program: Program, command: ApproveProgram, context: Context) -> tuple[Change, ...]:
    version = reviewed(program, command, context)
    if version.is_approved_by(context.principal):
        raise AlreadyApprovedBy(context.principal)
    _check_assigned(version, context)
    if version.open_blocking_comments:
        raise OpenBlockingComments(version.open_blocking_comments)
    approved = VersionApproved(context.principal, len(version.approvals) + 1 >= context.rules.approvals_needed)
    return (approved,) if approved.complete else (approved, *queue_for_others(version, context))


def _reject(state: Program | None, command: RejectProgram, context: Context) -> tuple[Change, ...]:
    check_texts(("reason", command.reason))
    if not command.reason.strip():
        raise RejectionReasonMissing
    _check_assigned(reviewed(existing(state, command), command, context), context)
    return (VersionRejected(context.principal, command.reason),)


def _check_assigned(version: Version, context: Context) -> None:
    """Refuse others than the assigned reviewers to decide, as long as some are assigned."""
    if version.assignments and not version.is_assigned_to(context.principal):
        raise NotAssigned(context.principal)
