"""What a run of a source's events comes to, decided before anything is written. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from bus.event import Event
from bus.following import parking
from bus.following.checkpoint import Checkpoint, LaneCheckpoint, Verdict, advanced, judge


@dataclass(frozen=True, slots=True)
class Choice:
    """What is to be applied of a run of arrivals, and how the lanes stand then.

    `taken` of them were judged. If there are more, the next one is the `gap`, an event whose lane lacks those before
    it, or it is of a `later` epoch, for which the copy must be made anew. The first `settled` need never be read again:
    those after them may be of a stopped lane. `dropped` are of epochs that have been left.
    """

    events: Sequence[Event]
    lanes: tuple[LaneCheckpoint, ...]
    taken: int
    settled: int
    dropped: int = 0
    gap: Event | None = None
    later: Event | None = None


def choose(
    before: Checkpoint,
    arrived: Iterable[Event | None],
    *,
    building: bool = False,
    no_room: frozenset[UUID] = frozenset(),
) -> Choice:
    """Judge arrivals in their order; None stands for what is no event of the source, and is passed by.

    The lane of an event that is in `no_room` stops before it: it would have to be parked, and too many are.
    """
    run = _Run(before, no_room, building=building)
    taken = settled = 0
    for event in arrived:
        if event is not None and not run.take(event):
            break
        taken += 1
        if not run.stopped:
            settled = taken
    return Choice(run.events, tuple(run.lanes), taken, settled, run.dropped, run.gap, run.later)


class _Run:
    """The lanes while a run of events is judged."""

    def __init__(self, before: Checkpoint, no_room: frozenset[UUID], *, building: bool) -> None:
        self._no_room = no_room
        self._building = building
        self._latest = max((lane.epoch for lane in before.lanes if lane.epoch is not None), default=None)
        self.lanes = list(before.lanes)
        self.stopped = any(lane.stopped for lane in before.lanes)
        self.events: list[Event] = []
        self.dropped = 0
        self.gap: Event | None = None
        self.later: Event | None = None

    def take(self, event: Event) -> bool:
        """Take an event, unless it is a gap or needs another copy; tell whether it was taken."""
        lane = self.lanes[event.lane]
        verdict = judge(lane, event, self._latest, building=self._building)
        if verdict is Verdict.LATER_EPOCH:
            self.later = event
        elif verdict is Verdict.EPOCH_IN_PLACE or (verdict is Verdict.NEXT and event.starts_epoch):
            self._begin_epoch(event)  # a lane that had no event yet may have stopped, too
        elif verdict is Verdict.EARLIER_EPOCH:
            self.dropped += 1
        elif lane.stopped is None:
            self._follow(lane, event, verdict)
        return self.gap is None and self.later is None

    def _begin_epoch(self, event: Event) -> None:
        self.lanes[event.lane] = LaneCheckpoint(event.epoch, event.seq, event.event_id)
        self._latest = event.epoch if self._latest is None else max(self._latest, event.epoch)
        self.stopped = any(lane.stopped for lane in self.lanes)

    def _follow(self, lane: LaneCheckpoint, event: Event, verdict: Verdict) -> None:
        """Take an event of the lane's own epoch."""
        if verdict is Verdict.GAP:
            self.gap = event
        elif verdict is Verdict.DIVERGED:
            self._stop(
                event,
                f"divergence: seq {event.seq} is event {event.event_id} after {event.previous}, "
                f"not after {lane.event_id}",
            )
        elif verdict is Verdict.NEXT and event.event_id in self._no_room:
            self._stop(
                event,
                f"{parking.PARKED_MOST} aggregates have parked events, the most that there may be: "
                f"seq {event.seq} can't be parked",
            )
        elif verdict is Verdict.NEXT:
            self.lanes[event.lane] = advanced(lane, event)
            self._latest = self._latest or event.epoch
            self.events.append(event)

    def _stop(self, event: Event, reason: str) -> None:
        self.lanes[event.lane] = replace(self.lanes[event.lane], stopped=reason)
        self.stopped = True


def unstopped(checkpoint: Checkpoint, *numbers: int) -> Checkpoint:
    """Return the checkpoint with these lanes going on, all of them if none is named."""
    lanes = tuple(
        replace(lane, stopped=None) if lane.stopped is not None and (number in numbers or not numbers) else lane
        for number, lane in enumerate(checkpoint.lanes)
    )
    return replace(checkpoint, lanes=lanes)


def stopped(checkpoint: Checkpoint, number: int, reason: str) -> Checkpoint:
    """Return the checkpoint with a lane stopped."""
    lanes = list(checkpoint.lanes)
    lanes[number] = replace(lanes[number], stopped=reason)
    return replace(checkpoint, lanes=tuple(lanes))
