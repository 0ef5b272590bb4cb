"""Tables divided by time: a partition for each so many days, made ahead, and dropped whole when it is too old.

The days are cut the same way for ever, counted from 1970, so that every process means the same partitions. A DEFAULT
partition is the net under them: a row for whose time there is none lands there, and no commit is refused. What should
not stay in the net is moved out by `cover`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import ColumnElement, DateTime, MetaData, Table, Text, bindparam, cast, delete, func, insert, select
from sqlalchemy.dialects.postgresql import OID, REGCLASS
from sqlalchemy.sql import column, table

from chassis.postgres import Connection, Connections
from chassis.sql import Executor, Statement

AHEAD: Final = 1
"""For how many partitions' time rows could be written if no more were made."""
ALWAYS: Final = datetime.min.replace(tzinfo=UTC)
"""Before everything."""

_TURN_TIMEOUT: Final = "SET LOCAL lock_timeout = '2s'"
"""How long one waits for others who change the same table's partitions; nobody else waits behind them."""
_LOCK_TIMEOUT: Final = "SET LOCAL lock_timeout = '200ms'"
"""Whoever waits for a lock on a whole table makes others wait behind it: no longer than this."""
_LEAD: Final = timedelta(seconds=3)
_BOUNDS: Final = re.compile(r"FROM \((?:'(?P<lower>[^']*)'|MINVALUE)\) TO \('(?P<upper>[^']*)'\)")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_CLASS: Final = table("pg_class", column("oid", OID()), column("relname", Text()), column("relpartbound"))
_INHERITS: Final = table("pg_inherits", column("inhrelid", OID()), column("inhparent", OID()))
_PARTITIONS: Final = Statement(
    select(_CLASS.c.relname, func.pg_get_expr(_CLASS.c.relpartbound, _CLASS.c.oid).label("bounds"))
    .join_from(_CLASS, _INHERITS, _INHERITS.c.inhrelid == _CLASS.c.oid)
    .where(_INHERITS.c.inhparent == cast(cast(bindparam("divided", type_=Text()), REGCLASS()), OID()))
)
_NOW: Final = Statement(select(func.clock_timestamp().label("now")))
_CLAIM: Final = Statement(select(func.pg_advisory_xact_lock(func.hashtext(bindparam("name", type_=Text())))))

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The time from `lower` on, before `upper`."""

    lower: datetime
    upper: datetime


@dataclass(frozen=True, slots=True)
class Partition:
    """A part of a table, by its name: the rows of one span."""

    name: str
    span: Span


def width_of(days: int) -> int:
    """Return how many days a partition has, in a table whose rows are kept for `days`: a fifth, at least one."""
    return max(1, days // 5)


def net_ddl(divided: Table) -> str:
    """Return the statement that makes a table's DEFAULT partition."""
    return f'CREATE TABLE "{_net_name(divided)}" PARTITION OF "{divided.name}" DEFAULT'


def net_of(divided: Table) -> Table:
    """Return a table's DEFAULT partition."""
    return alone(divided, _net_name(divided))


def alone(divided: Table, partition: str) -> Table:
    """Return one partition of a table, as a table."""
    return divided.to_metadata(MetaData(), name=partition)


def uncovered(present: Sequence[Span], since: datetime, until: datetime, days: int) -> list[Span]:
    """Return the spans of so many days that touch the time from `since` to `until`, without what is present."""
    missing: list[Span] = []
    width = timedelta(days=days)
    begin = _EPOCH + (since - _EPOCH) // width * width
    while begin < until:
        lower, end = begin, begin + width
        for each in sorted(present):
            if each.upper <= lower or each.lower >= end:
                continue
            if lower < each.lower:
                missing.append(Span(lower, each.lower))
            lower = each.upper
        if lower < end:
            missing.append(Span(lower, end))
        begin = end
    return missing


async def partitions(on: Executor, divided: Table) -> list[Partition]:
    """List a table's partitions, the oldest first, without the DEFAULT one."""
    rows = await _PARTITIONS.fetch(on, {"divided": divided.name})
    found = [
        Partition(row["relname"], Span(_time(bounds["lower"]), _time(bounds["upper"])))
        for row in rows
        if (bounds := _BOUNDS.search(row["bounds"])) is not None
    ]
    return sorted(found, key=lambda each: each.span)


async def database_time(on: Executor) -> datetime:
    """Read the database's clock, by which rows are recorded."""
    row = await _NOW.fetchrow(on)
    if row is None:
        raise LookupError("a query without FROM returned no row")
    now: datetime = row["now"]
    return now


