"""Asking the sources for their present heads, for reads that must contain everything accepted before them.

Calls are coalesced: however many readers ask at once, one question is under way and one waits behind it. A reader is
answered by a question that was asked after its own, never by one already under way.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from uuid import UUID

import grpc.aio
from training.ops.v1.journal_service_pb2 import GetLaneHeadsRequest, LaneHeads
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub

from bus.consistency import SourceUnavailable
from bus.tokens import Position

_TIMEOUT_SECONDS: Final = 3.0


class Sources:
    """The sources' JournalServices, by source name."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self._stubs = {name: JournalServiceStub(channel) for name, channel in channels.items()}
        self._metadata = metadata
        self._under_way: asyncio.Task[Mapping[str, Position]] | None = None
        self._next: asyncio.Task[Mapping[str, Position]] | None = None

    async def heads(self) -> Mapping[str, Position]:
        """Ask every source for its heads. Raises SourceUnavailable."""
        if self._next is None:
            self._next = asyncio.create_task(self._after(self._under_way))
        return await asyncio.shield(self._next)

    async def _after(self, before: "asyncio.Task[Mapping[str, Position]] | None") -> Mapping[str, Position]:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._next = self._next, None
        answers = await asyncio.gather(*(self._ask(name) for name in self._stubs))
        return dict(zip(self._stubs, answers, strict=True))

    async def _ask(self, name: str) -> Position:
        try:
            answer = await self._stubs[name].GetLaneHeads(
                GetLaneHeadsRequest(), timeout=_TIMEOUT_SECONDS, metadata=self._metadata
            )
        except grpc.aio.AioRpcError as error:
            raise SourceUnavailable(f"{name} does not tell its heads: {error.code().name}", {"source": name}) from error
        return committed(answer.heads)


def committed(heads: LaneHeads) -> Position:
    """Return the position of what is committed."""
    return Position(UUID(bytes=heads.epoch), {lane.lane: lane.committed for lane in heads.lanes if lane.committed})
