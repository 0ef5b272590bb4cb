"""What the relay publishes next, read from the journal while it publishes."""

from collections.abc import Iterable, Sequence
from typing import Final

from bus.event import Event
from bus.relay.publishing import BATCH_MOST
from bus.relay.waiting import pending
from chassis.postgres import Connections

_LANE_BYTES: Final = 2 * 1024**2


class Ahead:
    """Reads the journal's next events while the last ones are being published, as long as there are more."""

    def __init__(self, connections: Connections, published: dict[int, int]) -> None:
        self._connections = connections
        self._read_up_to = published
        self._events: dict[int, list[Event]] = {}
        self._more = True

    async def read(self) -> None:
        """Read what follows, in every lane; nothing when the last reading was not cut short."""
        if not self._more:
            self._events = {}
            return
        self._events = await pending(self._connections, self._read_up_to, _LANE_BYTES)
        self._more = any(_cut_short(events) for events in self._events.values())
        self._read_up_to = self._read_up_to | {lane: events[-1].seq for lane, events in self._events.items()}

    def leave(self, lanes: Iterable[int]) -> None:
        """Read no more of lanes that do not get on, and forget what was read of them."""
        left = set(lanes)
        self._read_up_to = {lane: seq for lane, seq in self._read_up_to.items() if lane not in left}
        self._events = {lane: events for lane, events in self._events.items() if lane not in left}

    def take(self) -> dict[int, list[Event]]:
        """Return what was read."""
        return self._events


def _cut_short(events: Sequence[Event]) -> bool:
    """Tell whether a lane may have more than was read: the reading ended at a bound."""
    return len(events) >= BATCH_MOST or sum(len(event.body) for event in events) >= _LANE_BYTES
