"""Retiring a program, now or at a time.

A successor is released at the moment of the retirement, and the commit holds its row: whoever is named was retired
later, if at all, so that no circle of successors can form. A retirement that was set names a successor which may have
been retired since: it takes effect without one, for the end of a program must not depend on another's.
"""

from dataclasses import replace
from typing import assert_never

from program_svc.domain.changes import Change, RetirementScheduled, VersionRetired
from program_svc.domain.commands import FireRetirement, RetirementCommand, RetireProgram
from program_svc.domain.content_rules import check_texts
from program_svc.domain.context import Context
from program_svc.domain.errors import (
    ProgramRefersToItself,
    ProgramState,
    RetirementReasonMissing,
    RetirementTimePast,
    SuccessorNotReleased,
)
from program_svc.domain.preconditions import existing, known
from program_svc.domain.program import Program, Retirement, State


def decide_retirement(state: Program | None, command: RetirementCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command that retires."""
    match command:
        case RetireProgram():
            return _retire(state, command, context)
        case FireRetirement():
            return _fire(known(state, command), command, context)
        case _:
            assert_never(command)


def _retire(state: Program | None, command: RetireProgram, context: Context) -> tuple[Change, ...]:
    successor, time = command.successor_program_id, command.effective_time
    check_texts(("reason", command.reason))
    if not command.reason.strip():
        raise RetirementReasonMissing
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
        return (VersionRetired(retirement),)
    return () if retirement == program.pending_retirement else (RetirementScheduled(retirement),)


def _fire(program: Program, command: FireRetirement, context: Context) -> tuple[Change, ...]:
    pending = program.pending_retirement
    if pending is None or pending.retire_time > context.now:
        return ()
    dropped = pending.successor_program_id is not None and not command.successor_released
    successor = None if dropped else pending.successor_program_id
    retirement = replace(pending, successor_program_id=successor, retire_time=context.now)
    return (VersionRetired(retirement, dropped),)
