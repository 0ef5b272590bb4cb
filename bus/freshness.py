"""How fresh a copy of a source is, in time.

A beacon tells a source's heads in one snapshot with the database's time. A copy at or past the committed heads
contains everything the source accepted before that time; that time is its `as_of`. Without beacons `as_of` stands
still, so a dead relay can never look like freshness.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Final
from uuid import UUID

import structlog
from google.protobuf.message import DecodeError
from training.ops.v1.journal_service_pb2 import LaneHeads

from bus.tokens import Position

_PENDING_MOST: Final = 64

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Beacon:
    """What a source announced of itself; `heard` is when, by this process's monotonic clock in seconds."""

    source: str
    committed: Position
    published: Position
    time: datetime
    heard: float


def beacon_in(data: bytes) -> Beacon | None:
    """Return the beacon that a message carries; None when it carries none, since anybody may publish there."""
    try:
        heads = LaneHeads.FromString(data)
        epoch = UUID(bytes=heads.epoch)
        return Beacon(
            heads.source,
            Position(epoch, {lane.lane: lane.committed for lane in heads.lanes if lane.committed}),
            Position(epoch, {lane.lane: lane.published for lane in heads.lanes if lane.published}),
            heads.time.ToDatetime(UTC),
            monotonic(),
        )
    except (DecodeError, ValueError, OverflowError):
        log.warning("beacon_not_understood", size=len(data))
        return None


class Freshness:
    """The `as_of` of one source in one copy, from beacons and from the position reached."""

    def __init__(self, as_of: datetime | None = None) -> None:
        self.as_of = as_of
        self.latest: Beacon | None = None
        self._confirmed: float | None = None
        self._pending: list[Beacon] = []

    def heard(self, beacon: Beacon, reached: Position | None) -> None:
        """Take in a beacon."""
        self.latest = beacon
        if len(self._pending) >= _PENDING_MOST:
            self._pending = self._pending[::2]  # the oldest stays: a copy far behind reaches it first
        self._pending.append(beacon)
        self.came_to(reached)

    def came_to(self, reached: Position | None) -> None:
        """Take in how far the copy has come."""
        while self._pending and _contains(reached, self._pending[0].committed):
            beacon = self._pending.pop(0)
            if self.as_of is None or beacon.time > self.as_of:
                self.as_of = beacon.time
                self._confirmed = beacon.heard

    def is_within(self, seconds: float) -> bool:
        """Tell whether `as_of` is no older; no two clocks are compared, its age runs from the beacon's coming."""
        return self._confirmed is not None and monotonic() - self._confirmed <= seconds


def _contains(reached: Position | None, heads: Position) -> bool:
    """Tell whether a copy contains everything up to heads; an empty source is contained by any copy."""
    if not heads.lanes:
        return True
    return reached is not None and reached.covers(heads)
