"""The one path of every command: load, decide, commit; and what happens when others were faster.

Each service gives a `Model` of its aggregate and, for each call, a `Decide`. Everything that must hold for every
command is here: idempotency by request id, etags, dry runs, conflicts, and that nobody waits for the broker.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from bus.commit import AggregateTable, CommitStatements
from bus.lanes import lane_of
from bus.loading import Loaded, Loading, RequestKey, StoredResponse
from bus.tokens import Position, encode
from chassis.postgres import Connection, Connections
from chassis.refusal import Refusal

State = TypeVar("State")

MAX_PUBLIC_BYTES: Final = 512 * 1024
_OPTIMISTIC_ATTEMPTS: Final = 3
_LOCKED_ATTEMPTS: Final = 5
_CONFLICTS: Final = (
    asyncpg.UniqueViolationError,
    asyncpg.ExclusionViolationError,  # decided again, the command is refused by what it now finds there
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)


class EtagMismatch(Refusal):
    """The etag given is not the present one; metadata: `have`, `given`."""

    reason = "ETAG_MISMATCH"


class Conflict(Refusal):
    """Other writers were faster, every time; the call may be repeated."""

    reason = "CONFLICT"


class RequestIdReused(Refusal):
    """The request id was used before with another body; metadata: `request_id`."""

    reason = "REQUEST_ID_REUSED"


class ResourceTooLarge(Refusal):
    """The public state would be larger than an event may be; metadata: `size`, `limit`."""

    reason = "RESOURCE_TOO_LARGE"


@dataclass(frozen=True, slots=True)
class CommandCall:
    """Who calls, and what the envelope of the request says. `fingerprint` stands for the request's body."""

    principal: str
    method: str
    traceparent: str
    request_id: UUID | None = None
    fingerprint: bytes = b""
    etag: str = ""
    validate_only: bool = False

    def key(self) -> RequestKey:
        """Return by what this request is known when it is repeated."""
        return {"principal": self.principal, "method": self.method, "request_id": self.request_id}


@dataclass(frozen=True, slots=True)
class Revision:
    """What one accepted command writes, encoded. `columns` and `effects` are parameters of the commit statement.

    Without `effects` the statement does not touch the service's own rows beside the aggregate.
    """

    columns: Mapping[str, object]
    event_type: str
    public: bytes
    private: bytes
    response: bytes
    effects: Mapping[str, object] | None = None
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Accepted(Generic[State]):
    """A decision to write: the next state's revision number and everything encoded."""

    number: int
    revision: Revision


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A decision that there is nothing to do; the response shows the present state."""

    response: bytes


Decision = Accepted[State] | Unchanged
Decide = Callable[[State | None, datetime, Connection], Awaitable[Accepted[State] | Unchanged]]
"""Decide on a loaded state at a time (of the database); raises a Refusal. It may read on the connection given."""


class Model(Protocol[State]):
    """How a service's aggregate is stored."""

    def decode(self, state: bytes) -> State:
        """Return the aggregate from its stored bytes."""
        ...

    def etag(self, state: State) -> str:
        """Return the etag of the aggregate's definition."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: the response without its token, and the token (empty for a dry run).

    `changed` tells whether there was anything to do; of a repeated request it is what the first one found.
    """

    response: bytes
    token: str
    changed: bool = True


