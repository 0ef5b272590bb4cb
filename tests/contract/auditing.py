"""A line with many counters, whose copy is compared with its source."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import grpc.aio
from uuid_utils.compat import uuid7

from bus.audit.audit import Audit, Difference
from bus.following.projection import Projection
from bus.following.source_answers import SnapshotChunk, SourceRange
from bus.following.source_journal import SourceJournal
from bus.freshness.consistency import SourceUnavailable
from tests.contract.counter import Counter
from tests.contract.line import CopyProjection, CopyRow, Line


@dataclass(frozen=True)
class Model:
    """The copy of counters, as a read model."""

    projections: Mapping[str, Projection[Any]]


@dataclass(frozen=True)
class Audited:
    """What an audit told until its end."""

    differences: Sequence[Difference]
    checked: int
    complete: bool

    @property
    def kinds(self) -> dict[UUID, str]:
        """What is wrong with which counter."""
        return {each.aggregate_id: each.kind.name for each in self.differences}


class Auditor:
    """Audits the copy of a line."""

    def __init__(self, line: Line, journal: SourceJournal | None = None) -> None:
        self._line = line
        self._journal = journal or line.journal

    def audit(self, *, patience: float = 30.0) -> Audit:
        """Make an audit."""
        model = Model({self._line.source.name: CopyProjection()})
        return Audit(self._line.copies, model, {self._line.source.name: self._journal}, patience=patience)

    async def run(self, *, repair: bool = False, patience: float = 30.0) -> Audited:
        """Audit everything."""
        differences: list[Difference] = []
        checked, complete = 0, False
        async with aclosing(self.audit(patience=patience).run(repair=repair)) as steps:
            async for step in steps:
                differences += step.differences
                checked, complete = step.checked, step.complete
        return Audited(differences, checked, complete)


class Slow(SourceJournal):
    """A line's journal, whose snapshots arrive only after something else has happened."""

    def __init__(self, line: Line, channel: grpc.aio.Channel, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(line.source.name, channel)
        self._meanwhile = meanwhile

    async def snapshot(self, after_id: UUID | None = None, ids: Sequence[UUID] = ()) -> AsyncGenerator[SnapshotChunk]:
        """Read what is published, and wait before it is told."""
        chunks = [chunk async for chunk in super().snapshot(after_id, ids)]
        await self._meanwhile()
        for chunk in chunks:
            yield chunk


class Late(SourceJournal):
    """A line's journal, whose snapshots are taken only after something else has happened."""

    def __init__(self, line: Line, channel: grpc.aio.Channel, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__(line.source.name, channel)
        self._meanwhile = meanwhile

    async def snapshot(self, after_id: UUID | None = None, ids: Sequence[UUID] = ()) -> AsyncGenerator[SnapshotChunk]:
        """Wait, and read what is published then."""
        await self._meanwhile()
        async with aclosing(super().snapshot(after_id, ids)) as chunks:
            async for chunk in chunks:
                yield chunk


class Faltering(SourceJournal):
    """A line's journal, whose answers end too early so many times."""

    def __init__(self, line: Line, channel: grpc.aio.Channel, times: int) -> None:
        super().__init__(line.source.name, channel)
        self.times = times

    async def digests(
        self,
        after_id: UUID | None = None,
        up_to_id: UUID | None = None,
        *,
        range_size: int = 0,
        with_entries: bool = False,
        ids: Sequence[UUID] = (),
    ) -> AsyncGenerator[SourceRange]:
        """Read digests, and fail before the second."""
        asked = super().digests(after_id, up_to_id, range_size=range_size, with_entries=with_entries, ids=ids)
        async with aclosing(asked) as ranges:
            async for each in ranges:
                yield each
                if self.times:
                    self.times -= 1
                    raise SourceUnavailable("it went away", {"source": self.source})


async def stock(line: Line, count: int) -> list[UUID]:
    """Put counters of value 1 into the source and its copy that nobody remembers the events of; return their ids."""
    rows = [CopyRow(uuid4(), 1, uuid7(), 1) for _ in range(count)]
    await line.commands.execute(
        "INSERT INTO counter (counter_id, revision, state, public_revision, public_event_id) "
        "SELECT id, 1, $3, 1, event_id FROM unnest($1::uuid[], $2::uuid[]) AS given (id, event_id)",
        [row.id for row in rows],
        [row.event_id for row in rows],
        Counter(1, shown=b"1").state(),
    )
    await put(line, rows)
    return [row.id for row in rows]


async def put(line: Line, rows: Sequence[CopyRow]) -> None:
    """Write rows into the copy as a projector would."""
    async with line.copies.transaction() as connection:
        await CopyProjection().write(connection, rows)
