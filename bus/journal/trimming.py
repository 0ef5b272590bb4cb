"""Trimming the journal: what is old enough and published goes, its own part into the history.

What stays of a lane is always its newest part, without a gap, and at least its newest published event: the first number
that is there tells whether something can still be repaired from here, and the relay knows the stream's tail. An event
whose number is lower than that of an earlier one (its transaction began first and took the lane last) can't tear a lane
at the border of two partitions for that reason.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    SmallInteger,
    Table,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from bus.journal.partitions import ALWAYS, Partition, Span, alone, claim, cover, oldest_in_net, partitions
from bus.journal.tables import JOURNAL
from chassis.postgres import Connection, Connections
from chassis.sql import Statement

_CHUNK: Final = 2_000
"""How many rows one transaction moves: a long one would keep the lanes' dead rows from being cleared away."""
_PAUSES: Final = (0.5, 1.0, 2.0)
_journal: Final = JOURNAL.journal
_PARTS: Final = tuple(column.name for column in JOURNAL.history.c)
_ONE: Final[ColumnElement[int]] = literal_column("1")
_LOWER: Final = bindparam("lower", type_=DateTime(timezone=True))
_UPPER: Final = bindparam("upper", type_=DateTime(timezone=True))
_COUNT: Final = bindparam("count", type_=BigInteger())
_SPAN: Final = (_journal.c.recorded_at >= _LOWER, _journal.c.recorded_at < _UPPER)

log: Final = structlog.get_logger(__name__)


def _beginnings() -> Select[Any]:
    """Select the number with which each lane begins once what is older than `upper` is gone."""
    relayed = JOURNAL.relay_lane
    first = (
        select(_journal.c.seq)
        .where(_journal.c.lane == relayed.c.lane, _journal.c.recorded_at >= _UPPER)
        .order_by(_journal.c.seq)
        .limit(_ONE)
        .scalar_subquery()
    )
    return select(relayed.c.lane, func.least(relayed.c.published, first).label("seq"))


def _oldest() -> Select[Any]:
    """Select when the first event of any lane in a span was recorded: near enough to the oldest, and by the index."""
    first = (
        select(_journal.c.recorded_at)
        .where(_journal.c.lane == JOURNAL.lane.c.lane, *_SPAN)
        .order_by(_journal.c.seq)
        .limit(_ONE)
        .scalar_subquery()
    )
    return select(func.min(first).label("time")).select_from(JOURNAL.lane)


def _remembered(rows: CTE) -> CTE:
    query = select(*(rows.c[name] for name in _PARTS))
    return upsert(JOURNAL.history).from_select(_PARTS, query).on_conflict_do_nothing().cte("remembered")


def _copy() -> Select[Any]:
    """Put the next rows of a span into the history; select the last of them, and their count."""
    after = tuple_(bindparam("lane", type_=SmallInteger()), bindparam("seq", type_=BigInteger()))
    rows = (
        select(_journal.c.lane, _journal.c.seq, *(_journal.c[name] for name in _PARTS))
        .where(*_SPAN, tuple_(_journal.c.lane, _journal.c.seq) > after)
        .order_by(_journal.c.lane, _journal.c.seq)
        .limit(_COUNT)
        .cte("rows")
    )
    last = select(rows.c.lane, rows.c.seq, func.count().over().label("rows"))
    return last.order_by(rows.c.lane.desc(), rows.c.seq.desc()).limit(_ONE).add_cte(_remembered(rows))


def _clear() -> Select[Any]:
    """Move rows that are older than `upper` and before their lane's beginning into the history, in order."""
    beginnings = (
        func.unnest(bindparam("lanes", type_=ARRAY(SmallInteger())), bindparam("seqs", type_=ARRAY(BigInteger())))
        .table_valued("in_lane", "first_seq")
        .render_derived("beginnings")
    )
    rows = (
        select(_journal.c.lane, _journal.c.seq, *(_journal.c[name] for name in _PARTS))
        .join(beginnings, beginnings.c.in_lane == _journal.c.lane)
        .where(_journal.c.recorded_at < _UPPER, _journal.c.seq < beginnings.c.first_seq)
        .order_by(_journal.c.lane, _journal.c.seq)
        .limit(_COUNT)
        .cte("rows")
    )
    keys = (_journal.c[name] == rows.c[name] for name in ("lane", "seq", "recorded_at"))
    gone = delete(_journal).where(*keys, _journal.c.recorded_at < _UPPER).returning(_journal.c.seq).cte("gone")
    return select(func.count().label("rows")).select_from(gone).add_cte(_remembered(rows))


def _unpublished() -> Select[Any]:
    relayed = JOURNAL.relay_lane
    later = select(_ONE).where(_journal.c.lane == relayed.c.lane, _journal.c.seq > relayed.c.published, *_SPAN)
    return select(relayed.c.lane).where(later.exists()).order_by(relayed.c.lane)


_COPY: Final = Statement(_copy())
_CLEAR: Final = Statement(_clear())
_OLDEST: Final = Statement(_oldest())
_BEGINNINGS: Final = Statement(_beginnings())
_UNPUBLISHED: Final = Statement(_unpublished())


