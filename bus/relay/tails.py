"""What a source's stream holds of its lanes, read from the broker's leader."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final
from uuid import UUID

from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from bus.broker import Session
from bus.event import MalformedEvent, received
from bus.lanes import LANES
from bus.relay.tail import Tail
from bus.source import Source
from bus.tasks import asked

_WALK_MOST: Final = 2000
"""How many messages a walk takes. What it does not come to is published again, which followers know as duplicates."""


class Tails:
    """The lanes of one source in its stream, over one session. Everything raises one of `BROKER_ERRORS`."""

    def __init__(self, session: Session, source: Source) -> None:
        self._jetstream = session.jetstream
        self._source = source

    async def all(self) -> list[Tail | None]:
        """Return the last message of every lane, None for a lane that has none."""
        return await asyncio.gather(*(self._last(lane) for lane in range(LANES)))

    async def holds(self, stream_sequence: int, event_id: UUID | None) -> bool:
        """Tell whether this very event stands there."""
        try:
            message = await asked(self._jetstream.get_msg(self._source.stream, stream_sequence))
        except NotFoundError:
            return False
        tail = self._tail(message)
        return tail.event is not None and tail.event.event_id == event_id

    async def walk(self, lane: int, after: int, up_to: int) -> AsyncGenerator[Tail]:
        """Go through a lane's messages between two stream sequences, in order, though not through any number."""
        subject = self._source.lane_subjects(lane)
        for _ in range(_WALK_MOST):
            try:
                message = await asked(
                    self._jetstream.get_msg(self._source.stream, seq=after + 1, subject=subject, next=True)
                )
            except NotFoundError:
                return
            tail = self._tail(message)
            if tail.stream_sequence > up_to:
                return
            yield tail
            after = tail.stream_sequence

    async def _last(self, lane: int) -> Tail | None:
        try:
            subjects = self._source.lane_subjects(lane)
            message = await asked(self._jetstream.get_last_msg(self._source.stream, subjects))
        except NotFoundError:
            return None
        return self._tail(message)

    def _tail(self, message: RawStreamMsg) -> Tail:
        try:
            event = received(message.subject or "", message.headers, message.data or b"", self._source)
        except MalformedEvent:
            return Tail(message.seq or 0, None)
        return Tail(message.seq or 0, event)
