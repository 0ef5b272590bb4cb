"""Releasing the approved version: now, at a time, or because it is live elsewhere already."""

from datetime import datetime
from typing import Final, assert_never

from program_svc.domain.changes import (
    Change,
    ProgramCreated,
    ReleaseFailed,
    ReleaseScheduled,
    ReleaseUnscheduled,
    VersionReleased,
)
from program_svc.domain.commands import (
    CancelScheduledRelease,
    FireRelease,
    ImportProgram,
    ReleaseCommand,
    ReleaseProgram,
    WaiverRequest,
)
from program_svc.domain.content import changed_fields
from program_svc.domain.content_rules import check_content, check_texts
from program_svc.domain.context import Context
from program_svc.domain.due import release_due
from program_svc.domain.errors import (
    OpenBlockingComments,
    ProgramState,
    ReleaseTimePast,
    WaiverReasonMissing,
    program_exists,
)
from program_svc.domain.preconditions import existing, known, working
from program_svc.domain.program import Program, State, Waiver
from program_svc.domain.release_gate import check_waiver, enforce, standing_violations

_RELEASABLE: Final = frozenset({State.APPROVED, State.SCHEDULED})


def decide_release(state: Program | None, command: ReleaseCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command that releases, or that keeps from it."""
    match command:
        case ReleaseProgram():
            return _release(state, command, context)
        case CancelScheduledRelease():
            return _cancel(existing(state, command), command)
        case FireRelease():
            return _fire(known(state, command), context)
        case ImportProgram():
            return _import(state, command, context)
        case _:
            assert_never(command)


def _release(state: Program | None, command: ReleaseProgram, context: Context) -> tuple[Change, ...]:
    given = _waivers(command.waiver, context)
    time = command.release_time
    if time is not None and time <= context.now:
        raise ReleaseTimePast(time, context.now)
    version = working(existing(state, command), command)
    if version.state not in _RELEASABLE:
        raise ProgramState(version.state, command)
    if version.open_blocking_comments:
        raise OpenBlockingComments(version.open_blocking_comments)
    waivers = given or version.waivers
    enforce(version.content, waivers, context.rules.gate)
    if time is None:
        return (VersionReleased(waivers),)
    if (version.state, version.release_time, version.waivers) == (State.SCHEDULED, time, waivers):
        return ()
    return (ReleaseScheduled(time, waivers),)


def _cancel(program: Program, command: CancelScheduledRelease) -> tuple[Change, ...]:
    version = working(program, command)
    if version.state is not State.SCHEDULED:
        raise ProgramState(version.state, command)
    return (ReleaseUnscheduled(),)


def _fire(program: Program, context: Context) -> tuple[Change, ...]:
    version, time = program.working, release_due(program)
    if version is None or time is None or time > context.now or _retires_first(program, time):
        return ()
    standing = standing_violations(version.content, version.waivers, context.rules.gate)
    return (ReleaseFailed(standing),) if standing else (VersionReleased(version.waivers),)


def _retires_first(program: Program, release_time: datetime) -> bool:
    """Tell whether the program's retirement comes before the release: after a downtime both may be due."""
    pending = program.pending_retirement
    return pending is not None and pending.retire_time <= release_time


def _import(state: Program | None, command: ImportProgram, context: Context) -> tuple[Change, ...]:
    check_content(command.program_id, command.content, command.co_authors)
    check_texts(("author", command.author))
    waivers = _waivers(command.waiver, context)
    if state is not None:
        if state.live is not None and not changed_fields(state.live.content, command.content):
            if state.live.state is State.RETIRED:
                raise ProgramState(state.live.state, command)
            return ()
        raise program_exists(command.program_id)
    enforce(command.content, waivers, context.rules.gate)
    return (
        ProgramCreated(command.program_id, command.author or context.principal, command.co_authors, command.content),
        VersionReleased(waivers),
    )


def _waivers(request: WaiverRequest | None, context: Context) -> tuple[Waiver, ...]:
    if request is None:
        return ()
    check_waiver(request, context.rules.gate)
    check_texts(("waiver.reason", request.reason))
    if not request.reason.strip():
        raise WaiverReasonMissing
    return (Waiver(request.rules, request.reason, context.principal),)
