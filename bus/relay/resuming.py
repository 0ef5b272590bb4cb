"""Where publishing goes on: every lane of the journal compared with its real tail in the stream."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

import structlog

from bus.broker import Session
from bus.lease import Lease
from bus.relay import store
from bus.relay.tail import GoOn, Lane, Stop, WalkPast, compare, from_first, from_memory
from bus.relay.tails import Tails
from bus.source import Source
from bus.tasks import together
from bus.topology import StreamState, stream_state
from chassis.postgres import Connections

_WALKS_SIDE_BY_SIDE: Final = 8

log: Final = structlog.get_logger(__name__)


class Superseded(Exception):
    """The stream is another database's now: nothing of this one may be mixed into it, and nothing told of it."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The stream of `created` as it was found by a database in `epoch`; `lanes` change as they are published."""

    created: datetime
    epoch: UUID
    lanes: dict[int, GoOn]


class Resuming:
    """Compares the lanes of one source in one term of its relay, over one session."""

    def __init__(self, connections: Connections, session: Session, source: Source, lease: Lease) -> None:
        self._connections = connections
        self._session = session
        self._source = source
        self._lease = lease
        self._tails = Tails(session, source)

    async def resume(self) -> Resumed:
        """Compare every lane with its tail, and write down what was found.

        Raises Superseded when another database publishes to the stream; every lane is stopped then, visibly.
        """
        tails = await self._tails.all()
        state = await stream_state(self._session.jetstream, self._source)  # after the tails: one may have aged out
        lanes = await store.lanes(self._connections)
        epoch = next(iter(lanes.values())).epoch
        found: dict[int, GoOn | WalkPast | Stop] = {}
        for number, lane in lanes.items():
            tail = tails[number]
            known = None
            if tail is not None and tail.event is not None:
                known = await store.event_id(self._connections, number, tail.event.seq)
            found[number] = compare(lane, tail, created=state.created, first_seq=state.first_seq, known=known)
        await self._stop(epoch, {number: each.reason for number, each in found.items() if isinstance(each, Stop)})
        walks = {number: each for number, each in found.items() if isinstance(each, WalkPast)}
        going_on = await self._walks(walks, lanes, state)
        for number, each in found.items():
            if isinstance(each, GoOn):
                going_on[number] = await self._named(number, each)
        going_on = {number: from_first(lanes[number], at) for number, at in going_on.items()}
        await store.remember(self._connections, self._lease, epoch, state.created, going_on)
        return Resumed(state.created, epoch, going_on)

    async def is_as_left(self, resumed: Resumed) -> bool:
        """Tell whether every lane ends where it was left; to be asked while nothing is being published."""
        tails = await self._tails.all()
        state = await stream_state(self._session.jetstream, self._source)
        return state.created == resumed.created and all(
            tail.stream_sequence == resumed.lanes[lane].fence
            if tail is not None
            else resumed.lanes[lane].fence < state.first_seq
            for lane, tail in enumerate(tails)
        )

    async def _stop(self, epoch: UUID, reasons: Mapping[int, str]) -> None:
        if not reasons:
            return
        (lane, reason), *_ = reasons.items()
        await store.stop(self._connections, self._lease, epoch, reason)
        raise Superseded(f"lane {lane}: {reason}")

    async def _walks(
        self, walks: Mapping[int, WalkPast], lanes: Mapping[int, Lane], state: StreamState
    ) -> dict[int, GoOn]:
        """Walk past the tails that are not of this journal, some lanes side by side: each step is a round trip."""
        ended: dict[int, GoOn] = {}
        turns = asyncio.Semaphore(_WALKS_SIDE_BY_SIDE)

        async def walk(number: int, fence: int) -> None:
            async with turns:
                ended[number] = await self._walk(number, lanes[number], fence, state.created, state.first_seq)

        if walks:
            log.warning("relay_walks_past_tails", source=self._source.name, lanes=list(walks))
            await together(*(walk(number, each.fence) for number, each in walks.items()))
            log.info("relay_walked_past_tails", source=self._source.name, lanes=list(walks))
        return ended

    async def _walk(self, number: int, lane: Lane, fence: int, created: datetime, first_seq: int) -> GoOn:
        """Find the last event of this journal before a tail that is not of it."""
        memory = lane.memory
        if lane.confirmed and memory.stream_created == created and await self._holds(lane):
            at, after = GoOn(memory.published, fence, memory.event_id, memory.stream_sequence), memory.stream_sequence
        else:
            at, after = from_memory(lane, fence, created=created, first_seq=first_seq), first_seq - 1
        following = await store.event_ids(self._connections, number, at.published)
        if following:
            last = max(following)
            async with aclosing(self._tails.walk(number, after, fence)) as walked:
                async for tail in walked:
                    event = tail.event
                    if event is not None and following.get(event.seq) == event.event_id:
                        at = GoOn(event.seq, fence, event.event_id, tail.stream_sequence)
                        if event.seq == last:
                            break  # there is nothing more to be found
        return await self._named(number, at)

    async def _holds(self, lane: Lane) -> bool:
        memory = lane.memory
        return memory.stream_sequence > 0 and await self._tails.holds(memory.stream_sequence, memory.event_id)

    async def _named(self, number: int, at: GoOn) -> GoOn:
        """Name the event that is published last, where only its number is known."""
        if at.event_id is not None or at.published == 0:
            return at
        return replace(at, event_id=await store.event_id(self._connections, number, at.published))