async def trim_journal(connections: Connections, horizon: datetime, history_width: int) -> int:
    """Trim what was recorded before a time, partition by partition; return how many partitions are gone.

    It stops at the first one that has an event which is not published. Raises asyncpg.PostgresError when a table is in
    use for too long; what is done by then is done, and the next run goes on.
    """
    trimmed = 0
    for partition in await partitions(connections, _journal):
        if partition.span.upper > horizon:
            break
        waiting = [row["lane"] for row in await _UNPUBLISHED.fetch(connections, _bounds(partition.span))]
        if waiting:
            log.warning("journal_not_trimmed", partition=partition.name, unpublished_lanes=waiting)
            return trimmed
        copied = await _copy_history(connections, partition.span, history_width)
        if not await _insist(connections, partition, copied):
            return trimmed
        log.info("journal_trimmed", partition=partition.name, events=copied)
        trimmed += 1
    await _clear_net(connections, horizon, history_width)
    return trimmed


async def _copy_history(connections: Connections, span: Span, history_width: int) -> int:
    """Put what the history keeps of a span into it; return how many rows the span has."""
    lane, seq, copied, read = -1, 0, 0, _CHUNK
    row = await _OLDEST.fetchrow(connections, _bounds(span))
    if row is not None and row["time"] is not None:
        await cover(connections, JOURNAL.history, history_width, since=row["time"], ahead=0)
    while read == _CHUNK:
        values = {**_bounds(span), "lane": lane, "seq": seq, "count": _CHUNK}
        row = await _COPY.fetchrow(connections, values)
        if row is None:
            break
        lane, seq, read = row["lane"], row["seq"], row["rows"]
        copied += read
    return copied


async def _insist(connections: Connections, partition: Partition, copied: int) -> bool:
    """Let go of a partition, with some patience for whoever uses the table just now: to copy it again costs more."""
    for pause in _PAUSES:
        try:
            return await _let_go(connections, partition, copied)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(pause)
    return await _let_go(connections, partition, copied)


async def _let_go(connections: Connections, partition: Partition, copied: int) -> bool:
    """Drop a partition that is in the history; tell whether that was still right."""
    part = alone(_journal, partition.name)
    async with connections.transaction() as connection:
        await claim(connection, _journal)
        if partition not in await partitions(connection, _journal):
            return False  # another process was faster
        await connection.execute(f'LOCK TABLE "{part.name}" IN SHARE MODE')
        count = await Statement(select(func.count().label("rows")).select_from(part)).fetchrow(connection)
        if count is None or count["rows"] != copied:
            return False  # something was written into the past meanwhile
        await connection.execute(f'LOCK TABLE ONLY "{_journal.name}" IN ACCESS EXCLUSIVE MODE')
        if await _UNPUBLISHED.fetch(connection, _bounds(partition.span)):
            return False
        await connection.execute(f'ALTER TABLE "{_journal.name}" DETACH PARTITION "{part.name}"')
        beginnings = await _read_beginnings(connection, partition.span.upper)
        put_back = _put_back(part)
        for lane, seq in beginnings.items():  # one by one: each is by the index, whatever the partition's size
            await put_back.execute(connection, {"lane": lane, "seq": seq})
        await _clear_before(connection, partition.span.upper, beginnings)
        await connection.execute(f'DROP TABLE "{part.name}"')
    return True


def _put_back(part: Table) -> Statement:
    """Return what puts the rows of a lane from a number on back into the journal."""
    lane, seq = bindparam("lane", type_=SmallInteger()), bindparam("seq", type_=BigInteger())
    kept = select(*part.c).where(part.c.lane == lane, part.c.seq >= seq)
    return Statement(insert(_journal).from_select([column.name for column in part.c], kept))


async def _read_beginnings(on: Connection | Connections, upper: datetime) -> dict[int, int]:
    return {row["lane"]: row["seq"] for row in await _BEGINNINGS.fetch(on, {"upper": upper})}


async def _clear_net(connections: Connections, horizon: datetime, history_width: int) -> None:
    """Trim what lies in the DEFAULT partition: what was recorded long ago, what was kept of lanes that have newer."""
    present = await partitions(connections, _journal)
    upper = min([horizon, *(each.span.lower for each in present[:1])])
    oldest = await oldest_in_net(connections, _journal, ALWAYS)
    if oldest is None or oldest >= upper:
        return
    await cover(connections, JOURNAL.history, history_width, since=oldest, ahead=0)
    await _clear_before(connections, upper, await _read_beginnings(connections, upper))


async def _clear_before(on: Connection | Connections, upper: datetime, beginnings: Mapping[int, int]) -> None:
    values = {"upper": upper, "lanes": list(beginnings), "seqs": list(beginnings.values()), "count": _CHUNK}
    cleared = _CHUNK
    while cleared == _CHUNK:
        row = await _CLEAR.fetchrow(on, values)
        cleared = 0 if row is None else row["rows"]


def _bounds(span: Span) -> dict[str, object]:
    return {"lower": span.lower, "upper": span.upper}
