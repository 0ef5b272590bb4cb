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
    TableValuedAlias,
    bindparam,
    delete,
    func,
    literal_column,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from bus.journal.partitions import ALWAYS, Partition, Span, alone, claim, cover, net_of, oldest_in_net, partitions
from bus.journal.tables import JOURNAL
from bus.lanes import LANES
from chassis.postgres import Connection, Connections
from chassis.sql import Statement

_CHUNK: Final = 2_000
"""How many rows one transaction moves: a long one would keep the lanes' dead rows from being cleared away."""
_PAUSES: Final = (0.5, 1.0, 2.0)
_EXCLUSIVE_MS: Final = 2_000
"""For how long at most all commits wait for a partition to go; mostly it is a few milliseconds."""
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
    """Put the next rows of a span into the history; select how many they are, and the last number, of each lane."""
    after = tuple_(bindparam("lane", type_=SmallInteger()), bindparam("seq", type_=BigInteger()))
    rows = (
        select(_journal.c.lane, _journal.c.seq, *(_journal.c[name] for name in _PARTS))
        .where(*_SPAN, tuple_(_journal.c.lane, _journal.c.seq) > after)
        .order_by(_journal.c.lane, _journal.c.seq)
        .limit(_COUNT)
        .cte("rows")
    )
    last = select(rows.c.lane, func.max(rows.c.seq).label("seq"), func.count().label("rows"))
    return last.group_by(rows.c.lane).order_by(rows.c.lane).add_cte(_remembered(rows))


def _given() -> TableValuedAlias:
    """Return the numbers that are given for lanes."""
    lanes, seqs = bindparam("lanes", type_=ARRAY(SmallInteger())), bindparam("seqs", type_=ARRAY(BigInteger()))
    return func.unnest(lanes, seqs).table_valued("in_lane", "of_seq").render_derived("given")


def _clear() -> Select[Any]:
    """Move rows of the net that are older than `upper` and before their lane's beginning into the history, in order."""
    net, beginnings = net_of(_journal), _given()
    rows = (
        select(net.c.lane, net.c.seq, *(net.c[name] for name in _PARTS))
        .join(beginnings, beginnings.c.in_lane == net.c.lane)
        .where(net.c.recorded_at < _UPPER, net.c.seq < beginnings.c.of_seq)
        .order_by(net.c.lane, net.c.seq)
        .limit(_COUNT)
        .cte("rows")
    )
    keys = (net.c[name] == rows.c[name] for name in ("lane", "seq", "recorded_at"))
    gone = delete(net).where(*keys).returning(net.c.seq).cte("gone")
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
    use for too long, and one of `UNAVAILABLE`; what is done by then is done, and the next run goes on.
    """
    trimmed = 0
    for partition in await partitions(connections, _journal):
        if partition.span.upper > horizon:
            break
        waiting = [row["lane"] for row in await _UNPUBLISHED.fetch(connections, _bounds(partition.span))]
        if waiting:
            log.warning("journal_not_trimmed", partition=partition.name, unpublished_lanes=waiting)
            return trimmed
        last = await _copy_history(connections, partition.span, history_width)
        if not await _insist(connections, partition, last):
            return trimmed
        log.info("journal_trimmed", partition=partition.name)
        trimmed += 1
    await _clear_net(connections, horizon, history_width)
    return trimmed


async def _copy_history(connections: Connections, span: Span, history_width: int) -> dict[int, int]:
    """Put what the history keeps of a span into it; return each lane's last number that is in it, 0 without any."""
    last = dict.fromkeys(range(LANES), 0)
    lane, seq, read = -1, 0, _CHUNK
    row = await _OLDEST.fetchrow(connections, _bounds(span))
    if row is not None and row["time"] is not None:
        await cover(connections, JOURNAL.history, history_width, since=row["time"], ahead=0)
    while read == _CHUNK:
        values = {**_bounds(span), "lane": lane, "seq": seq, "count": _CHUNK}
        read = 0
        for row in await _COPY.fetch(connections, values):
            lane, seq = row["lane"], row["seq"]
            last[lane] = seq
            read += row["rows"]
    return last


async def _insist(connections: Connections, partition: Partition, copied: Mapping[int, int]) -> bool:
    """Let go of a partition, with some patience for whoever uses the table just now: to copy it again costs more."""
    for pause in _PAUSES:
        try:
            return await _let_go(connections, partition, copied)
        except asyncpg.LockNotAvailableError:
            await asyncio.sleep(pause)
    return await _let_go(connections, partition, copied)


async def _let_go(connections: Connections, partition: Partition, copied: Mapping[int, int]) -> bool:
    """Drop a partition that is in the history up to these numbers; tell whether that was still right.

    Every commit waits from the moment the whole table is locked. So all that can be is done before, the rest is one
    round trip, and a process that is stopped there loses the transaction soon.
    """
    part = alone(_journal, partition.name)
    async with connections.transaction() as connection:
        await claim(connection, _journal)
        if partition not in await partitions(connection, _journal):
            return False  # another process was faster
        await connection.execute(f'LOCK TABLE "{part.name}" IN SHARE MODE')
        if await _later(part).fetchrow(connection, {"lanes": list(copied), "seqs": list(copied.values())}):
            return False  # something was written into the past meanwhile
        if await _UNPUBLISHED.fetch(connection, _bounds(partition.span)):
            return False
        beginnings = await _read_beginnings(connection, partition.span.upper)  # a lane that grows begins no earlier
        await _clear_before(connection, partition.span.upper, beginnings)
        await connection.execute(
            f"SET LOCAL transaction_timeout = '{_EXCLUSIVE_MS}ms';"
            f'LOCK TABLE ONLY "{_journal.name}" IN ACCESS EXCLUSIVE MODE;'
            f'ALTER TABLE "{_journal.name}" DETACH PARTITION "{part.name}";'
            f"{_put_back(part, beginnings)}"
            f'DROP TABLE "{part.name}"'
        )
    return True


def _later(part: Table) -> Statement:
    """Return what finds a row above the given numbers: a lane only grows, so what is added to it stands there."""
    given = _given()
    later = select(part.c.seq).where(part.c.lane == given.c.in_lane, part.c.seq > given.c.of_seq)
    first = later.order_by(part.c.seq).limit(_ONE).scalar_subquery()  # in order: by the index, whatever the size
    return Statement(select(given.c.in_lane).where(first.is_not(None)).limit(_ONE))


def _put_back(part: Table, beginnings: Mapping[int, int]) -> str:
    """Return what puts the rows of each lane from a number on back into the journal.

    Lane by lane: each is by the index, whatever the partition's size.
    """
    names = ", ".join(f'"{column.name}"' for column in part.c)
    rows = f'INSERT INTO "{_journal.name}" ({names}) SELECT {names} FROM "{part.name}"'  # noqa: S608 - names of ours
    return "".join(f"{rows} WHERE lane = {lane} AND seq >= {seq};" for lane, seq in beginnings.items())


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
