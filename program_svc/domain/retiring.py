"""Retiring a program, now or at a time."""

from dataclasses import replace
from typing import assert_never

from program_svc.domain.changes import (
    Change,
    ReleaseUnscheduled,
    RetirementScheduled,
    VersionRetired,
    VersionWithdrawn,
)
from program_svc.domain.commands import FireRetirement, RetirementCommand, RetireProgram
from program_svc.domain.content_rules import check_texts
from program_svc.domain.context import Context
from program_svc.domain.errors import ProgramRefersToItself, ProgramState, RetirementTimePast, SuccessorNotReleased
from program_svc.domain.preconditions import existing, known
from program_svc.domain.program import Program, Retirement, State


def decide_retirement(state: Program | None, command: RetirementCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command that retires."""
    match command:
        case RetireProgram():
            return _retire(state, command, context)
        case FireRetirement():
            return _fire(known(state, command), context)
        case _:
            assert_never(command)


def _retire(state: Program | None, command: RetireProgram, context: Context) -> tuple[Change, ...]:
    successor, time = command.successor_program_id, command.effective_time
    check_texts(("reason", command.reason))
    if successor == command.program_id:
        raise ProgramRefersToItself(command.program_id)
    if time is not None and time <= context.now:
        raise RetirementTimePast(time, context.now)
    program = existing(state, command)
    if program.state is not State.RELEASED:
        raise ProgramState(program.state, command)
    if successor is not None and not command.successor_released:
        raise SuccessorNotReleased(successor)
    retirement = Retirement(command.reason, successor, time or context.now, command.cancel_offers)
    if time is None:
        return _retired(program, retirement)
    return () if retirement == program.pending_retirement else (RetirementScheduled(retirement),)


def _fire(program: Program, context: Context) -> tuple[Change, ...]:
    pending = program.pending_retirement
    if pending is None or pending.retire_time > context.now:
        return ()
    return _retired(program, replace(pending, retire_time=context.now))


def _retired(program: Program, retirement: Retirement) -> tuple[Change, ...]:
    """Retire, and end what can't go on: a scheduled release, and a review that nobody could finish."""
    match None if program.working is None else program.working.state:
        case State.SCHEDULED:
            return (ReleaseUnscheduled(), VersionRetired(retirement))
        case State.IN_REVIEW:
            return (VersionWithdrawn(), VersionRetired(retirement))
        case _:
            return (VersionRetired(retirement),)
