"""How fresh a copy of a source is, in time.

A beacon tells a source's heads in one snapshot with the database's time. A copy at or past the committed heads
contains everything the source accepted before that time; that time is its `as_of`. Without beacons `as_of` stands
still, so a dead relay can never look like freshness; its age goes on by this process's own clock. A source whose clock
is set back is confirmed as before, while its `as_of` waits for that clock.

Anybody may send a beacon. One of a later epoch is believed once the copy has come to that epoch; until then what is
heard of the copy's own goes on to count.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    """The `as_of` of one source in one copy, from beacons and from the position reached.

    `latest` is the beacon heard last, of the copy's epoch or a later one.
    """

    def __init__(self, as_of: datetime | None = None) -> None:
        self.as_of = as_of
        self.latest: Beacon | None = None
        self._contained: Beacon | None = None
        self._pending: list[Beacon] = []
        self._waiting: dict[int, Waiting] = {}

    def heard(self, beacon: Beacon, reached: Position | None) -> None:
        """Take in a beacon; one of an epoch that the copy has left says nothing any more."""
        if reached is not None and beacon.committed.epoch < reached.epoch:
            return
        self.latest = beacon
        if len(self._pending) >= _PENDING_MOST:
            self._pending = self._pending[::2]  # the oldest stays: a copy far behind reaches it first
        self._pending.append(beacon)
        for lane, seq in beacon.committed.lanes.items():
            self._waiting.setdefault(lane, Waiting()).announced(beacon.committed.epoch, seq, beacon.heard)
        self.came_to(reached)

    def came_to(self, reached: Position | None) -> None:
        """Take in how far the copy has come."""
        ahead: list[Beacon] = []
        for beacon in self._pending:
            if _contains(reached, beacon.committed):
                self._contained = beacon
                self.as_of = beacon.time if self.as_of is None else max(self.as_of, beacon.time)
            elif reached is None or reached.epoch <= beacon.committed.epoch:
                ahead.append(beacon)
        self._pending = ahead
        if reached is not None:
            for lane, waiting in self._waiting.items():
                waiting.applied(reached.epoch, reached.lanes.get(lane, 0))

    def is_within(self, seconds: float) -> bool:
        """Tell whether `as_of` is no older; no two clocks are compared, its age runs from the beacon's coming."""
        return self._contained is not None and monotonic() - self._contained.heard <= seconds

    def lag(self) -> timedelta | None:
        """Return how old `as_of` is; None while it is not known, or the source was not heard of.

        What the source's clock tells between the last beacon contained and the last one heard, or this process's clock
        if that tells more, and this process's clock since then: it grows while nothing is heard.
        """
        if self.as_of is None or self.latest is None:
            return None
        if self._contained is None:
            told = max(self.latest.time - self.as_of, timedelta())
        else:
            between = timedelta(seconds=self.latest.heard - self._contained.heard)
            told = max(self.latest.time - self._contained.time, between)
        return told + timedelta(seconds=monotonic() - self.latest.heard)

    def waiting(self, lane: int) -> timedelta | None:
        """Return how long the oldest announced event of a lane that is not applied has been announced."""
        since = self._waiting[lane].since if lane in self._waiting else None
        return None if since is None else timedelta(seconds=monotonic() - since)


class Waiting:
    """When the events of one lane were announced that are not applied yet, by this process's monotonic clock."""

    def __init__(self) -> None:
        self._announced: list[tuple[UUID, int, float]] = []

    def announced(self, epoch: UUID, seq: int, heard: float) -> None:
        """Take in that a source has committed up to a sequence number; it is in the epoch that it announced last."""
        while self._announced and self._announced[-1][0] > epoch:
            self._announced.pop()
        if self._announced and self._announced[-1][:2] >= (epoch, seq):
            return
        if len(self._announced) >= _PENDING_MOST:
            self._announced = self._announced[::2]  # the oldest stays: its time is the one that is told
        self._announced.append((epoch, seq, heard))

    def applied(self, epoch: UUID, seq: int) -> None:
        """Take in how far the copy has come."""
        while self._announced and self._announced[0][:2] <= (epoch, seq):
            self._announced.pop(0)

    @property
    def since(self) -> float | None:
        """When the oldest event that is not applied was announced; None when none is waiting."""
        return self._announced[0][2] if self._announced else None


def _contains(reached: Position | None, heads: Position) -> bool:
    """Tell whether a copy contains everything up to heads; only an empty copy contains an empty source.

    Any other has what the source never had.
    """
    if not heads.lanes:
        return reached is None or not reached.lanes
    return reached is not None and reached.covers(heads)
