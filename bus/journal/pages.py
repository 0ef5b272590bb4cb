"""Pages of a lane's journal: bounded in events and in bytes, each its own short read."""

from typing import Any, Final

import asyncpg
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import BigInteger, Select, SmallInteger, bindparam, func, select
from training.ops.v1 import journal_service_pb2 as pb

from bus.journal.tables import JOURNAL
from chassis.postgres import Connections
from chassis.sql import Statement

_MOST_EVENTS: Final = 200
_MOST_BYTES: Final = 1024**2
"""How large the bodies of one page are together, give or take one."""


async def read_page(connections: Connections, lane: int, after: int, most: int) -> list[pb.JournalEntry]:
    """Return the next events of a lane after a sequence number, at most so many; none when none is there."""
    rows = await _PAGE.fetch(connections, {"lane": lane, "after": after, "most": min(most, _MOST_EVENTS)})
    return [_entry(row) for row in rows]


def _page() -> "Select[*tuple[Any, ...]]":
    """Select the next events, as many as are small enough together, and the first however large it is."""
    journal = JOURNAL.journal
    size = func.octet_length(journal.c.public)
    rows = (
        select(
            journal.c.epoch,
            journal.c.lane,
            journal.c.seq,
            journal.c.event_id,
            journal.c.previous_event_id,
            journal.c.aggregate_id,
            journal.c.revision,
            journal.c.type,
            journal.c.recorded_at,
            journal.c.traceparent,
            journal.c.public,
            (func.sum(size).over(order_by=journal.c.seq, rows=(None, 0)) - size).label("before"),
        )
        .where(
            journal.c.lane == bindparam("lane", type_=SmallInteger()),
            journal.c.seq > bindparam("after", type_=BigInteger()),
        )
        .order_by(journal.c.seq)
        .limit(bindparam("most", type_=BigInteger()))
        .subquery("rows")
    )
    within = rows.c.before < bindparam("bytes", _MOST_BYTES, type_=BigInteger())
    return select(*(column for column in rows.c if column.name != "before")).where(within).order_by(rows.c.seq)


_PAGE: Final = Statement(_page())


def _entry(row: asyncpg.Record) -> pb.JournalEntry:
    time = Timestamp()
    time.FromDatetime(row["recorded_at"])
    previous = row["previous_event_id"]
    return pb.JournalEntry(
        epoch=row["epoch"].bytes,
        lane=row["lane"],
        seq=row["seq"],
        event_id=row["event_id"].bytes,
        previous_event_id=b"" if previous is None else previous.bytes,
        aggregate_id=row["aggregate_id"].bytes,
        revision=row["revision"],
        type=row["type"],
        time=time,
        traceparent=row["traceparent"],
        body=row["public"],
    )
