"""What holds for every decision, made alone or in a batch: etags, sizes, repeated requests, tokens."""

from datetime import datetime
from typing import Generic
from uuid import UUID

from bus.commands.errors import HEADROOM_BYTES, MAX_PUBLIC_BYTES, EtagMismatch, RequestIdReused, ResourceTooLarge
from bus.commands.handling import Accepted, Command, CommandCall, Handler, Outcome, Revision, State, Unchanged
from bus.commands.loading import StoredResponse
from bus.tokens import Position, encode
from chassis.postgres import Connection


class Deciding(Generic[State, Command]):
    """Decides commands on one kind of aggregate of one source."""

    def __init__(self, handler: Handler[State, Command], source: str) -> None:
        self._handler = handler
        self._source = source

    async def decide(
        self, state: State | None, command: Command, call: CommandCall, now: datetime, connection: Connection
    ) -> Accepted[State] | Unchanged:
        """Decide a command. Raises what the handler raises, EtagMismatch or ResourceTooLarge."""
        if call.etag and state is not None and call.etag != (etag := self._handler.etag(state)):
            raise EtagMismatch.of(etag, call.etag)
        decision = await self._handler.decide(state, command, call, now, connection)
        if isinstance(decision, Accepted):
            _check_size(decision.revision)
        return decision

    def repeated(self, call: CommandCall, stored: StoredResponse) -> Outcome:
        """Return the first outcome of the same request. Raises RequestIdReused."""
        if stored.fingerprint != call.fingerprint:
            raise RequestIdReused.naming(call.request_id)
        return Outcome(stored.response, self.token(stored.epoch, stored.lane, stored.seq))

    def token(self, epoch: UUID, lane: int, seq: int) -> str:
        """Return the token of a position in the source."""
        return encode({self._source: Position(epoch, {lane: seq})})


def _check_size(revision: Revision) -> None:
    limit = MAX_PUBLIC_BYTES if revision.adds_content else MAX_PUBLIC_BYTES + HEADROOM_BYTES
    if len(revision.public) > limit:
        raise ResourceTooLarge.of(len(revision.public), limit)
