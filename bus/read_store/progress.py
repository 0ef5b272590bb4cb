"""How the building of a generation gets on, written down for whoever asks any process, and told from there."""

from datetime import timedelta
from time import monotonic
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1.operations_service_pb2 import RebuildPhase, RebuildProgress

from bus.read_store.generations import Generation, tell
from chassis.sql import Executor

_TOLD_SECONDS: Final = 0.2


class Progress:
    """What one builder tells of one generation. Trouble stands until something gets on."""

    def __init__(self, on: Executor, number: int, builder: str) -> None:
        self._on = on
        self._number = number
        self._builder = builder
        self._phase: RebuildPhase.ValueType = RebuildPhase.REBUILD_PHASE_PREPARING
        self._totals: dict[str, int] = {}
        self._done = 0
        self._total = 0
        self._trouble = ""
        self._told = 0.0

    async def begin(self, phase: "RebuildPhase.ValueType", *, total: int = 0) -> None:
        """Begin a phase; unless it is the first, what was in the way is over."""
        if phase != RebuildPhase.REBUILD_PHASE_PREPARING:
            self._trouble = ""
        self._phase, self._done, self._total, self._totals = phase, 0, total, {}
        await self._tell()

    async def imported(self, source: str, entries: int, total: int) -> None:
        """Take note of a chunk of a source's snapshot."""
        if self._phase != RebuildPhase.REBUILD_PHASE_IMPORTING:
            await self.begin(RebuildPhase.REBUILD_PHASE_IMPORTING)
        self._totals[source] = total
        self._total = sum(self._totals.values())
        await self.came(self._done + entries)

    async def compared(self, source: str, done: int, total: int) -> None:
        """Take note of how much of one source has been compared, after those that were before it."""
        before = sum(self._totals.values()) - self._totals.get(source, 0)
        self._totals[source] = total
        await self.came(before + done, before + total)

    async def came(self, done: int, total: int | None = None) -> None:
        """Take note of how far the phase has come."""
        if done > self._done:
            self._trouble = ""
        self._done = done
        self._total = max(self._total if total is None else total, done)
        if monotonic() - self._told >= _TOLD_SECONDS:
            await self._tell()

    async def trouble(self, trouble: str) -> None:
        """Say what is in the way."""
        if trouble != self._trouble:
            self._trouble = trouble
            await self._tell()

    async def _tell(self) -> None:
        self._told = monotonic()
        await tell(
            self._on,
            self._number,
            self._builder,
            self._phase,
            done=self._done,
            total=self._total,
            trouble=self._trouble,
        )


def progress_of(generation: Generation) -> RebuildProgress:
    """Return what callers are told; the rate is that of the whole phase."""
    told = RebuildProgress(
        generation=generation.number,
        phase=generation.phase,
        cause=generation.cause,
        done=generation.done,
        total=generation.total,
        trouble=generation.trouble,
        builder=generation.builder,
    )
    told.begin_time.CopyFrom(stamp(generation))
    if generation.done and generation.phase_seconds > 0 and generation.phase < RebuildPhase.REBUILD_PHASE_COMPLETE:
        told.rate = generation.done / generation.phase_seconds
        left = Duration()
        left.FromTimedelta(timedelta(seconds=max(0, generation.total - generation.done) / told.rate))
        told.time_left.CopyFrom(left)
    return told


def stamp(generation: Generation) -> Timestamp:
    """Return when a generation was begun."""
    time = Timestamp()
    time.FromDatetime(generation.begun_at)
    return time
