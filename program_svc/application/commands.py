"""The one way of every command on a program: decide on the present state, fold the changes, write one revision."""

from dataclasses import replace
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bus.commands import Accepted, CommandCall, CommandPath, Outcome, Revision, Unchanged
from chassis.postgres import Connection
from program_svc.domain.changes import Change
from program_svc.domain.commands import Command, RetireProgram
from program_svc.domain.context import Context, Rules
from program_svc.domain.decide import decide
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program


class Encoder(Protocol):
    """Writes programs and what happens to them as messages."""

    def revision(
        self, before: Program | None, after: Program, changes: tuple[Change, ...], command: Command, actor: str
    ) -> Revision:
        """Encode one revision: the new state, the event, the private record, the response."""
        ...

    def response(self, program: Program, command: Command) -> bytes:
        """Encode the response to a command that changed nothing."""
        ...


class ReleasedPrograms(Protocol):
    """Which programs are released, as it is decided."""

    async def is_released(self, connection: Connection, program_id: UUID) -> bool:
        """Tell whether a program is released now."""
        ...


class Programs:
    """Executes commands on programs."""

    def __init__(self, path: CommandPath[Program], encoder: Encoder, released: ReleasedPrograms, rules: Rules) -> None:
        self._path = path
        self._encoder = encoder
        self._released = released
        self._rules = rules

    async def execute(self, command: Command, call: CommandCall) -> Outcome:
        """Carry a command out. Raises the refusals of the domain and those of the command path."""

        async def propose(
            state: Program | None, now: datetime, connection: Connection
        ) -> Accepted[Program] | Unchanged:
            context = Context(now, call.principal, self._rules)
            changes = decide(state, await self._informed(command, connection), context)
            if not changes and state is not None:
                return Unchanged(self._encoder.response(state, command))
            after = apply(state, changes, context)
            return Accepted(after.revision, self._encoder.revision(state, after, changes, command, call.principal))

        return await self._path.execute(call, command.program_id, propose)

    async def _informed(self, command: Command, connection: Connection) -> Command:
        """Return the command with what it must know of other programs."""
        if isinstance(command, RetireProgram) and command.successor_program_id is not None:
            released = await self._released.is_released(connection, command.successor_program_id)
            return replace(command, successor_released=released)
        return command
