"""What a service tells of its journal and of the sources it follows, and whether that is healthy."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import func, select
from training.ops.v1.operations_service_pb2 import (
    JournalLaneStatus,
    JournalStatus,
    SubscriptionLaneStatus,
    SubscriptionStatus,
)

from bus.follower import Follower
from bus.journal import JOURNAL
from bus.lease import HOLDER
from bus.relay import Relay
from bus.relay_store import LEASE_NAME
from bus.subscriber import Subscriber, lease_name
from chassis.postgres import Connections
from chassis.sql import Statement

FRESH_SECONDS: Final = 10.0
"""A copy whose `as_of` is older than this, and a journal whose oldest event has waited longer, is not fresh."""


def _lanes() -> Statement:
    lane, relayed, journal = JOURNAL.lane, JOURNAL.relay_lane, JOURNAL.journal
    waiting = (
        select(journal.c.recorded_at)
        .where(journal.c.lane == lane.c.lane, journal.c.seq == relayed.c.published + 1)
        .scalar_subquery()
    )
    return Statement(
        select(
            lane.c.lane,
            lane.c.epoch,
            lane.c.seq,
            relayed.c.published,
            relayed.c.stopped_reason,
            (func.clock_timestamp() - waiting).label("waiting"),
        )
        .join_from(lane, relayed, lane.c.lane == relayed.c.lane)
        .order_by(lane.c.lane)
    )


_LANES: Final = _lanes()


async def journal_status(connections: Connections, source: str, relay: Relay) -> JournalStatus:
    """Tell how far the source's own journal has been published."""
    rows = await _LANES.fetch(connections)
    status = JournalStatus(source=source, trouble=relay.trouble)
    holder = await HOLDER.fetchrow(connections, {"name": LEASE_NAME})
    if holder is not None:
        status.relay_leader = holder["holder"]
        status.relay_lease_time.CopyFrom(_timestamp(holder["renewed_at"]))
    for row in rows:
        status.epoch = str(row["epoch"])
        lane = JournalLaneStatus(
            lane=row["lane"],
            committed=row["seq"],
            published=row["published"],
            stopped_reason=row["stopped_reason"] or "",
        )
        if row["waiting"] is not None:
            age = Duration()
            age.FromTimedelta(row["waiting"])
            lane.oldest_unpublished_age.CopyFrom(age)
        status.lanes.append(lane)
    return status


def journal_is_fresh(status: JournalStatus, within: float = FRESH_SECONDS) -> bool:
    """Tell whether the relay keeps up: no lane stopped, nothing waiting for so many seconds."""
    return all(
        not lane.stopped_reason and lane.oldest_unpublished_age.ToTimedelta().total_seconds() < within
        for lane in status.lanes
    )


async def subscription_statuses(
    connections: Connections, follower: Follower, subscribers: Mapping[str, Subscriber[object]]
) -> list[SubscriptionStatus]:
    """Tell how far the copies of the sources have come here."""
    return [await _subscription(connections, follower, name, subscriber) for name, subscriber in subscribers.items()]


async def _subscription(
    connections: Connections, follower: Follower, source: str, subscriber: Subscriber[object]
) -> SubscriptionStatus:
    freshness, checkpoint = follower.freshness[source], follower.checkpoints.get(source)
    status = SubscriptionStatus(source=source, trouble=subscriber.trouble or follower.trouble)
    holder = await HOLDER.fetchrow(connections, {"name": lease_name(source)})
    if holder is not None:
        status.projector_leader = holder["holder"]
    if freshness.as_of is not None:
        status.as_of.CopyFrom(_timestamp(freshness.as_of))
    position = follower.vector.get(source)
    if position is not None:
        status.epoch = str(position.epoch)
    announced = freshness.latest
    for number, lane in enumerate(checkpoint.lanes if checkpoint is not None else ()):
        committed = announced.committed.lanes.get(number, 0) if announced is not None else 0
        published = announced.published.lanes.get(number, 0) if announced is not None else 0
        status.lanes.append(
            SubscriptionLaneStatus(
                lane=number,
                committed=committed,
                published=published,
                applied=lane.seq,
                lag_events=max(0, committed - lane.seq),
                stopped_reason=lane.stopped or "",
            )
        )
    return status


def copy_is_fresh(follower: Follower, within: float = FRESH_SECONDS) -> bool:
    """Tell whether every copy is: no lane stopped, and `as_of` confirmed within so many seconds."""
    for source, freshness in follower.freshness.items():
        checkpoint = follower.checkpoints.get(source)
        if checkpoint is not None and any(lane.stopped for lane in checkpoint.lanes):
            return False
        if not freshness.is_within(within):
            return False
    return True


def _timestamp(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