async def oldest_in_net(on: Executor, divided: Table, since: datetime) -> datetime | None:
    """Return the time of the oldest row in the DEFAULT partition that is not before `since`; None without any."""
    net = net_of(divided)
    oldest = func.min(net.c.recorded_at).label("time")
    row = await Statement(select(oldest).where(net.c.recorded_at >= _given("since"))).fetchrow(on, {"since": since})
    return None if row is None else row["time"]


async def cover(
    connections: Connections, divided: Table, days: int, *, since: datetime | None = None, ahead: int = AHEAD
) -> None:
    """Make the partitions of so many days that are missing since a time, else from now on, and so many ahead.

    What has landed in the DEFAULT partition is moved to where it belongs. Any number of processes may do it at once.
    Raises asyncpg.PostgresError when a table is in use for too long: try again later.
    """
    now = await database_time(connections)
    present = [each.span for each in await partitions(connections, divided)]
    until = now + ahead * timedelta(days=days)
    for span in uncovered(present, min(since or now, now), until, days):
        await _make(connections, divided, span)


async def claim(connection: Connection, divided: Table) -> None:
    """Be the only one that changes a table's partitions until the transaction ends; wait for no lock for long.

    Raises LockNotAvailableError when another is at it for too long.
    """
    await connection.execute(_TURN_TIMEOUT)
    await _CLAIM.fetch(connection, {"name": f"partitions of {divided.name}"})
    await connection.execute(_LOCK_TIMEOUT)


async def drop_before(connections: Connections, divided: Table, horizon: datetime) -> int:
    """Drop the partitions in which everything is older than that; return how many."""
    dropped = 0
    for partition in await partitions(connections, divided):
        if partition.span.upper > horizon:
            break
        async with connections.transaction() as connection:
            await claim(connection, divided)
            await connection.execute(f'DROP TABLE IF EXISTS "{partition.name}"')
        dropped += 1
    return dropped


async def _make(connections: Connections, divided: Table, span: Span) -> None:
    """Make one partition, with the rows that wait for it in the net, unless another has made it.

    Where rows are written into the net right now, the partition begins a little later, and what came before is moved
    by a later run: the net refuses a row that it was chosen for while the row's own partition was made.
    """
    async with connections.transaction() as connection:
        await claim(connection, divided)
        present = await partitions(connection, divided)
        if any(span.lower < each.span.upper and each.span.lower < span.upper for each in present):
            return
        now = await database_time(connection)
        waiting = await _waits(connection, divided, span)
        if waiting and now < span.upper:
            log.warning("rows_in_the_default_partition", table=divided.name)
            span = Span((now + _LEAD).replace(microsecond=0), span.upper)
            if span.lower >= span.upper:
                return
        name = _name(divided, span)
        await connection.execute(f'CREATE TABLE "{name}" (LIKE "{divided.name}" INCLUDING ALL)')
        if waiting and span.upper <= now:
            rows = await _move(connection, divided, name, span)
            log.warning("rows_moved_to_their_partition", table=divided.name, partition=name, rows=rows)
        await connection.execute(
            f'ALTER TABLE "{divided.name}" ATTACH PARTITION "{name}" '
            f"FOR VALUES FROM ('{span.lower.isoformat()}') TO ('{span.upper.isoformat()}')"
        )


async def _waits(connection: Connection, divided: Table, span: Span) -> bool:
    """Tell whether a row in the net belongs to a span."""
    net = net_of(divided)
    any_row = Statement(select(net.c.recorded_at).where(*_within(net)).limit(1))
    return await any_row.fetchrow(connection, _bounds(span)) is not None


async def _move(connection: Connection, divided: Table, name: str, span: Span) -> int:
    """Move the rows of a span out of the net; return how many."""
    net, target = net_of(divided), alone(divided, name)
    moved = delete(net).where(*_within(net)).returning(*net.c).cte("moved")
    statement = insert(target).from_select([each.name for each in net.c], select(*moved.c))
    status = await Statement(statement).execute(connection, _bounds(span))
    return int(status.split()[-1])


def _given(name: str) -> ColumnElement[datetime]:
    return bindparam(name, type_=DateTime(timezone=True))


def _within(part: Table) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return part.c.recorded_at >= _given("lower"), part.c.recorded_at < _given("upper")


def _bounds(span: Span) -> dict[str, object]:
    return {"lower": span.lower, "upper": span.upper}


def _net_name(divided: Table) -> str:
    return f"{divided.name}_default"


def _name(divided: Table, span: Span) -> str:
    midnight = span.lower.time() == datetime.min.time()
    return f"{divided.name}_{span.lower.strftime('%Y%m%d' if midnight else '%Y%m%d_%H%M%S')}"


def _time(written: str | None) -> datetime:
    return ALWAYS if written is None else datetime.fromisoformat(written)
