"""Moving a copy's checkpoint on over runs of events, from wherever they come."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

import structlog
from nats.aio.msg import Msg

from bus.event import Event
from bus.following.applying import Applying, NoRoom
from bus.following.checkpoint import Checkpoint
from bus.following.choosing import Choice, choose

log: Final = structlog.get_logger(__name__)


class RebuildNeeded(Exception):
    """The copy can't go on: it must be made anew."""


@dataclass(slots=True)
class Passed:
    """How much of what arrived was no event of the source, or one of an epoch that had been left."""

    foreign: int = 0
    earlier: int = 0


class Advancing:
    """A copy of one source as it is moved on; `checkpoint` is how far it has come.

    It begins with all lanes of the `stored` checkpoint going on, in the stream as it is now. `is_full` tells that a
    lane stopped because too many aggregates have parked events.
    """

    def __init__(
        self, applying: Applying[Any], stored: Checkpoint, checkpoint: Checkpoint, passed: Passed, *, building: bool
    ) -> None:
        self._applying = applying
        self._stored = stored.lanes
        self._passed = passed
        self.building: Final = building
        self.checkpoint = checkpoint
        self.is_full = False

    async def advance(self, arrived: Sequence[Event | None], messages: Sequence[Msg] = ()) -> Choice:
        """Judge events, those that `messages` carry or others, and apply what follows; return what became of them.

        Raises RebuildNeeded.
        """
        no_room: frozenset[UUID] = frozenset()
        while True:
            before = self.checkpoint
            choice = choose(before, arrived, building=self.building, no_room=no_room)
            sequence = before.stream_sequence
            if messages and choice.settled:
                sequence = max(sequence, messages[choice.settled - 1].metadata.sequence.stream)
            try:
                await self.move(replace(before, lanes=choice.lanes, stream_sequence=sequence), choice.events)
            except NoRoom as error:
                self.is_full, no_room = True, no_room | {error.event.event_id}
                continue
            self._passed.earlier += choice.dropped
            if choice.later is not None:
                raise self._superseded(choice.later)
            return choice

    async def move(self, after: Checkpoint, events: Sequence[Event] = ()) -> None:
        """Apply events and move the checkpoint, unless it is there already."""
        before = self.checkpoint
        if after == before and after.lanes == self._stored:
            return
        self.checkpoint = await self._applying.apply(events, before, after)
        self._stored = after.lanes
        for number, (old, new) in enumerate(zip(before.lanes, after.lanes, strict=True)):
            if new.stopped is not None and old.stopped is None:
                log.error("projector_lane_stopped", source=before.source, lane=number, reason=new.stopped)

    async def has_room(self) -> bool:
        """Tell whether a lane that stopped for want of room can go on."""
        return self.is_full and await self._applying.has_room()

    def _superseded(self, event: Event) -> RebuildNeeded:
        seq = self.checkpoint.lanes[event.lane].seq
        return RebuildNeeded(
            f"{self.checkpoint.source} began epoch {event.epoch}, and lane {event.lane} does not go on in it from "
            f"seq {seq}, which was applied"
        )
