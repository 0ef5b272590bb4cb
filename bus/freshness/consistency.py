"""The consistency that a caller asks for: waiting until a copy contains what it must.

Refusal
├── ProjectionBehind       not contained within the time given; metadata: source, lane, have, need
├── TokenEpochSuperseded   what the token stands for may be forgotten; metadata: source
├── EventParked            an event that the answer must contain is parked; metadata: source, aggregate_id, event_id
└── SourceUnavailable      a source could not be asked for its heads; metadata: source
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, Protocol, Self
from uuid import UUID

from training.type.v1.consistency_pb2 import Consistency

from bus.following.parking import OpenAggregate
from bus.freshness.follower import Follower
from bus.tokens import Position, Vector, decode, merge
from chassis.call import find_call
from chassis.refusal import Refusal

_TOKEN_WAIT_SECONDS: Final = 1.0
_FULL_WAIT_SECONDS: Final = 5.0
_TO_ANSWER_SECONDS: Final = 0.1
"""What is left of a call's deadline to tell its caller why it was not enough."""
_RETRY_AFTER: Final = timedelta(milliseconds=200)


class ProjectionBehind(Refusal):
    """The copy does not contain what the token stands for within the time given."""

    reason = "PROJECTION_BEHIND"


class TokenEpochSuperseded(Refusal):
    """The token belongs to an epoch that has been superseded."""

    reason = "TOKEN_EPOCH_SUPERSEDED"


class EventParked(Refusal):
    """An event of what is asked for could not be applied, and the answer would have to contain it."""

    reason = "EVENT_PARKED"

    @classmethod
    def of(cls, parked: OpenAggregate) -> Self:
        """Name the aggregate and the event."""
        named = {
            "source": parked.source,
            "aggregate_id": str(parked.aggregate_id),
            "event_id": str(parked.event_id),
        }
        return cls(f"an event of {parked.source} {parked.aggregate_id} could not be applied and is parked", named)


class SourceUnavailable(Refusal):
    """A source could not be asked for its present heads."""

    reason = "SOURCE_UNAVAILABLE"


class Heads(Protocol):
    """The sources, as far as their present heads go."""

    async def heads(self) -> Mapping[str, Position]:
        """Ask every source for its heads. Raises SourceUnavailable."""
        ...


class Freshened:
    """Makes reads wait as their callers ask."""

    def __init__(self, follower: Follower, heads: Heads | None = None) -> None:
        self._follower = follower
        self._heads = heads

    async def satisfy(self, consistency: Consistency) -> Vector:
        """Return once the copy is as fresh as asked, with the positions that it had to contain for that.

        Raises TokenMalformed, ProjectionBehind, TokenEpochSuperseded or SourceUnavailable.
        """
        kind = consistency.WhichOneof("requirement")
        if kind is None or kind == "minimize_latency":
            return {}
        if kind == "at_least_as_fresh":
            asked = consistency.at_least_as_fresh
            wait = asked.max_wait.ToTimedelta().total_seconds() if asked.HasField("max_wait") else _TOKEN_WAIT_SECONDS
            return await self.contain(asked.consistency_tokens, wait)
        if self._heads is None:
            raise SourceUnavailable("this service does not know its sources", {"source": ""})
        full = consistency.fully_consistent
        wait = full.max_wait.ToTimedelta().total_seconds() if full.HasField("max_wait") else _FULL_WAIT_SECONDS
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(wait):
                heads = await self._heads.heads()
        except TimeoutError as error:
            raise SourceUnavailable("the sources did not tell their heads in time", {"source": ""}) from error
        await self._reach(heads, wait - (asyncio.get_running_loop().time() - started))
        return heads

    async def contain(self, tokens: Iterable[str], wait: float = _TOKEN_WAIT_SECONDS) -> Vector:
        """Return once the copy contains what tokens stand for, with that.

        Sources that it does not follow do not matter. Raises as `satisfy`.
        """
        needed = merge(decode(token) for token in tokens)
        await self._reach(needed, wait)
        return needed

    def check_parked(self, source: str, aggregate_id: UUID, needed: Vector) -> None:
        """Raise EventParked when an aggregate lacks an event that positions contain, once the copy contains those."""
        if self._follower.parked and (position := needed.get(source)) is not None:
            parked = self._follower.parked_of(source, aggregate_id)
            if parked is not None and position.lanes.get(parked.lane, 0) >= max(parked.seq, 1):
                raise EventParked.of(parked)

    async def _reach(self, needed: Vector, wait: float) -> None:
        call = find_call()
        left = call.remaining() if call is not None else None
        if left is not None:
            wait = min(wait, left - _TO_ANSWER_SECONDS)
        deadline = asyncio.get_running_loop().time() + max(wait, 0.0)
        for source, position in needed.items():
            if source not in self._follower.freshness or not position.lanes:
                continue
            if not self._follower.decided(source, position):
                await self._follower.reach(source, position, deadline - asyncio.get_running_loop().time())
            self._check(source, position)

    def _check(self, source: str, needed: Position) -> None:
        have = self._follower.vector.get(source)
        if have is not None and have.covers(needed):
            return
        if have is not None and have.epoch > needed.epoch:
            raise TokenEpochSuperseded(f"the token is of a superseded epoch of {source}", {"source": source})
        lanes = {} if have is None or have.epoch != needed.epoch else have.lanes
        lane = next((lane for lane, seq in needed.lanes.items() if lanes.get(lane, 0) < seq), 0)
        detail = {"source": source, "lane": str(lane), "have": str(lanes.get(lane, 0)), "need": str(needed.lanes[lane])}
        raise ProjectionBehind(
            f"{source} lane {lane}: applied up to {detail['have']}, {detail['need']} is asked for",
            detail,
            retry_after=_RETRY_AFTER,
        )
