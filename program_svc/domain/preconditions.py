"""What nearly every command needs of the program, in the order in which it is told."""

from program_svc.domain.commands import Command
from program_svc.domain.context import Context
from program_svc.domain.errors import FourEyes, NotAnAuthor, ProgramState, program_not_found
from program_svc.domain.program import Program, State, Version


def known(state: Program | None, command: Command) -> Program:
    """Return the program, be it a deleted one: for the service's own commands, which then find nothing to do."""
    if state is None:
        raise program_not_found(command.program_id)
    return state


def existing(state: Program | None, command: Command) -> Program:
    """Return the program, unless it is deleted."""
    program = known(state, command)
    if program.state is State.DELETED:
        raise program_not_found(command.program_id)
    return program


def working(program: Program, command: Command) -> Version:
    """Return the working version; a retired program has none."""
    if program.working is None:
        raise ProgramState(program.state, command)
    return program.working


def authored(program: Program, command: Command, context: Context) -> Version:
    """Return the working version for one of its authors."""
    version = working(program, command)
    if not program.is_by(context.principal):
        raise NotAnAuthor(context.principal)
    return version


def in_review(program: Program, command: Command) -> Version:
    """Return the working version that is in review."""
    version = working(program, command)
    if version.state is not State.IN_REVIEW:
        raise ProgramState(version.state, command)
    return version


def reviewed(program: Program, command: Command, context: Context) -> Version:
    """Return the working version in review for somebody other than its authors."""
    working(program, command)
    if program.is_by(context.principal):
        raise FourEyes(context.principal)
    return in_review(program, command)
