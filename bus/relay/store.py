"""The relay's reads and writes in its command database.

Every write is done only while the relay's lease is held in its term and the database is in the epoch in which the
lanes were compared, in the same statement: a zombie changes nothing. The lease alone would not do, for its row is
copied to a standby: a promoted one holds it for the old primary's relay, though in an epoch of its own.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
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
    literal_column,
    select,
    update,
)

from bus.journal.tables import JOURNAL
from bus.lease import LEASE, Lease, LeaseLost
from bus.relay.tail import NEWEST, GoOn, Lane, Memory
from chassis.postgres import Connections
from chassis.sql import Statement

LEASE_NAME: Final = "relay"
_NONE: Final[Mapping[int, str]] = {}

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
_IN_EPOCH: Final = exists(
    select(JOURNAL.lane.c.lane).where(
        JOURNAL.lane.c.lane == _RELAY_LANE.c.lane, JOURNAL.lane.c.epoch == bindparam("epoch", type_=Uuid())
    )
)
_GIVEN: Final = (
    func.unnest(
        bindparam("lanes", type_=ARRAY(SmallInteger())),
        bindparam("published", type_=ARRAY(BigInteger())),
        bindparam("event_ids", type_=ARRAY(Uuid())),
        bindparam("sequences", type_=ARRAY(BigInteger())),
        bindparam("reasons", type_=ARRAY(Text())),
    )
    .table_valued("given_lane", "given_published", "given_event_id", "given_sequence", "given_reason", name="given")
    .render_derived()
)

_REMEMBER: Final = Statement(
    update(_RELAY_LANE)
    .where(_RELAY_LANE.c.lane == _GIVEN.c.given_lane, _HELD, _IN_EPOCH)
    .values(
        published=_GIVEN.c.given_published,
        event_id=_GIVEN.c.given_event_id,
        stream_sequence=_GIVEN.c.given_sequence,
        stream_created=bindparam("created", type_=DateTime(timezone=True)),
        stopped_reason=_GIVEN.c.given_reason,
    )
    .returning(_RELAY_LANE.c.lane)
)
_STOP: Final = Statement(
    update(_RELAY_LANE)
    .where(_HELD, _IN_EPOCH)
    .values(stopped_reason=bindparam("reason", type_=Text()))
    .returning(_RELAY_LANE.c.lane)
)


def _lanes() -> Select[tuple[object, ...]]:
    """Select the lanes as the journal has them, with the event that each memory speaks of, in one snapshot."""
    lane, journal, remembered = JOURNAL.lane, JOURNAL.journal, JOURNAL.journal.alias("remembered")
    first = (
        select(journal.c.seq)
        .where(journal.c.lane == lane.c.lane)
        .order_by(journal.c.seq)
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    spoken_of = (
        select(remembered.c.event_id)
        .where(remembered.c.lane == lane.c.lane, remembered.c.seq == _RELAY_LANE.c.published)
        .scalar_subquery()
    )
    return (
        select(
            lane.c.lane,
            lane.c.epoch,
            lane.c.seq,
            first.label("first"),
            _RELAY_LANE.c.published,
            _RELAY_LANE.c.event_id,
            _RELAY_LANE.c.stream_created,
            _RELAY_LANE.c.stream_sequence,
            spoken_of.label("spoken_of"),
        )
        .join_from(lane, _RELAY_LANE, lane.c.lane == _RELAY_LANE.c.lane)
        .order_by(lane.c.lane)
    )


_LANES: Final = Statement(_lanes())
_EVENT_ID: Final = Statement(
    select(JOURNAL.journal.c.event_id).where(
        JOURNAL.journal.c.lane == bindparam("lane", type_=SmallInteger()),
        JOURNAL.journal.c.seq == bindparam("seq", type_=BigInteger()),
    )
)
_EVENT_IDS: Final = Statement(
    select(JOURNAL.journal.c.seq, JOURNAL.journal.c.event_id)
    .where(
        JOURNAL.journal.c.lane == bindparam("lane", type_=SmallInteger()),
        JOURNAL.journal.c.seq > bindparam("after", type_=BigInteger()),
    )
    .order_by(JOURNAL.journal.c.seq)
    .limit(literal_column(str(NEWEST)))
)


async def lanes(connections: Connections) -> dict[int, Lane]:
    """Read how the lanes stand and what is remembered of them. Raises LookupError when the database was not set up."""
    rows = await _LANES.fetch(connections)
    if not rows:
        raise LookupError("the database has no lanes: it was not set up")
    return {row["lane"]: _lane(row) for row in rows}


def _lane(row: asyncpg.Record) -> Lane:
    memory = Memory(row["published"], row["event_id"], row["stream_created"], row["stream_sequence"])
    first = row["seq"] + 1 if row["first"] is None else row["first"]
    confirmed = memory.published < first or (memory.event_id is not None and memory.event_id == row["spoken_of"])
    return Lane(row["epoch"], row["seq"], first, memory, confirmed)


async def event_id(connections: Connections, lane: int, seq: int) -> UUID | None:
    """Read the id of one event of the journal, None when it has none with that number."""
    row = await _EVENT_ID.fetchrow(connections, {"lane": lane, "seq": seq})
    return None if row is None else row["event_id"]


async def event_ids(connections: Connections, lane: int, after: int) -> dict[int, UUID]:
    """Read the ids of the events that follow one, by their numbers, though not of any number of them."""
    rows = await _EVENT_IDS.fetch(connections, {"lane": lane, "after": after})
    return {row["seq"]: row["event_id"] for row in rows}


async def remember(
    connections: Connections,
    lease: Lease,
    epoch: UUID,
    created: datetime,
    published: Mapping[int, GoOn],
    *,
    stopped: Mapping[int, str] = _NONE,
) -> None:
    """Write down how far lanes are published, and why those that are `stopped` do not get on.

    Raises LeaseLost when another relay is active, or the database is in another epoch.
    """
    if not published:
        return
    values = {
        "lanes": list(published),
        "published": [at.published for at in published.values()],
        "event_ids": [at.event_id for at in published.values()],
        "sequences": [at.stream_sequence for at in published.values()],
        "reasons": [stopped.get(lane) for lane in published],
        "created": created,
        "term": lease.term,
        "epoch": epoch,
    }
    if not await _REMEMBER.fetch(connections, values):
        raise LeaseLost(lease.name)


async def stop(connections: Connections, lease: Lease, epoch: UUID, reason: str) -> None:
    """Write down why nothing is published. Raises LeaseLost as `remember` does."""
    if not await _STOP.fetch(connections, {"reason": reason, "term": lease.term, "epoch": epoch}):
        raise LeaseLost(lease.name)
