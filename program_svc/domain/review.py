"""Submitting for review, and what reviewers decide: never an author, and where reviewers are assigned, only they."""

from typing import assert_never

from program_svc.domain.assignment import missing_reviewers
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
    version = _assigned(program, command, context)
    if version.is_approved_by(context.principal):
        raise AlreadyApprovedBy(context.principal)
    if version.open_blocking_comments:
        raise OpenBlockingComments(version.open_blocking_comments)
    complete = len(version.approvals) + 1 >= context.rules.approvals_needed
    return (VersionApproved(context.principal, complete),)


def _reject(state: Program | None, command: RejectProgram, context: Context) -> tuple[Change, ...]:
    check_texts(("reason", command.reason))
    if not command.reason.strip():
        raise RejectionReasonMissing
    _assigned(existing(state, command), command, context)
    return (VersionRejected(context.principal, command.reason),)


def _assigned(program: Program, command: ApproveProgram | RejectProgram, context: Context) -> Version:
    """Return the version for one of the reviewers who decide on it: those assigned, if any are."""
    version = reviewed(program, command, context)
    if version.assignments and not version.is_assigned_to(context.principal):
        raise NotAssigned(context.principal)
    return version
