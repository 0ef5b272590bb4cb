"""What a service tells of its journal and of the sources it follows, and whether that is healthy."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import func, select
from training.ops.v1.operations_service_pb2 import (
    JournalLaneStatus,
    JournalStatus,
    SubscriptionLaneStatus,
    SubscriptionStatus,
)

from bus.following.checkpoint import GONE, LaneCheckpoint
from bus.following.parking import OpenAggregate
from bus.following.subscriber import Subscriber
from bus.freshness.follower import Follower
from bus.freshness.freshness import Beacon, Freshness
from bus.journal.epochs import present_epoch
from bus.journal.tables import JOURNAL
from bus.lease import HOLDER
from bus.relay.relay import Relay
from bus.relay.store import LEASE_NAME
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
    first = select(func.min(journal.c.seq)).where(journal.c.lane == lane.c.lane).scalar_subquery()
    return Statement(
        select(
            lane.c.lane,
            lane.c.epoch,
            lane.c.seq,
            relayed.c.published,
            relayed.c.stopped_reason,
            (func.clock_timestamp() - waiting).label("waiting"),
            first.label("first"),
        )
        .join_from(lane, relayed, lane.c.lane == relayed.c.lane)
        .order_by(lane.c.lane)
    )


_LANES: Final = _lanes()


async def journal_status(connections: Connections, source: str, relay: Relay) -> JournalStatus:
    """Tell how far the source's own journal has been published."""
    rows = await _LANES.fetch(connections)
    epoch = await present_epoch(connections)
    status = JournalStatus(
        source=source, trouble=relay.trouble, epoch_time=_timestamp(epoch.began_at), epoch_cause=epoch.cause
    )
    holder = await HOLDER.fetchrow(connections, {"name": LEASE_NAME})
    if holder is not None:
        status.relay_leader = holder["holder"]
        status.relay_lease_time.FromDatetime(holder["renewed_at"])
    for row in rows:
        status.epoch = str(row["epoch"])
        lane = JournalLaneStatus(
            lane=row["lane"],
            committed=row["seq"],
            published=row["published"],
            stopped_reason=row["stopped_reason"] or "",
            oldest_unpublished_age=_duration(row["waiting"]),
            first=row["first"] or 0,
        )
        status.lanes.append(lane)
    return status


def journal_is_fresh(status: JournalStatus, within: float = FRESH_SECONDS) -> bool:
    """Tell whether the relay keeps up: no lane stopped, nothing waiting for so many seconds."""
    return all(
        not lane.stopped_reason and lane.oldest_unpublished_age.ToTimedelta().total_seconds() < within
        for lane in status.lanes
    )


async def subscription_statuses(
    connections: Connections,
    follower: Follower,
    subscribers: Mapping[str, Subscriber[Any]],
    lease: Callable[[str], str],
    trouble: str = "",
) -> list[SubscriptionStatus]:
    """Tell how far the copies of the sources have come here.

    `subscribers` are this process's, as far as it has any; `lease` names the one that a source's projector holds;
    `trouble` is what keeps all of them from getting on.
    """
    leaders = [await _leader(connections, lease(name)) for name in follower.freshness]
    troubles = [subscribers[name].trouble if name in subscribers else "" for name in follower.freshness]
    return [
        _subscription(follower, name, leader, of_one or trouble or follower.trouble)
        for name, leader, of_one in zip(follower.freshness, leaders, troubles, strict=True)
    ]


def _subscription(follower: Follower, source: str, leader: str, trouble: str) -> SubscriptionStatus:
    freshness, checkpoint = follower.freshness[source], follower.checkpoints.get(source)
    parked = [each for each in follower.parked if each.source == source]
    status = SubscriptionStatus(
        source=source,
        projector_leader=leader,
        trouble=trouble,
        as_of=_timestamp(freshness.as_of),
        lag=_duration(freshness.lag()),
        parked_aggregates=len(parked),
    )
    position = follower.vector.get(source)
    if position is not None:
        status.epoch = str(position.epoch)
    for number, lane in enumerate(checkpoint.lanes if checkpoint is not None else ()):
        status.lanes.append(_lane(number, lane, freshness, parked))
    return status


async def _leader(connections: Connections, lease: str) -> str:
    """Return who applies a source's events; nobody where what they are applied to is not there."""
    try:
        holder = await HOLDER.fetchrow(connections, {"name": lease})
    except GONE:
        return ""
    return "" if holder is None else str(holder["holder"])


def _lane(
    number: int, lane: LaneCheckpoint, freshness: Freshness, parked: Iterable[OpenAggregate]
) -> SubscriptionLaneStatus:
    announced = freshness.latest
    committed = announced.committed.lanes.get(number, 0) if announced is not None else 0
    published = announced.published.lanes.get(number, 0) if announced is not None else 0
    return SubscriptionLaneStatus(
        lane=number,
        committed=committed,
        published=published,
        applied=lane.seq,
        lag_events=_not_applied(committed, lane, announced),
        stopped_reason=lane.stopped or "",
        oldest_unapplied_age=_duration(freshness.waiting(number)),
        parked_events=sum(each.events for each in parked if each.lane == number),
        epoch="" if lane.epoch is None else str(lane.epoch),
    )


def was_heard_of(copy: SubscriptionStatus) -> bool:
    """Tell whether the source has been heard of by who tells this: else it is not known what the copy lacks."""
    return copy.HasField("lag") or any(lane.committed for lane in copy.lanes)


def _not_applied(committed: int, lane: LaneCheckpoint, announced: Beacon | None) -> int:
    """Count the announced events that are not applied; an epoch not taken over yet begins with one."""
    behind = max(0, committed - lane.seq)
    if announced is not None and lane.epoch is not None and lane.epoch < announced.committed.epoch:
        return max(behind, 1)
    return behind


def copy_is_fresh(follower: Follower, within: float = FRESH_SECONDS) -> bool:
    """Tell whether every copy is: there, no lane stopped, and `as_of` confirmed within so many seconds."""
    for source, freshness in follower.freshness.items():
        checkpoint = follower.checkpoints.get(source)
        if checkpoint is None or any(lane.stopped for lane in checkpoint.lanes):
            return False
        if not freshness.is_within(within):
            return False
    return True


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


def _duration(span: timedelta | None) -> Duration | None:
    if span is None:
        return None
    duration = Duration()
    duration.FromTimedelta(span)
    return duration
