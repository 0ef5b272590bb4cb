"""Asking the sources for their present heads, for reads that must contain everything accepted before them.

Calls are coalesced: however many readers ask at once, one question is under way and one waits behind it. A reader is
answered by a question that was asked after its own, never by one already under way.
"""

import asyncio
from collections.abc import Mapping

import grpc.aio

from bus.following.source_journal import SourceJournal
from bus.tokens import Position


class Sources:
    """The sources' journals, by source name."""

    def __init__(self, channels: Mapping[str, grpc.aio.Channel], metadata: tuple[tuple[str, str], ...] = ()) -> None:
        self._journals = {name: SourceJournal(name, channel, metadata) for name, channel in channels.items()}
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
        answers = await asyncio.gather(*(journal.heads() for journal in self._journals.values()))
        return {name: heads.committed for name, heads in zip(self._journals, answers, strict=True)}
