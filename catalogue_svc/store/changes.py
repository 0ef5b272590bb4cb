"""The change feed: what was really written, at positions without gaps.

The counter is one row, raised last in the projection's transaction: its lock makes the order of positions the order of
commits, so a reader who saw one position has seen all before it.
"""

import asyncio
from typing import Final

import asyncpg
import structlog
from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Insert,
    Integer,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from catalogue_svc.store.schema import CHANGE, FEED
from chassis.postgres import UNAVAILABLE, Connections
from chassis.sql import Statement

KEPT: Final = 1_000_000
"""How many of the newest changes are kept; who was away for more begins anew."""

_TRIM_SECONDS: Final = 60.0

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
_TRIM: Final = Statement(
    delete(CHANGE).where(
        CHANGE.c.position <= select(FEED.c.position - bindparam("kept", type_=BigInteger())).scalar_subquery()
    )
)


async def trim(connections: Connections, kept: int = KEPT) -> None:
    """Delete all but the newest changes."""
    await _TRIM.execute(connections, {"kept": kept})


async def keep_trimmed(connections: Connections) -> None:
    """Trim again and again, until cancelled; any number of processes may."""
    while True:
        try:
            await trim(connections)
        except (*UNAVAILABLE, asyncpg.PostgresError) as error:
            log.info("changes_not_trimmed", reason=str(error))
        await asyncio.sleep(_TRIM_SECONDS)
