"""The relay: takes what the journal has committed to the stream, in order, once, however often it dies.

One relay is active per command database, by a lease; the others stand by. An active relay starts from the stream's real
tail, publishes each lane in order with one batch in flight, lanes side by side, and announces the heads every second.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import asyncpg
import structlog
from nats.js.errors import NotFoundError

from bus import relay_store as store
from bus.ahead import Ahead
from bus.broker import BROKER_ERRORS, Broker, BrokerAway, Session, quietly
from bus.event import Event, MalformedEvent, received
from bus.heads import read_heads
from bus.lease import Lease, LeaseLost
from bus.publishing import Fenced, Publisher
from bus.source import Source
from bus.tail import GoOn, Stop, Tail, compare
from bus.tasks import asked, together, told
from bus.topology import StreamLimits, StreamState, ensure_stream, stream_state
from chassis.postgres import UNAVAILABLE, Connection, Connections

BEACON_SECONDS: Final = 1.0
_POLL_SECONDS: Final = 0.5
_IDLE_SECONDS: Final = 0.02
_REMEMBER_SECONDS: Final = 0.05
_RETRY_SECONDS: Final = 0.2

log: Final = structlog.get_logger(__name__)


class TailMoved(Exception):
    """The stream is not as the relay left it; the lanes must be compared again."""


_EXPECTED: Final = (*UNAVAILABLE, *BROKER_ERRORS, asyncpg.PostgresError, BrokerAway, LeaseLost, TailMoved)


class Relay:
    """Publishes one source's journal while `run` runs."""

    def __init__(
        self, connections: Connections, broker: Broker, source: Source, holder: str, limits: StreamLimits
    ) -> None:
        self._connections = connections
        self._broker = broker
        self._source = source
        self._holder = holder
        self._limits = limits
        self._wake = asyncio.Event()
        self._leading = False
        self._announcing: asyncio.Task[None] | None = None
        self.trouble = ""

    def wake(self) -> None:
        """Tell that something was committed: to this relay if it is active, else to the one that is."""
        self._wake.set()
        if not self._leading and (self._announcing is None or self._announcing.done()):
            self._announcing = asyncio.get_running_loop().create_task(self._announce_commit())

    async def run(self) -> None:
        """Be active whenever it is this relay's turn, until cancelled."""
        while True:
            try:
                await self._turn()
            except Exception as error:  # noqa: BLE001 - whatever fails here, the process goes on taking commands
                self._tell("relay_term_ended", error)
            await asyncio.sleep(_RETRY_SECONDS)

    def _tell(self, event: str, error: Exception) -> None:
        """Keep what is wrong for the status; log it once, not at every retry."""
        trouble = told(error)
        if trouble != self.trouble:
            unexpected = error if not isinstance(error, _EXPECTED) else None
            log.warning(event, source=self._source.name, reason=trouble, exc_info=unexpected)
        self.trouble = trouble

    async def _announce_commit(self) -> None:
        session = self._broker.present
        if session is not None:
            try:
                await session.client.publish(self._source.wake_subject)
            except BROKER_ERRORS as error:
                log.debug("wake_not_sent", reason=str(error))  # the active relay's poll is the backstop

    async def _turn(self) -> None:
        """Wait for the lease, then act until something fails."""
        async with self._connections.lent() as connection:
            lease = await Lease.await_turn(connection, store.LEASE_NAME, self._holder)
            log.info("relay_active", source=self._source.name, term=lease.term)
            try:
                await together(lease.keep(connection), self._publish_terms(lease))
            finally:
                self._leading = False
                await _give_up(lease, connection)
                connection.terminate()  # the next term begins on a connection of its own

    async def _publish_terms(self, lease: Lease) -> None:
        """Publish over one session after another; the lease outlives a broker that is away."""
        while True:
            session = await self._broker.session()
            try:
                await together(session.until_lost(), self._publish(session, lease))
            except (*BROKER_ERRORS, BrokerAway, TailMoved) as error:
                self._leading = False
                self._tell("relay_interrupted", error)
            await asyncio.sleep(_RETRY_SECONDS)

    async def _publish(self, session: Session, lease: Lease) -> None:
        wakes = await session.client.subscribe(self._source.wake_subject, cb=self._on_wake)
        try:
            await self._publish_from_tail(session, lease)
        finally:
            await quietly(wakes.unsubscribe())

    async def _publish_from_tail(self, session: Session, lease: Lease) -> None:
        state = await ensure_stream(session.jetstream, self._source, self._limits)
        lanes = await self._resume(session, lease, state)
        publisher = Publisher(session, self._source)
        self._leading, self.trouble = True, ""
        await together(
            self._beacon(session),
            self._watch_tail(session, state.created, lanes),
            self._rounds(publisher, lease, state.created, lanes),
        )

    async def _on_wake(self, _: object) -> None:
        self._wake.set()

    async def _beacon(self, session: Session) -> None:
        """Announce the heads every second; not stored, outside the stream."""
        while True:
            heads = await read_heads(self._connections, self._source.name)
            await session.client.publish(self._source.beacon_subject, heads.SerializeToString())
            await asyncio.sleep(BEACON_SECONDS)

    async def _resume(self, session: Session, lease: Lease, state: StreamState) -> dict[int, GoOn]:
        """Compare every lane with its real tail; lanes that must not go on are stopped visibly."""
        memories = await store.memories(self._connections)
        lanes: dict[int, GoOn] = {}
        stopped: dict[int, Stop] = {}
        for lane, (epoch, memory) in sorted(memories.items()):
            tail = await self._tail(session, lane)
            known = None
            if tail is not None and tail.event is not None:
                known = await store.event_id(self._connections, lane, tail.event.seq)
            found = compare(memory, tail, created=state.created, first_seq=state.first_seq, epoch=epoch, known=known)
            if isinstance(found, Stop):
                stopped[lane] = found
            else:
                lanes[lane] = found
        foreign = next((found for found in stopped.values() if found.foreign_epoch), None)
        if foreign is not None:  # the stream is another database's: nothing of this one may be mixed into it
            stopped |= dict.fromkeys(lanes, foreign)
            lanes = {}
        for lane, found in stopped.items():
            log.error("relay_lane_stopped", source=self._source.name, lane=lane, reason=found.reason)
            await store.stop(self._connections, lease, lane, found.reason)
        await store.remember(self._connections, lease, state.created, lanes)
        return lanes

    async def _tail(self, session: Session, lane: int) -> Tail | None:
        try:
            message = await asked(session.jetstream.get_last_msg(self._source.stream, self._source.lane_subjects(lane)))
        except NotFoundError:
            return None
        try:
            event = received(message.subject or "", message.headers, message.data or b"", self._source)
        except MalformedEvent:
            return Tail(message.seq or 0, None)
        return Tail(message.seq or 0, event)

    async def _watch_tail(self, session: Session, created: datetime, lanes: dict[int, GoOn]) -> None:
        """Notice now and then that the stream was lost, rolled back, or made anew."""
        while True:
            await asyncio.sleep(2 * BEACON_SECONDS)
            expected = max((lane.fence for lane in lanes.values()), default=0)
            state = await stream_state(session.jetstream, self._source)
            if state.created != created or state.last_seq < expected:
                raise TailMoved("the stream lost messages or is another one")

    async def _rounds(self, publisher: Publisher, lease: Lease, created: datetime, lanes: dict[int, GoOn]) -> None:
        """Publish what is waiting, all lanes side by side; then wait for more.

        How far it came is written down now and then and when nothing comes: the stream itself tells it to a successor.
        """
        clock = asyncio.get_running_loop().time
        published: dict[int, GoOn] = {}
        remembered = clock()
        while True:
            self._wake.clear()
            ahead = Ahead(self._connections, {lane: at.published for lane, at in lanes.items()})
            await ahead.read()
            while pending := ahead.take():
                publishing = (self._publish_lane(publisher, lane, events, lanes) for lane, events in pending.items())
                await together(ahead.read(), *publishing)
                published |= {lane: lanes[lane] for lane in pending}
                if clock() - remembered >= _REMEMBER_SECONDS:
                    await store.remember(self._connections, lease, created, published)
                    published, remembered = {}, clock()
            if published and not await self._woken(_IDLE_SECONDS):
                await store.remember(self._connections, lease, created, published)
                published, remembered = {}, clock()
            if not published:
                await self._woken(_POLL_SECONDS)

    async def _woken(self, within: float) -> bool:
        """Wait until something was committed, at most for so many seconds; tell whether it was."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._wake.wait()
        return self._wake.is_set()

    async def _publish_lane(
        self, publisher: Publisher, lane: int, events: Sequence[Event], lanes: dict[int, GoOn]
    ) -> None:
        try:
            fence = await publisher.publish(lane, events, lanes[lane].fence)
        except Fenced as error:
            raise TailMoved(f"lane {lane}: {error}") from error
        lanes[lane] = GoOn(events[-1].seq, fence, events[-1].event_id)


async def _give_up(lease: Lease, connection: Connection) -> None:
    """Let a standby act at once, if the database can still be told."""
    if not connection.is_closed():
        try:
            async with asyncio.timeout(1.0):
                await lease.give_up(connection)
        except (*UNAVAILABLE, TimeoutError, asyncpg.PostgresError) as error:
            log.info("lease_left_to_expire", reason=str(error))
