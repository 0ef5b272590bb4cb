"""Publishing what the journal has, round after round, as long as the stream is as the relay left it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import structlog

from bus.event import Event
from bus.lease import Lease
from bus.relay import store
from bus.relay.ahead import Ahead
from bus.relay.publishing import Fenced, Publisher, RolledBack
from bus.relay.resuming import Resumed, Resuming
from bus.relay.tail import GoOn
from bus.tasks import together
from chassis.postgres import Connections

_POLL_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 0.02
_REMEMBER_SECONDS: Final = 0.05
_COMPARE_SECONDS: Final = 10.0
_REST_SECONDS: Final = 5.0
"""For how long a lane is left alone whose next event can't be delivered."""

log: Final = structlog.get_logger(__name__)


class TailMoved(Exception):
    """The stream is not as the relay left it, or the database in another epoch; the lanes must be compared again."""


class Rounds:
    """The rounds of one term over one session, from where its lanes were `resumed`; `wake` tells of commits."""

    def __init__(
        self,
        connections: Connections,
        publisher: Publisher,
        lease: Lease,
        *,
        resuming: Resuming,
        resumed: Resumed,
        wake: asyncio.Event,
    ) -> None:
        self._connections = connections
        self._publisher = publisher
        self._lease = lease
        self._resuming = resuming
        self._resumed = resumed
        self._wake = wake
        self._clock = asyncio.get_running_loop().time
        self._compared = self._clock()
        self._remembered = self._clock()
        self._unwritten: dict[int, GoOn] = {}
        self._stopped: dict[int, str] = {}
        self._rested: dict[int, float] = {}

    async def run(self) -> None:
        """Publish what is waiting, all lanes side by side; then wait for more. Raises TailMoved.

        How far it came is written down now and then and when nothing comes: the stream itself tells it to a successor.
        """
        lanes = self._resumed.lanes
        while True:
            self._wake.clear()
            resting = {lane for lane, until in self._rested.items() if self._clock() < until}
            published = {lane: at.published for lane, at in lanes.items() if lane not in resting}
            ahead = Ahead(self._connections, published)
            await ahead.read()
            while pending := ahead.take():
                # Whatever is stored from now on comes after all that stood anywhere in the stream.
                above = max(max(at.fence, at.stream_sequence) for at in lanes.values())
                publishing = (self._publish(lane, events, above) for lane, events in pending.items())
                await together(ahead.read(), *publishing)
                ahead.leave(self._stopped)  # what was read of them already would leave a gap
                self._unwritten |= {lane: lanes[lane] for lane in pending}
                if self._clock() - self._remembered >= _REMEMBER_SECONDS:
                    await self._remember()
                await self._compare_now_and_then()
            if self._unwritten and not await self._woken(_IDLE_SECONDS):
                await self._remember()
            if not self._unwritten:
                await self._woken(_POLL_SECONDS)
            await self._compare_now_and_then()

    async def _publish(self, lane: int, events: Sequence[Event], above: int) -> None:
        if any(event.epoch > self._resumed.epoch for event in events):
            raise TailMoved("a new epoch was begun")
        deliverable = self._publisher.deliverable(events)
        self._note(lane, None if len(deliverable) == len(events) else events[len(deliverable)])
        if not deliverable:
            return
        try:
            fence = await self._publisher.publish(lane, deliverable, self._resumed.lanes[lane].fence, above)
        except (Fenced, RolledBack) as error:
            raise TailMoved(f"lane {lane}: {error}") from error
        self._resumed.lanes[lane] = GoOn(deliverable[-1].seq, fence, deliverable[-1].event_id, fence)

    def _note(self, lane: int, undeliverable: Event | None) -> None:
        """Let a lane rest whose next event the broker does not take; the others go on."""
        if undeliverable is None:
            self._stopped.pop(lane, None)
            return
        reason = f"seq {undeliverable.seq} is larger than the broker takes ({len(undeliverable.body)} bytes)"
        if self._stopped.get(lane) != reason:
            log.error("relay_lane_stopped", lane=lane, reason=reason)
        self._stopped[lane] = reason
        self._rested[lane] = self._clock() + _REST_SECONDS

    async def _remember(self) -> None:
        resumed = self._resumed
        await store.remember(
            self._connections, self._lease, resumed.epoch, resumed.created, self._unwritten, stopped=self._stopped
        )
        self._unwritten, self._remembered = {}, self._clock()

    async def _compare_now_and_then(self) -> None:
        """Compare all lanes with their tails, between two rounds: nothing is under way."""
        if self._clock() - self._compared < _COMPARE_SECONDS:
            return
        if not await self._resuming.is_as_left(self._resumed):
            raise TailMoved("a lane does not end where it was left")
        self._compared = self._clock()

    async def _woken(self, within: float) -> bool:
        """Wait until something was committed, at most for so many seconds; tell whether it was."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._wake.wait()
        return self._wake.is_set()
