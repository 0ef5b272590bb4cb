"""Putting right what is different in a copy, aggregate by aggregate, from what the source publishes of it now.

What is read of the source waits until the copy has come as far, so that nothing is shown before its checkpoint tells
it. In a lane that has stopped that can't be waited for: what is wrong there stays until the lane goes on.

The change is a transaction that takes its locks in the projector's order, so that the two can't block each other: the
rows, what writing them needs, what is parked of them (the state written supersedes it), the checkpoint. The
checkpoint's version counts up: the projector reads it anew, and who follows the copy notices. A row of a later event
than what was read of the source, other than the row found wrong, was written by the projector since: it stays.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import asyncpg

from bus.audit.audited_copy import AuditedCopy
from bus.audit.difference import Difference, Kind, judge
from bus.audit.listed import ListedRow
from bus.event import Event
from bus.following import checkpoint as checkpoints
from bus.following import parking
from bus.following.applying import refused_as_data
from bus.following.checkpoint import Checkpoint
from bus.following.source_answers import SourceEntry, SourceHeads
from bus.following.source_journal import EpochMoved, SourceJournal
from bus.lanes import lane_of
from bus.tasks import told
from chassis.postgres import Connection

_AT_ONCE: Final = 50
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '500ms'"
_TRIES: Final = 10
_RETRY_SECONDS: Final = 0.1
_BUSY: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError, asyncpg.SerializationError)


@dataclass(frozen=True, slots=True)
class _Work:
    """One aggregate to put right: what was found wrong, and what its source publishes of it now, if anything."""

    wrong: Difference
    published: Event | None
    row: Any

    @property
    def key(self) -> UUID:
        return self.wrong.aggregate_id

    @property
    def _entry(self) -> SourceEntry | None:
        event = self.published
        return None if event is None else SourceEntry(event.aggregate_id, event.revision, event.event_id)

    def is_wrong_still(self, present: ListedRow | None) -> bool:
        """Tell whether what the copy shows by now is wrong, rather than written by the projector since."""
        if judge(self._entry, present) is None:
            return False
        if present == self.wrong.shown:
            return True
        if self.published is None or present is None or present.revision is None:
            return self.published is not None
        return not present.intact or present.revision <= self.published.revision

    def outcome(self, now: ListedRow | None, changed: Sequence[str], *, written: bool) -> Difference:
        """Return the difference as it ended; `changed` are the columns that were not what they are now."""
        if not written:
            return replace(self.wrong, repaired=True, detail=f"{self.wrong.detail}; an event came meanwhile")
        if judge(self._entry, now) is not None:
            return _failed(self.wrong, "what was written is not what was published")
        columns = f"; changed: {', '.join(changed)}" if changed else ""
        return replace(self.wrong, repaired=True, detail=self.wrong.detail + columns)


class PuttingRight:
    """Repairs one source's copy."""

    def __init__(self, copy: AuditedCopy, journal: SourceJournal) -> None:
        self._copy = copy
        self._journal = journal

    async def repaired(self, differences: Sequence[Difference]) -> list[Difference]:
        """Put right what can be; return the same differences, each telling whether it was put right.

        What is parked stays: it is for a retry.
        """
        wrong = [each for each in differences if each.kind is not Kind.PARKED]
        outcome: dict[UUID, Difference] = {}
        for begin in range(0, len(wrong), _AT_ONCE):
            outcome |= await self._repair({each.aggregate_id: each for each in wrong[begin : begin + _AT_ONCE]})
        return [outcome.get(each.aggregate_id, each) for each in differences]

    async def _repair(self, wrong: Mapping[UUID, Difference]) -> dict[UUID, Difference]:
        published, at = await self._published(list(wrong))
        stopped = {key for key in wrong if at.lanes[lane_of(key)].stopped is not None}
        failed = {key: _failed(wrong[key], "its lane has stopped") for key in stopped}
        rows: dict[UUID, Any] = {}
        for key, event in published.items():
            if key in stopped:
                continue
            try:
                rows[key] = self._copy.projection.row(event)
            except Exception as error:  # noqa: BLE001 - whatever a pure mapping raises is the fault of this one state
                failed[key] = _failed(wrong[key], told(error))
        work = [_Work(each, published.get(key), rows.get(key)) for key, each in wrong.items() if key not in failed]
        return failed | await self._write(work)

    async def _published(self, ids: Sequence[UUID]) -> tuple[dict[UUID, Event], Checkpoint]:
        """Return what is published of these, and the copy's checkpoint, which contains all of that."""
        events: dict[UUID, Event] = {}
        heads: SourceHeads | None = None
        try:
            async with aclosing(self._journal.snapshot(ids=ids)) as chunks:
                async for chunk in chunks:
                    heads = chunk.heads
                    self._copy.in_epoch(heads.epoch)
                    events.update({event.aggregate_id: event for event in chunk.entries})
        except EpochMoved as error:
            raise self._copy.interrupted(str(error)) from error
        if heads is None:
            raise LookupError("a snapshot that always has a chunk had none")
        return events, await self._copy.covering(heads)

    async def _write(self, work: Sequence[_Work]) -> dict[UUID, Difference]:
        """Write in one transaction; what the store refuses as data is found by halving."""
        for _ in range(_TRIES if work else 0):
            try:
                return await self._copy.there(self._transaction(work))
            except _BUSY:
                await asyncio.sleep(_RETRY_SECONDS)
            except asyncpg.PostgresError as error:
                if not refused_as_data(error):
                    raise
                if len(work) == 1:
                    return {work[0].key: _failed(work[0].wrong, told(error))}
                middle = len(work) // 2
                return await self._write(work[:middle]) | await self._write(work[middle:])
        return {each.key: _failed(each.wrong, "the copy is too busy") for each in work}

    async def _transaction(self, work: Sequence[_Work]) -> dict[UUID, Difference]:
        projection = self._copy.projection
        ids = [each.key for each in work]
        async with self._copy.connections.transaction() as connection:
            await connection.execute(_LOCK_TIMEOUT)
            await projection.listed.lock(connection, ids)
            present = await projection.listed.of(connection, ids)
            chosen = {each.key: each for each in work if each.is_wrong_still(present.get(each.key))}
            before = await self._columns(connection, chosen.values())
            if wanted := {key: each.row for key, each in chosen.items() if each.row is not None}:
                # A row that was not there when the others were locked is not voided: it can be the projector's by now.
                await projection.listed.void(connection, [key for key in wanted if key in present])
                await projection.write(connection, list(wanted.values()))
                await parking.supersede(connection, self._copy.source, _shown(chosen.values()))
            if extra := [key for key, each in chosen.items() if each.published is None]:
                await projection.delete(connection, extra)
            self._copy.same_generation(await checkpoints.touch(connection, self._copy.source))
            now = await projection.listed.of(connection, ids)
            after = await self._columns(connection, chosen.values())
        return {
            each.key: each.outcome(
                now.get(each.key),
                _changed(before.get(each.key, {}), after.get(each.key, {})),
                written=each.key in chosen,
            )
            for each in work
        }

    async def _columns(self, connection: Connection, chosen: Iterable[_Work]) -> dict[UUID, Mapping[str, str]]:
        """Return what is there of aggregates whose rows are not intact."""
        altered = [each.key for each in chosen if each.wrong.kind is Kind.ALTERED]
        return {key: await self._copy.projection.columns(connection, key) for key in altered}


def _shown(written: Iterable[_Work]) -> list[tuple[UUID, int]]:
    return [
        (each.key, each.published.revision) for each in written if each.published is not None and each.row is not None
    ]


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _failed(difference: Difference, why: str) -> Difference:
    return replace(difference, detail=f"{difference.detail}; not repaired: {why}")
