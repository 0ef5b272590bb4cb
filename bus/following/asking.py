"""Asking a source for its heads beside the loop that applies its events, so that one that hangs holds nothing up."""

import asyncio
from collections.abc import Sequence

from bus.following.checkpoint import LaneCheckpoint
from bus.following.source_answers import SourceHeads
from bus.following.source_journal import SourceJournal


class Asking:
    """One question at a time, whose answer is fetched when it is there."""

    def __init__(self, journal: SourceJournal) -> None:
        self._journal = journal
        self._lanes: Sequence[LaneCheckpoint] = ()
        self._task: asyncio.Task[SourceHeads] | None = None

    def ask(self, lanes: Sequence[LaneCheckpoint]) -> None:
        """Ask, unless that is being done; `lanes` are what the source must have by now."""
        if self._task is None:
            self._lanes = lanes
            self._task = asyncio.create_task(self._journal.heads())

    def answer(self) -> tuple[SourceHeads, Sequence[LaneCheckpoint]] | None:
        """Return the heads, with the lanes for which they were asked; None while there is no answer.

        Raises SourceUnavailable.
        """
        if self._task is None or not self._task.done():
            return None
        task, self._task = self._task, None
        return task.result(), self._lanes

    async def close(self) -> None:
        """Want no answer any more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
