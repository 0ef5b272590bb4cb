"""Comparing one range of ids of a copy with its source, while both go on.

A copy that has applied everything up to the heads of a source's snapshot can't lack anything of that snapshot: where it
shows less, it is wrong. Where it shows more, it may only be ahead, so the source is asked once more: it is never behind
its own copy. By then it is past what was read of the copy, or the copy is wrong. A row that has moved on between two
readings was written anew meanwhile and is no longer what was suspected; so nothing is asked more than twice.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from bus.audit.audited_copy import AuditedCopy
from bus.audit.difference import Difference, Kind, judge
from bus.audit.listed import ListedRow
from bus.following.checkpoint import Checkpoint
from bus.following.source_answers import SourceEntry, SourceHeads, SourceRange
from bus.following.source_journal import EpochMoved, SourceJournal
from bus.freshness.consistency import SourceUnavailable
from bus.lanes import lane_of

_LISTED_MOST: Final = 10_000
_PAGE: Final = 1_000
"""How many rows are read at once, and how many ids can be asked for at once."""
_TRIES: Final = 4
_RETRY_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Vantage:
    """From where a part of the copy is judged: it contains what its source had at the heads."""

    heads: SourceHeads
    checkpoint: Checkpoint
    parked: AbstractSet[UUID]


class Comparing:
    """Compares one source's copy, range by range."""

    def __init__(self, copy: AuditedCopy, journal: SourceJournal) -> None:
        self._copy = copy
        self._journal = journal

    async def ranges(self) -> AsyncGenerator[SourceRange]:
        """Yield the digests of all ranges; a source that fails to answer is asked for the rest again, a few times."""
        after: UUID | None = None
        failures = 0
        while True:
            try:
                async with aclosing(self._journal.digests(after)) as ranges:
                    async for each in ranges:
                        self._copy.in_epoch(each.heads.epoch)
                        yield each
                        after, failures = each.up_to_id, 0
            except EpochMoved as error:
                raise self._copy.interrupted(str(error)) from error
            except SourceUnavailable:
                failures += 1
                if failures == _TRIES:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def differences(self, given: SourceRange) -> AsyncGenerator[list[Difference]]:
        """Yield what is different in a range, a part at a time; nothing where the digests are equal."""
        own = await self._copy.digest(given.after_id, given.up_to_id, given.count + 1)
        if (own.count, own.digest, own.damaged) == (given.count, given.digest, 0):
            return
        for part in await self._listed(given.after_id, given.up_to_id):
            async with aclosing(self._different(part)) as differences:
                async for each in differences:
                    yield each

    async def _different(self, part: SourceRange) -> AsyncGenerator[list[Difference]]:
        vantage = await self._vantage(part.heads)
        unseen = {entry.id: entry for entry in part.entries}
        after, more = part.after_id, True
        while more:
            rows = await self._copy.page(after, part.up_to_id, _PAGE)
            found: list[Difference | None] = []
            ahead: dict[UUID, ListedRow] = {}
            for row in rows:
                entry = unseen.pop(row.id, None)
                if _is_ahead(entry, row):
                    ahead[row.id] = row
                else:
                    found.append(_difference(entry, row, row.id, vantage))
            found += await self._settled(ahead)
            more = len(rows) == _PAGE
            if not more:
                found += [_difference(entry, None, entry.id, vantage) for entry in unseen.values()]
            if differences := [each for each in found if each is not None]:
                await self._copy.checkpoint()
                yield differences
            after = rows[-1].id if rows else after

    async def _settled(self, ahead: Mapping[UUID, ListedRow]) -> list[Difference | None]:
        """Decide on rows that show more than what was read of the source before."""
        found: list[Difference | None] = []
        first = ahead
        while ahead:
            parts = await self._listed(ids=list(ahead))
            published = {entry.id: entry for part in parts for entry in part.entries}
            vantage = await self._vantage(parts[-1].heads)
            past: dict[UUID, SourceEntry] = {}
            for key, row in ahead.items():
                entry = published.get(key)
                if entry is None or not _is_past(entry, row):
                    found.append(_difference(entry, row, key, vantage))
                elif row is first[key]:
                    past[key] = entry
            rows = await self._copy.rows(list(past)) if past else {}
            ahead = {key: rows[key] for key, entry in past.items() if key in rows and _is_ahead(entry, rows[key])}
            found += [
                _difference(entry, rows.get(key), key, vantage) for key, entry in past.items() if key not in ahead
            ]
        return found

    async def _vantage(self, heads: SourceHeads) -> _Vantage:
        checkpoint = await self._copy.covering(heads)
        return _Vantage(heads, checkpoint, await self._copy.parked())

    async def _listed(
        self, after: UUID | None = None, up_to: UUID | None = None, ids: Sequence[UUID] = ()
    ) -> list[SourceRange]:
        """Ask for what the source published last, of a range or of these aggregates; a few times if need be."""
        for left in reversed(range(_TRIES)):
            try:
                asked = self._journal.digests(after, up_to, range_size=_LISTED_MOST, with_entries=True, ids=ids)
                async with aclosing(asked) as parts:
                    return [part async for part in parts]
            except EpochMoved as error:
                raise self._copy.interrupted(str(error)) from error
            except SourceUnavailable:
                if not left:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
        raise AssertionError("the last try returns or raises")


def _is_ahead(entry: SourceEntry | None, row: ListedRow) -> bool:
    """Tell whether a row may be right although the source was read to have less."""
    return entry is None or (row.intact and row.revision is not None and row.revision > entry.revision)


def _is_past(entry: SourceEntry, row: ListedRow) -> bool:
    """Tell whether the source has gone past what a row shows."""
    return row.revision is None or entry.revision > row.revision


def _difference(entry: SourceEntry | None, row: ListedRow | None, key: UUID, vantage: _Vantage) -> Difference | None:
    """Return what is different, None for nothing; an aggregate with a parked event has to be earlier, or not there."""
    verdict = judge(entry, row)
    if verdict is None:
        return None
    kind, detail = verdict
    if key in vantage.parked and kind in {Kind.MISSING, Kind.STALE}:
        kind, detail = Kind.PARKED, f"an event of it is parked; {detail}"
    lane = lane_of(key)
    at = vantage.checkpoint.lanes[lane]
    if at.stopped is not None:
        detail = f"{detail}; its lane has stopped: {at.stopped}"
    return Difference(kind, vantage.heads.source, key, entry, row, vantage.heads.lanes[lane].seq, at.seq, detail)