class CommandPath(Generic[State]):
    """Executes the commands on one kind of aggregate."""

    def __init__(
        self,
        connections: Connections,
        aggregate: AggregateTable,
        model: Model[State],
        *,
        source: str,
        committed: Callable[[], None],
    ) -> None:
        self._connections = connections
        self._statements = CommitStatements(aggregate)
        self._loading = Loading(aggregate)
        self._model = model
        self._source = source
        self._committed = committed
        self._commits: set[asyncio.Task[Outcome | None]] = set()

    async def execute(self, call: CommandCall, aggregate_id: UUID, decide: Decide[State]) -> Outcome:
        """Carry a command out, once, whatever happens to its caller.

        Raises what `decide` raises, EtagMismatch, RequestIdReused, ResourceTooLarge, or Conflict. A commit under way is
        not cancelled with the call: repeating it with the same request id tells its outcome.
        """
        for attempt in range(_OPTIMISTIC_ATTEMPTS + _LOCKED_ATTEMPTS):
            work = self._attempt(call, aggregate_id, decide, locked=attempt >= _OPTIMISTIC_ATTEMPTS)
            if call.validate_only:
                outcome = await work
            else:
                task = asyncio.create_task(work)
                self._commits.add(task)
                task.add_done_callback(self._ended)
                outcome = await asyncio.shield(task)
            if outcome is not None:
                return outcome
        raise Conflict("other writers were faster, every time; repeat the call")

    def _ended(self, task: asyncio.Task[Outcome | None]) -> None:
        """Forget a commit; what it raised was its caller's, who may have gone."""
        self._commits.discard(task)
        if not task.cancelled():
            task.exception()

    async def drain(self) -> None:
        """Wait for commits whose callers have gone."""
        if self._commits:
            await asyncio.wait(self._commits)

    async def _attempt(
        self, call: CommandCall, aggregate_id: UUID, decide: Decide[State], *, locked: bool
    ) -> Outcome | None:
        """Try once; None when others were faster."""
        async with self._connections.lent() as connection:
            try:
                if not locked:
                    return await self._try(connection, call, aggregate_id, decide, locked=False)
                async with connection.transaction():
                    return await self._try(connection, call, aggregate_id, decide, locked=True)
            except _CONFLICTS:
                return None  # whoever was faster, perhaps with this same request, is seen by the next attempt

    async def _try(
        self, connection: Connection, call: CommandCall, aggregate_id: UUID, decide: Decide[State], *, locked: bool
    ) -> Outcome | None:
        loaded = await self._loading.load(connection, aggregate_id, call.key(), locked=locked)
        if loaded.stored is not None:
            return self._repeated(call, loaded.stored)
        state = None if loaded.state is None else self._model.decode(loaded.state)
        if call.etag and state is not None and call.etag != (etag := self._model.etag(state)):
            raise EtagMismatch("the resource has changed; read it again", {"have": etag, "given": call.etag})
        decision = await decide(state, loaded.now, connection)
        if isinstance(decision, Unchanged):
            return await self._leave(connection, call, aggregate_id, loaded, decision)
        if len(decision.revision.public) > MAX_PUBLIC_BYTES:
            size = {"size": str(len(decision.revision.public)), "limit": str(MAX_PUBLIC_BYTES)}
            raise ResourceTooLarge("the public state would be larger than an event may be", size)
        if call.validate_only:
            return Outcome(decision.revision.response, "")
        return await self._commit(connection, call, aggregate_id, loaded, decision)

    async def _commit(
        self, connection: Connection, call: CommandCall, aggregate_id: UUID, loaded: Loaded, decision: Accepted[State]
    ) -> Outcome | None:
        revision, lane = decision.revision, lane_of(aggregate_id)
        values: dict[str, object] = {
            **revision.columns,
            **(revision.effects or {}),
            "aggregate_id": aggregate_id,
            "revision": decision.number,
            "event_id": uuid7(),
            "lane": lane,
            "type": revision.event_type,
            "principal": call.principal,
            "request_id": call.request_id,
            "traceparent": call.traceparent,
            "public": revision.public,
            "private": revision.private,
        }
        first, stored = loaded.state is None, call.request_id is not None
        if not first:
            values["expected"] = loaded.revision
        if stored:
            values |= {"method": call.method, "fingerprint": call.fingerprint, "response": revision.response}
        statement = self._statements.statement(
            first=first, stored=stored, guarded=revision.guarded, effects=revision.effects is not None
        )
        row = await statement.fetchrow(connection, values)
        if row is None:
            return None
        self._committed()
        return Outcome(revision.response, self._token(row["epoch"], lane, row["seq"]))

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
                **call.key(),
                "fingerprint": call.fingerprint,
                "response": decision.response,
                "aggregate_id": aggregate_id,
                "expected": loaded.revision,
                "lane": lane,
            }
            row = await self._statements.unchanged.fetchrow(connection, values)
        if row is None:
            return None
        return Outcome(decision.response, self._token(row["epoch"], lane, row["seq"]), changed=False)

    def _repeated(self, call: CommandCall, stored: StoredResponse) -> Outcome:
        """Return the first outcome of the same request."""
        if stored.fingerprint != call.fingerprint:
            raise RequestIdReused(
                "the request id was used before with another body", {"request_id": str(call.request_id)}
            )
        return Outcome(stored.response, self._token(stored.epoch, stored.lane, stored.seq))

    def _token(self, epoch: UUID, lane: int, seq: int) -> str:
        return encode({self._source: Position(epoch, {lane: seq})})
