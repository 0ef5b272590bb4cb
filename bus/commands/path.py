"""The one path of every command: load, decide, commit; and what happens when others were faster.

Each service gives a `Handler` of its aggregate. Everything that must hold for every command is here: idempotency by
request id, etags, dry runs, conflicts, and that nobody waits for the broker.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic
from uuid import UUID

from uuid_utils.compat import uuid7

from bus.commands.batch import BatchAttempts
from bus.commands.batches import Batches
from bus.commands.commit import DUE_COLUMN, AggregateTable, CommitStatements
from bus.commands.deciding import Deciding
from bus.commands.errors import Conflict, EtagMismatch, RequestIdReused, ResourceTooLarge
from bus.commands.handling import Accepted, Command, CommandCall, Handler, Outcome, Revision, State, Unchanged
from bus.commands.insisting import insist
from bus.commands.loading import Loaded, Loading
from bus.journal.published import published_by
from bus.lanes import lane_of
from chassis.postgres import Connection, Connections

__all__ = [
    "Accepted",
    "CommandCall",
    "CommandPath",
    "Conflict",
    "EtagMismatch",
    "Handler",
    "Outcome",
    "RequestIdReused",
    "ResourceTooLarge",
    "Revision",
    "Unchanged",
]


@dataclass(frozen=True, slots=True)
class _Carried:
    """What an attempt came to at a time, and the revision that it wrote."""

    outcome: Outcome
    now: datetime
    accepted: Revision | None = None


class CommandPath(Generic[State, Command]):
    """Executes the commands on one kind of aggregate.

    After each commit `committed` is called, and `due` if time itself changes the aggregate again at once.
    """

    def __init__(
        self,
        connections: Connections,
        aggregate: AggregateTable,
        handler: Handler[State, Command],
        *,
        source: str,
        committed: Callable[[], None],
        due: Callable[[], None],
    ) -> None:
        self._connections = connections
        self._statements = CommitStatements(aggregate)
        self._loading = Loading(aggregate)
        self._handler = handler
        self._deciding = Deciding(handler, source)
        self._committed = committed
        self._due = due
        self._commits: set[asyncio.Task[Outcome]] = set()
        attempts = BatchAttempts(aggregate, handler, self._deciding, self._loading)
        self._batches = Batches(connections, attempts, self._carry_out, self._tell)

    async def execute(self, call: CommandCall, aggregate_id: UUID, command: Command, *, hot: bool = False) -> Outcome:
        """Carry a command out, once, whatever happens to its caller.

        A `hot` one may be committed together with others on the same aggregate. Raises what the handler raises,
        EtagMismatch, RequestIdReused, ResourceTooLarge, or Conflict. A commit under way is not cancelled with the call:
        repeating it with the same request id tells its outcome.
        """
        if call.validate_only:
            return await self._carry_out(call, aggregate_id, command)
        if hot:
            return await self._batches.execute(call, aggregate_id, command)
        task = asyncio.create_task(self._carry_out(call, aggregate_id, command))
        self._commits.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    async def outcome_of(self, call: CommandCall) -> Outcome | None:
        """Return the outcome of a request carried out before; None if it was not, or has no id.

        Raises RequestIdReused. A repeat need not wait for anything that the first one had to wait for.
        """
        if call.request_id is None:
            return None
        async with self._connections.lent() as connection:
            stored = await self._loading.stored_response(connection, call)
        return None if stored is None else self._deciding.repeated(call, stored)

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        """Forget a commit; what it raised was its caller's, who may have gone."""
        self._commits.discard(task)
        if not task.cancelled():
            task.exception()

    async def drain(self) -> None:
        """Wait for commits whose callers have gone."""
        if self._commits:
            await asyncio.wait(self._commits)
        await self._batches.drain()

    async def _carry_out(self, call: CommandCall, aggregate_id: UUID, command: Command) -> Outcome:
        async def attempt(connection: Connection, locked: bool) -> _Carried | None:  # noqa: FBT001 - as `Attempt` is
            return await self._try(connection, call, aggregate_id, command, locked=locked)

        carried = await insist(self._connections, attempt)
        if carried is None:
            raise Conflict
        if carried.accepted is not None:
            self._tell(carried.accepted, carried.now)
        return carried.outcome

    async def _try(
        self, connection: Connection, call: CommandCall, aggregate_id: UUID, command: Command, *, locked: bool
    ) -> _Carried | None:
        loaded = await self._loading.load(connection, aggregate_id, call, locked=locked)
        if loaded.stored is not None:
            return _Carried(self._deciding.repeated(call, loaded.stored), loaded.now)
        state = await self._handler.load(connection, aggregate_id, loaded.state, (command,))
        decision = await self._deciding.decide(state, command, call, loaded.now, connection)
        if isinstance(decision, Unchanged):
            left = await self._leave(connection, call, aggregate_id, loaded, decision)
            return None if left is None else _Carried(left, loaded.now)
        if call.validate_only:
            return _Carried(Outcome(decision.revision.response, ""), loaded.now)
        outcome = await self._commit(connection, call, aggregate_id, loaded, decision)
        return None if outcome is None else _Carried(outcome, loaded.now, decision.revision)

    async def _commit(
        self, connection: Connection, call: CommandCall, aggregate_id: UUID, loaded: Loaded, decision: Accepted[State]
    ) -> Outcome | None:
        revision, lane, event_id = decision.revision, lane_of(aggregate_id), uuid7()
        values: dict[str, object] = {
            **revision.columns,
            **(revision.effects or {}),
            "aggregate_id": aggregate_id,
            "revision": decision.number,
            "event_id": event_id,
            "lane": lane,
            "type": revision.event_type,
            "principal": call.principal,
            "request_id": call.request_id,
            "traceparent": call.traceparent,
            "public": revision.public,
            "private": revision.private,
        }
        if self._statements.aggregate.publishes:
            values |= published_by(decision.number, event_id, revision.public)
        first, stored = loaded.state is None, call.request_id is not None
        if not first:
            values["expected"] = loaded.revision
        if stored:
            values |= {
                "method": call.method,
                "fingerprint": call.fingerprint,
                "response": revision.response,
                "subject": revision.subject or None,
            }
        statement = self._statements.statement(
            first=first, stored=stored, guarded=revision.guarded, effects=revision.effects is not None
        )
        row = await statement.fetchrow(connection, values)
        if row is None:
            return None
        return Outcome(revision.response, self._deciding.token(row["epoch"], lane, row["seq"]))

    async def _leave(
        self, connection: Connection, call: CommandCall, aggregate_id: UUID, loaded: Loaded, decision: Unchanged
    ) -> Outcome | None:
        """Change nothing, but remember that this was the outcome: a late repeat must not find something to do."""
        if call.validate_only:
            return Outcome(decision.response, "", changed=False)
        lane = lane_of(aggregate_id)
        if call.request_id is None:
            row = await self._loading.lane_head.fetchrow(connection, {"lane": lane})
        else:
            values = {
                "principal": call.principal,
                "method": call.method,
                "request_id": call.request_id,
                "fingerprint": call.fingerprint,
                "response": decision.response,
                "subject": decision.subject or None,
                "aggregate_id": aggregate_id,
                "expected": loaded.revision,
                "lane": lane,
            }
            row = await self._statements.unchanged.fetchrow(connection, values)
        if row is None:
            return None
        return Outcome(decision.response, self._deciding.token(row["epoch"], lane, row["seq"]), changed=False)

    def _tell(self, revision: Revision, now: datetime) -> None:
        """Tell the relay of a commit, and the timekeeper if there is something for it to do at once.

        Only once it has ended: before, neither would find anything, and look again only at the next poll.
        """
        self._committed()
        due = revision.columns.get(DUE_COLUMN)
        if isinstance(due, datetime) and due <= now:
            self._due()
