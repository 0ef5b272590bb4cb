"""Which changes a command makes, or why it is refused.

What is wrong with the command itself is told before what is wrong with the program's state.
"""

from dataclasses import replace
from typing import assert_never

from program_svc.domain.changes import (
    Change,
    ContentChanged,
    ProgramCreated,
    VersionApproved,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionSubmitted,
)
from program_svc.domain.commands import (
    ApproveProgram,
    Command,
    CreateProgram,
    ImportProgram,
    ReleaseProgram,
    RetireProgram,
    SubmitProgram,
    UpdateProgram,
    WaiverRequest,
)
from program_svc.domain.content import CONTENT_FIELDS
from program_svc.domain.content_rules import check_content
from program_svc.domain.context import Context
from program_svc.domain.errors import (
    AlreadyApprovedBy,
    FourEyes,
    LockedInReview,
    NotAnAuthor,
    ProgramRefersToItself,
    ProgramState,
    SuccessorNotReleased,
    program_exists,
    program_not_found,
)
from program_svc.domain.program import Program, Retirement, State, Version, Waiver
from program_svc.domain.release_gate import check_waiver, enforce

_RELEASABLE = frozenset({State.APPROVED, State.SCHEDULED})


def decide(state: Program | None, command: Command, context: Context) -> tuple[Change, ...]:
    """Return the changes that the command makes, none if there is nothing to do, or raise a Refusal."""
    match command:
        case CreateProgram():
            return _create(state, command, context)
        case ImportProgram():
            return _import(state, command, context)
        case UpdateProgram():
            return _update(_existing(state, command), command, context)
        case SubmitProgram():
            return _submit(_existing(state, command), command, context)
        case ApproveProgram():
            return _approve(_existing(state, command), command, context)
        case ReleaseProgram():
            return _release(state, command, context)
        case RetireProgram():
            return _retire(state, command, context)
        case _:
            assert_never(command)


def _create(state: Program | None, command: CreateProgram, context: Context) -> tuple[Change, ...]:
    check_content(command.program_id, command.content, command.co_authors)
    if state is not None:
        raise program_exists(command.program_id)
    return (ProgramCreated(command.program_id, context.principal, command.co_authors, command.content),)


def _import(state: Program | None, command: ImportProgram, context: Context) -> tuple[Change, ...]:
    check_content(command.program_id, command.content)
    waivers = _waivers(command.waiver, context)
    if state is not None:
        if state.live is not None and state.live.content == command.content:
            return ()
        raise program_exists(command.program_id)
    enforce(command.content, waivers, context.rules.gate)
    return (
        ProgramCreated(command.program_id, context.principal, (), command.content),
        VersionReleased(waivers),
    )


def _update(program: Program, command: UpdateProgram, context: Context) -> tuple[Change, ...]:
    version = _authored(program, command, context)
    if version.state is State.IN_REVIEW:
        raise LockedInReview
    if version.state not in {State.DRAFT, State.APPROVED}:
        raise ProgramState(version.state, command)
    before = version.content
    changed = tuple(
        name
        for name in CONTENT_FIELDS
        if name in command.fields and getattr(before, name) != getattr(command.content, name)
    )
    if not changed:
        return ()
    after = replace(before, **{name: getattr(command.content, name) for name in changed})
    check_content(program.program_id, after)
    if version.state is State.APPROVED and not context.rules.exempt_fields.issuperset(changed):
        return (ContentChanged(after, changed), VersionReopened())
    return (ContentChanged(after, changed),)


def _submit(program: Program, command: SubmitProgram, context: Context) -> tuple[Change, ...]:
    version = _authored(program, command, context)
    if version.state is not State.DRAFT:
        raise ProgramState(version.state, command)
    return (VersionSubmitted(),)


def _approve(program: Program, command: ApproveProgram, context: Context) -> tuple[Change, ...]:
    version = _working(program, command)
    if program.is_by(context.principal):
        raise FourEyes(context.principal)
    if version.state is not State.IN_REVIEW:
        raise ProgramState(version.state, command)
    if version.is_approved_by(context.principal):
        raise AlreadyApprovedBy(context.principal)
    complete = len(version.approvals) + 1 >= context.rules.approvals_needed
    return (VersionApproved(context.principal, complete),)


def _release(state: Program | None, command: ReleaseProgram, context: Context) -> tuple[Change, ...]:
    waivers = _waivers(command.waiver, context)
    version = _working(_existing(state, command), command)
    if version.state not in _RELEASABLE:
        raise ProgramState(version.state, command)
    enforce(version.content, waivers, context.rules.gate)
    return (VersionReleased(waivers),)


def _retire(state: Program | None, command: RetireProgram, context: Context) -> tuple[Change, ...]:
    successor = command.successor_program_id
    if successor == command.program_id:
        raise ProgramRefersToItself(command.program_id)
    program = _existing(state, command)
    if program.state is not State.RELEASED:
        raise ProgramState(program.state, command)
    if successor is not None and not command.successor_released:
        raise SuccessorNotReleased(successor)
    return (VersionRetired(Retirement(command.reason, successor, context.now)),)


def _existing(state: Program | None, command: Command) -> Program:
    if state is None:
        raise program_not_found(command.program_id)
    return state


def _working(program: Program, command: Command) -> Version:
    """Return the working version; a retired program's can't be worked on any more."""
    if program.working is None or program.retirement is not None:
        raise ProgramState(program.state, command)
    return program.working


def _authored(program: Program, command: Command, context: Context) -> Version:
    version = _working(program, command)
    if not program.is_by(context.principal):
        raise NotAnAuthor(context.principal)
    return version


def _waivers(request: WaiverRequest | None, context: Context) -> tuple[Waiver, ...]:
    if request is None:
        return ()
    check_waiver(request, context.rules.gate)
    return (Waiver(request.rules, request.reason, context.principal),)
