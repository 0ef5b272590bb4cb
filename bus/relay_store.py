"""The relay's reads and writes in its command database.

Every write is done only while the relay's lease is held in its term, in the same statement: a zombie changes nothing.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    Select,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    null,
    or_,
    select,
    true,
    update,
)

from bus.event import Event
from bus.journal import JOURNAL
from bus.lease import LEASE, Lease, LeaseLost
from bus.publishing import BATCH_MOST
from bus.tail import GoOn, Memory
from chassis.postgres import Connections
from chassis.sql import Statement

LEASE_NAME: Final = "relay"

_EVENT: Final = (
    "epoch",
    "lane",
    "seq",
    "event_id",
    "previous_event_id",
    "aggregate_id",
    "revision",
    "type",
    "recorded_at",
    "traceparent",
    "public",
)


def _pending() -> Select[tuple[object, ...]]:
    """Select the next events of each lane, bounded in number and bytes, but at least one."""
    journal = JOURNAL.journal
    asked = (
        func.unnest(bindparam("lanes", type_=ARRAY(SmallInteger())), bindparam("published", type_=ARRAY(BigInteger())))
        .table_valued("asked_lane", "after", name="asked")
        .render_derived()
    )
    following = (
        select(*(journal.c[name] for name in _EVENT))
        .where(journal.c.lane == asked.c.asked_lane, journal.c.seq > asked.c.after)
        .order_by(journal.c.seq)
        .limit(bindparam("events", type_=BigInteger()))
        .lateral("following")
    )
    size = func.sum(func.octet_length(following.c.public)).over(
        partition_by=following.c.lane, order_by=following.c.seq, rows=(None, -1)
    )
    sized = select(*following.c, size.label("before")).select_from(asked.join(following, true())).subquery("sized")
    return (
        select(*(sized.c[name] for name in _EVENT))
        .where(or_(sized.c.before == null(), sized.c.before < bindparam("bytes", type_=BigInteger())))
        .order_by(sized.c.lane, sized.c.seq)
    )


_HELD: Final = exists(
    # Locked, so that no successor can take the lease between this look at it and what is written because of it.
    select(LEASE.c.term)
    .where(
        LEASE.c.name == LEASE_NAME,
        LEASE.c.term == bindparam("term", type_=BigInteger()),
        LEASE.c.expires_at >= func.clock_timestamp(),
    )
    .with_for_update(read=True)
)
_RELAY_LANE: Final = JOURNAL.relay_lane
_GIVEN: Final = (
    func.unnest(
        bindparam("lanes", type_=ARRAY(SmallInteger())),
        bindparam("published", type_=ARRAY(BigInteger())),
        bindparam("event_ids", type_=ARRAY(Uuid())),
        bindparam("sequences", type_=ARRAY(BigInteger())),
    )
    .table_valued("given_lane", "given_published", "given_event_id", "given_sequence", name="given")
    .render_derived()
)

_PENDING: Final = Statement(_pending())
_REMEMBER: Final = Statement(
    update(_RELAY_LANE)
    .where(_RELAY_LANE.c.lane == _GIVEN.c.given_lane, _HELD)
    .values(
        published=_GIVEN.c.given_published,
        event_id=_GIVEN.c.given_event_id,
        stream_sequence=_GIVEN.c.given_sequence,
        stream_created=bindparam("created", type_=DateTime(timezone=True)),
        stopped_reason=null(),
    )
    .returning(_RELAY_LANE.c.lane)
)
_STOP: Final = Statement(
    update(_RELAY_LANE)
    .where(_RELAY_LANE.c.lane == bindparam("stopped_lane", type_=SmallInteger()), _HELD)
    .values(stopped_reason=bindparam("reason", type_=Text()))
    .returning(_RELAY_LANE.c.lane)
)
_MEMORIES: Final = Statement(
    select(
        JOURNAL.lane.c.lane,
        JOURNAL.lane.c.epoch,
        _RELAY_LANE.c.published,
        _RELAY_LANE.c.event_id,
        _RELAY_LANE.c.stream_created,
        _RELAY_LANE.c.stream_sequence,
    ).join_from(JOURNAL.lane, _RELAY_LANE, JOURNAL.lane.c.lane == _RELAY_LANE.c.lane)
)
_EVENT_ID: Final = Statement(
    select(JOURNAL.journal.c.event_id).where(
        JOURNAL.journal.c.lane == bindparam("lane", type_=SmallInteger()),
        JOURNAL.journal.c.seq == bindparam("seq", type_=BigInteger()),
    )
)


async def memories(connections: Connections) -> dict[int, tuple[UUID, Memory]]:
    """Read what is remembered of each lane, with the lane's epoch."""
    rows = await _MEMORIES.fetch(connections)
    return {
        row["lane"]: (
            row["epoch"],
            Memory(row["published"], row["event_id"], row["stream_created"], row["stream_sequence"]),
        )
        for row in rows
    }


async def event_id(connections: Connections, lane: int, seq: int) -> UUID | None:
    """Read the id of one event of the journal, None when it has none with that number."""
    row = await _EVENT_ID.fetchrow(connections, {"lane": lane, "seq": seq})
    return None if row is None else row["event_id"]


async def pending(connections: Connections, published: Mapping[int, int], lane_bytes: int) -> dict[int, list[Event]]:
    """Read the next events of each lane after what is published."""
    values = {
        "lanes": list(published),
        "published": list(published.values()),
        "events": BATCH_MOST,
        "bytes": lane_bytes,
    }
    lanes: dict[int, list[Event]] = {}
    for row in await _PENDING.fetch(connections, values):
        lanes.setdefault(row["lane"], []).append(Event(*row.values()))
    return lanes


async def remember(connections: Connections, lease: Lease, created: datetime, lanes: Mapping[int, GoOn]) -> None:
    """Write down how far lanes are published. Raises LeaseLost when another relay is active."""
    if not lanes:
        return
    values = {
        "lanes": list(lanes),
        "published": [at.published for at in lanes.values()],
        "event_ids": [at.event_id for at in lanes.values()],
        "sequences": [at.fence for at in lanes.values()],
        "created": created,
        "term": lease.term,
    }
    if not await _REMEMBER.fetch(connections, values):
        raise LeaseLost(lease.name)


async def stop(connections: Connections, lease: Lease, lane: int, reason: str) -> None:
    """Write down why a lane is stopped. Raises LeaseLost when another relay is active."""
    values = {"stopped_lane": lane, "reason": reason, "term": lease.term}
    if not await _STOP.fetch(connections, values):
        raise LeaseLost(lease.name)
