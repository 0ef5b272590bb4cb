"""The commands on the registry of reviewers, by a command path of its own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bus.commands.path import Accepted, CommandCall, CommandPath, Outcome, Revision, Unchanged
from chassis.postgres import Connection
from program_svc.domain.changes import ReviewerChange
from program_svc.domain.commands import ReviewerCommand
from program_svc.domain.context import Context, Rules
from program_svc.domain.registry import apply_reviewer, decide_reviewer
from program_svc.domain.reviewer import Reviewer, reviewer_id


class Encoder(Protocol):
    """Writes reviewers and what happens to them as messages, and reads them back."""

    def decode(self, state: bytes) -> Reviewer:
        """Return the reviewer from the stored message."""
        ...

    def etag(self, state: Reviewer) -> str:
        """Return the etag of the reviewer's definition."""
        ...

    def revision(
        self,
        before: Reviewer | None,
        after: Reviewer,
        changes: tuple[ReviewerChange, ...],
        command: ReviewerCommand,
        context: Context,
    ) -> Revision:
        """Encode one revision: the new state, the private record, the response, the rows beside it."""
        ...

    def response(self, reviewer: Reviewer, command: ReviewerCommand, context: Context) -> bytes:
        """Encode the response to a command that changed nothing."""
        ...


class ReviewerHandler:
    """Decides commands on reviewers, as the command path asks."""

    def __init__(self, encoder: Encoder, rules: Rules) -> None:
        self._encoder = encoder
        self._rules = rules

    async def load(
        self, connection: Connection, aggregate_id: UUID, stored: bytes | None, commands: Sequence[ReviewerCommand]
    ) -> Reviewer | None:
        """Return the reviewer from the stored message."""
        del connection, aggregate_id, commands
        return None if stored is None else self._encoder.decode(stored)

    def etag(self, state: Reviewer) -> str:
        """Return the etag of the reviewer's definition."""
        return self._encoder.etag(state)

    async def decide(
        self,
        state: Reviewer | None,
        command: ReviewerCommand,
        call: CommandCall,
        now: datetime,
        connection: Connection,
    ) -> Accepted[Reviewer] | Unchanged:
        """Decide on the present state and encode what follows. Raises the refusals of the domain."""
        del connection
        context = Context(now, call.principal, self._rules)
        changes = decide_reviewer(state, command, context)
        if not changes and state is not None:
            return Unchanged(self._encoder.response(state, command, context))
        after = apply_reviewer(state, changes, context)
        return Accepted(after.revision, self._encoder.revision(state, after, changes, command, context), after)

    def merge(self, effects: Sequence[Mapping[str, object]]) -> Mapping[str, object]:
        """Return the last effects: no command on a reviewer is hot."""
        return effects[-1]


class Reviewers:
    """Executes commands on reviewers. `changed` is told when others can be assigned than before."""

    def __init__(
        self, path: CommandPath[Reviewer, ReviewerCommand], changed: Callable[[], None], namespace: UUID
    ) -> None:
        self._path = path
        self._changed = changed
        self._namespace = namespace

    async def execute(self, command: ReviewerCommand, call: CommandCall) -> Outcome:
        """Carry a command out. Raises the refusals of the domain and those of the command path."""
        outcome = await self._path.execute(call, reviewer_id(self._namespace, command.principal), command)
        if outcome.changed:
            self._changed()
        return outcome
