"""The one way of every command on a program: decide on the present state, fold the changes, write one revision."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bus.commands.path import Accepted, CommandCall, CommandPath, Outcome, Revision, Unchanged
from chassis.postgres import Connection
from program_svc.domain.changes import Change
from program_svc.domain.commands import (
    AddReviewComment,
    AssignReviewer,
    AssignWaiting,
    Command,
    FireRetirement,
    ReassignReviews,
    ResolveReviewComment,
    RetirementCommand,
    RetireProgram,
    ReviewCommand,
    SubmitProgram,
)
from program_svc.domain.comment import Comment
from program_svc.domain.context import Context, Rules
from program_svc.domain.decide import decide
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program
from program_svc.domain.reviewer import Candidate


class Encoder(Protocol):
    """Writes programs and what happens to them as messages, and reads them back."""

    def decode(self, state: bytes) -> Program:
        """Return the program from its stored message."""
        ...

    def etag(self, state: Program) -> str:
        """Return the etag of the program's definition."""
        ...

    def revision(
        self, before: Program | None, after: Program, changes: tuple[Change, ...], command: Command, context: Context
    ) -> Revision:
        """Encode one revision: the new state, the event, the private record, the response, the rows beside it."""
        ...

    def response(self, program: Program, command: Command, context: Context) -> bytes:
        """Encode the response to a command that changed nothing."""
        ...


class Facts(Protocol):
    """What commands depend on beside the program, as it is decided; the commit makes sure that it still holds."""

    async def candidates(
        self, connection: Connection, program_id: UUID, known: Sequence[str], *, in_turn: bool
    ) -> tuple[Candidate, ...]:
        """Return the registered reviewers who are free, and those known to the program if they are registered.

        `in_turn` leaves out those for whom another program waits.
        """
        ...

    async def comments(self, connection: Connection, comment_ids: Sequence[UUID]) -> tuple[Comment, ...]:
        """Return the comments with these ids, of any program."""
        ...

    async def is_released(self, connection: Connection, program_id: UUID) -> bool:
        """Tell whether a program is released now."""
        ...


class ProgramHandler:
    """Decides commands on programs, as the command path asks."""

    def __init__(self, encoder: Encoder, facts: Facts, rules: Rules) -> None:
        self._encoder = encoder
        self._facts = facts
        self._rules = rules

    async def load(
        self, connection: Connection, aggregate_id: UUID, stored: bytes | None, commands: Sequence[Command]
    ) -> Program | None:
        """Return the program from its stored message."""
        del connection, aggregate_id, commands
        return None if stored is None else self._encoder.decode(stored)

    def etag(self, state: Program) -> str:
        """Return the etag of the program's definition."""
        return self._encoder.etag(state)

    async def decide(
        self, state: Program | None, command: Command, call: CommandCall, now: datetime, connection: Connection
    ) -> Accepted[Program] | Unchanged:
        """Decide on the present state and encode what follows. Raises the refusals of the domain."""
        context = Context(now, call.principal, self._rules)
        if state is not None:
            context = await self._informed(context, state, command, connection)
        changes = decide(state, await self._completed(state, command, connection), context)
        if not changes and state is not None:
            return Unchanged(self._encoder.response(state, command, context))
        after = apply(state, changes, context)
        return Accepted(after.revision, self._encoder.revision(state, after, changes, command, context), after)

    def merge(self, effects: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """Return the last effects: no command on a program is hot."""
        return effects[-1]

    async def _informed(self, context: Context, program: Program, command: Command, connection: Connection) -> Context:
        """Return the context with what the command must know of reviewers and comments.

        A program that comes anew takes no reviewer for whom another one waits already.
        """
        match command:
            case SubmitProgram() | ReassignReviews():
                known, in_turn = program.assigned, True
            case AssignReviewer() | AssignWaiting():
                named = command.reviewer if isinstance(command, AssignReviewer) else ""
                known, in_turn = (*program.assigned, *filter(None, [named])), False
            case AddReviewComment():
                return await self._with_comments(context, connection, command.comment_id, command.parent_comment_id)
            case ResolveReviewComment():
                return await self._with_comments(context, connection, command.comment_id)
            case _:
                return context
        candidates = await self._facts.candidates(connection, program.program_id, known, in_turn=in_turn)
        return replace(context, candidates=candidates)

    async def _with_comments(self, context: Context, connection: Connection, *named: UUID | None) -> Context:
        comment_ids = [comment_id for comment_id in named if comment_id is not None]
        return replace(context, comments=await self._facts.comments(connection, comment_ids))

    async def _completed(self, state: Program | None, command: Command, connection: Connection) -> Command:
        """Return the command with what it must know of other programs: whether the successor is released now."""
        match command:
            case RetireProgram():
                successor = command.successor_program_id
            case FireRetirement() if state is not None and state.pending_retirement is not None:
                successor = state.pending_retirement.successor_program_id
            case _:
                return command
        if successor is None:
            return command
        return replace(command, successor_released=await self._facts.is_released(connection, successor))


def _nobody_to_tell() -> None:
    """Leave what waits for a reviewer to be found by itself."""


class Programs:
    """Executes commands on programs. `reviewers_freed` is told when reviews may have ended."""

    def __init__(
        self, path: CommandPath[Program, Command], reviewers_freed: Callable[[], None] = _nobody_to_tell
    ) -> None:
        self._path = path
        self._reviewers_freed = reviewers_freed

    async def execute(self, command: Command, call: CommandCall) -> Outcome:
        """Carry a command out. Raises the refusals of the domain and those of the command path."""
        outcome = await self._path.execute(call, command.program_id, command)
        if outcome.changed and isinstance(command, ReviewCommand | RetirementCommand):
            self._reviewers_freed()
        return outcome
