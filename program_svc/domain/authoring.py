"""Creating, editing, revising and deleting programs."""

from dataclasses import replace
from typing import Final, assert_never

from program_svc.domain.changes import (
    Change,
    ContentChanged,
    ProgramCreated,
    ProgramDeleted,
    VersionReopened,
    VersionRevised,
)
from program_svc.domain.commands import AuthoringCommand, CreateProgram, DeleteProgram, ReviseProgram, UpdateProgram
from program_svc.domain.content import changed_fields
from program_svc.domain.content_rules import check_content
from program_svc.domain.context import Context
from program_svc.domain.errors import LockedInReview, NotAnAuthor, ProgramState, program_exists
from program_svc.domain.preconditions import authored, existing
from program_svc.domain.program import Program, State

_EDITABLE: Final = frozenset({State.DRAFT, State.APPROVED, State.SCHEDULED})
_DELETABLE: Final = frozenset({State.DRAFT, State.REJECTED})


def decide_authoring(state: Program | None, command: AuthoringCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command of the authors."""
    match command:
        case CreateProgram():
            return _create(state, command, context)
        case UpdateProgram():
            return _update(existing(state, command), command, context)
        case ReviseProgram():
            return _revise(existing(state, command), command, context)
        case DeleteProgram():
            return _delete(existing(state, command), command, context)
        case _:
            assert_never(command)


def _create(state: Program | None, command: CreateProgram, context: Context) -> tuple[Change, ...]:
    check_content(command.program_id, command.content, command.co_authors)
    if state is not None:
        raise program_exists(command.program_id)
    return (ProgramCreated(command.program_id, context.principal, command.co_authors, command.content),)


def _update(program: Program, command: UpdateProgram, context: Context) -> tuple[Change, ...]:
    version = authored(program, command, context)
    if version.state is State.IN_REVIEW:
        raise LockedInReview
    if version.state not in _EDITABLE:
        raise ProgramState(version.state, command)
    before = version.content
    changed = tuple(name for name in changed_fields(before, command.content) if name in command.fields)
    if not changed:
        return ()
    after = replace(before, **{name: getattr(command.content, name) for name in changed})
    check_content(program.program_id, after)
    if version.state is State.DRAFT or context.rules.exempt_fields.issuperset(changed):
        return (ContentChanged(after, changed),)
    if version.state is State.SCHEDULED:
        raise ProgramState(version.state, command)
    return (ContentChanged(after, changed), VersionReopened())


def _revise(program: Program, command: ReviseProgram, context: Context) -> tuple[Change, ...]:
    if program.retirement is not None:
        raise ProgramState(program.state, command)
    if not program.is_by(context.principal):
        raise NotAnAuthor(context.principal)
    if program.working is not None and program.working.state is not State.REJECTED:
        raise ProgramState(program.working.state, command)
    return (VersionRevised(program.version_count + 1),)


def _delete(program: Program, command: DeleteProgram, context: Context) -> tuple[Change, ...]:
    version = authored(program, command, context)
    if program.live is not None:
        raise ProgramState(program.state, command)
    if version.state not in _DELETABLE:
        raise ProgramState(version.state, command)
    return (ProgramDeleted(),)
