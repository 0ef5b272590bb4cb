"""How fresh a copy of a source is, in time.

A beacon tells a source's heads in one snapshot with the database's time. A copy at or past the committed heads
contains everything the source accepted before that time; that time is its `as_of`. Without beacons `as_of` stands
still, so a dead relay can never look like freshness.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from training.ops.v1.journal_service_pb2 import LaneHeads

from bus.tokens import Position

_PENDING_MOST: Final = 64


@dataclass(frozen=True, slots=True)
class Beacon:
    """What a source announced of itself."""

    committed: Position
    published: Position
    time: datetime


def beacon_of(heads: LaneHeads) -> Beacon:
    """Return what heads say. Raises ValueError when they are not well formed."""
    epoch = UUID(bytes=heads.epoch)
    return Beacon(
        Position(epoch, {lane.lane: lane.committed for lane in heads.lanes if lane.committed}),
        Position(epoch, {lane.lane: lane.published for lane in heads.lanes if lane.published}),
        heads.time.ToDatetime(UTC),
    )


class Freshness:
    """The `as_of` of one source in one copy, from beacons and from the position reached."""

    def __init__(self, as_of: datetime | None = None) -> None:
        self.as_of = as_of
        self.latest: Beacon | None = None
        self._pending: deque[Beacon] = deque(maxlen=_PENDING_MOST)

    def heard(self, beacon: Beacon, reached: Position | None) -> None:
        """Take in a beacon."""
        self.latest = beacon
        self._pending.append(beacon)
        self.came_to(reached)

    def came_to(self, reached: Position | None) -> None:
        """Take in how far the copy has come."""
        while self._pending and _contains(reached, self._pending[0].committed):
            time = self._pending.popleft().time
            if self.as_of is None or time > self.as_of:
                self.as_of = time


def _contains(reached: Position | None, heads: Position) -> bool:
    """Tell whether a copy contains everything up to heads; an empty source is contained by any copy."""
    if not heads.lanes:
        return True
    return reached is not None and reached.covers(heads)
