"""The change feed: what was really written, at positions without gaps.

The counter is one row, raised last in the projection's transaction: its lock makes the order of positions the order of
commits, so a reader who saw one position has seen all before it.

Changes are kept for a while, and no more of them than a number. They lie in one table from which the first ones are
deleted: it belongs to a generation and goes with it, so partitions would have to be made for each generation anew, and
ahead of time, where the order of positions finds what is too old as cheaply.
"""

import asyncio
from datetime import timedelta
from typing import Final

import asyncpg
import structlog
from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Delete,
    Insert,
    Integer,
    Interval,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from catalogue_svc.store.schema import CHANGE, FEED
from chassis.postgres import UNAVAILABLE, Connections
from chassis.sql import Statement

KEPT: Final = 1_000_000
"""How many of the newest changes are kept at most; who was away for more begins anew."""
KEPT_HOURS: Final = 24.0
"""For how long changes are kept."""

_TRIM_SECONDS: Final = 60.0
_AT_ONCE: Final = 10_000

log: Final = structlog.get_logger(__name__)

_ONE: Final = literal_column("1", Integer())


def recording(written: CTE, kind: int, id_column: ColumnElement[object]) -> Insert:
    """Return the statement that records each row of `written`; zero rows raise no counter."""
    count = select(func.count()).select_from(written).scalar_subquery()
    fed = (
        update(FEED)
        .where(count > literal_column("0"))
        .values(position=FEED.c.position + count)
        .returning(FEED.c.position)
        .cte("fed")
    )
    number = func.row_number().over() - _ONE
    rows = select(fed.c.position - number, literal_column(str(kind), Integer()), id_column).select_from(written, fed)
    return insert(CHANGE).from_select([CHANGE.c.position, CHANGE.c.kind, CHANGE.c.id], rows)


_SINCE: Final = (
    select(CHANGE.c.id)
    .where(CHANGE.c.position > bindparam("known", type_=BigInteger()))
    .order_by(CHANGE.c.position)
    .limit(bindparam("most", type_=BigInteger()))
    .scalar_subquery()
)
FED: Final = Statement(
    select(FEED.c.incarnation, FEED.c.position, func.array(_SINCE, type_=ARRAY(Uuid())).label("changed"))
)
"""Which feed it is, its last position, and what changed since a known one, in one round trip."""


def _trim() -> Delete:
    """Delete what is too old or one too many among the first changes."""
    first = (
        select(CHANGE.c.position, CHANGE.c.recorded_at)
        .order_by(CHANGE.c.position)
        .limit(bindparam("at_once", type_=BigInteger()))
        .subquery("first")
    )
    last_too_many = select(FEED.c.position - bindparam("kept", type_=BigInteger())).scalar_subquery()
    too_old = first.c.recorded_at < func.now() - bindparam("age", type_=Interval())
    doomed = select(first.c.position).where(or_(first.c.position <= last_too_many, too_old))
    return delete(CHANGE).where(CHANGE.c.position.in_(doomed))


_TRIM: Final = Statement(_trim())


async def trim(
    connections: Connections, *, kept: int = KEPT, hours: float = KEPT_HOURS, at_once: int = _AT_ONCE
) -> None:
    """Delete the changes that are older than so many hours, and all but so many, a part of them at a time."""
    values = {"kept": kept, "age": timedelta(hours=hours), "at_once": at_once}
    while await _TRIM.execute(connections, values) == f"DELETE {at_once}":
        pass


async def keep_trimmed(connections: Connections, hours: float = KEPT_HOURS) -> None:
    """Trim again and again, until cancelled; any number of processes may."""
    while True:
        try:
            await trim(connections, hours=hours)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            log.info("changes_not_trimmed", reason=str(error))
        await asyncio.sleep(_TRIM_SECONDS)
