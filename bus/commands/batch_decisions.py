"""The decisions of one batch, each made on the state that the one before it left; nothing is told or written yet."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic

import asyncpg

from bus.commands.batch_statement import Event, Response
from bus.commands.deciding import Deciding
from bus.commands.errors import RequestIdReused
from bus.commands.handling import Accepted, Command, CommandCall, Outcome, State
from bus.commands.loading import Loaded, RequestKey, StoredResponse
from chassis.postgres import UNAVAILABLE, Connection

_MOST_BYTES: Final = 8 * 1024**2
"""How much one batch writes, give or take a revision."""
_DATABASE_ERRORS: Final = (*UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


@dataclass(eq=False, slots=True)
class Waiting(Generic[Command]):
    """A command that waits for its outcome."""

    call: CommandCall
    command: Command
    outcome: asyncio.Future[Outcome]


class Decisions(Generic[State, Command]):
    """What the commands of a batch come to.

    `told` are the outcomes that need no writing, `settled` those that stand once `events` and `responses` are
    committed. `alone` are the commands that no batch can carry out, `later` those for which it has no room.
    """

    def __init__(
        self,
        deciding: Deciding[State, Command],
        loaded: Loaded,
        stored: Mapping[RequestKey, StoredResponse],
        state: State | None,
    ) -> None:
        self._deciding = deciding
        self._loaded = loaded
        self._stored = stored
        self._state = state
        self._first: dict[RequestKey, Response] = {}
        self._bytes = 0
        self.events: list[Event] = []
        self.settled: list[tuple[Waiting[Command], Response]] = []
        self.told: list[tuple[Waiting[Command], Outcome | Exception]] = []
        self.alone: list[Waiting[Command]] = []
        self.later: Sequence[Waiting[Command]] = ()

    @property
    def now(self) -> datetime:
        """The time at which all of them are decided."""
        return self._loaded.now

    @property
    def responses(self) -> list[Response]:
        """The responses to store."""
        return list(self._first.values())

    async def make(self, batch: Sequence[Waiting[Command]], connection: Connection) -> None:
        """Decide, one after the other. Raises what the database raises; what else a decision raises is its caller's."""
        for place, waiting in enumerate(batch):
            if self._bytes > _MOST_BYTES:
                self.later = batch[place:]
                break
            try:
                if not self._repeats(waiting):
                    await self._decide(waiting, connection)
            except _DATABASE_ERRORS:
                raise
            except Exception as error:  # noqa: BLE001 - a refusal, or a fault in one decision: no other caller's concern
                self.told.append((waiting, error))
        if not self.events:  # there is no revision that a response could stand beside
            self.alone.extend(waiting for waiting, _ in self.settled)
            self.settled.clear()

    def _repeats(self, waiting: Waiting[Command]) -> bool:
        """Answer a request that was carried out before, or is settled by this batch."""
        if (key := key_of(waiting.call)) is None:
            return False
        if (stored := self._stored.get(key)) is not None:
            self.told.append((waiting, self._deciding.repeated(waiting.call, stored)))
            return True
        if (first := self._first.get(key)) is None:
            return False
        if first.call.fingerprint != waiting.call.fingerprint:
            raise RequestIdReused.naming(waiting.call.request_id)
        self.settled.append((waiting, first))
        return True

    async def _decide(self, waiting: Waiting[Command], connection: Connection) -> None:
        call = waiting.call
        decision = await self._deciding.decide(self._state, waiting.command, call, self._loaded.now, connection)
        if not isinstance(decision, Accepted):
            self._settle(waiting, decision.response, decision.subject, changed=False)
            return
        revision = decision.revision
        if self._state is None or revision.guarded:
            self.alone.append(waiting)
            return
        self._state = decision.state
        self._bytes += len(revision.public) + len(revision.private) + len(revision.response)
        self.events.append(Event(call, decision.number, revision))
        self._settle(waiting, revision.response, revision.subject, changed=True)

    def _settle(self, waiting: Waiting[Command], response: bytes, subject: str, *, changed: bool) -> None:
        made = Response(waiting.call, response, subject, len(self.events), changed=changed)
        self.settled.append((waiting, made))
        if (key := key_of(waiting.call)) is not None:
            self._first[key] = made


def key_of(call: CommandCall) -> RequestKey | None:
    """Return by what a request is known when it is repeated; None if it can't be."""
    return None if call.request_id is None else (call.principal, call.method, call.request_id)
