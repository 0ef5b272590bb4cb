"""The relay: takes what the journal has committed to the stream, in order, once, however often it dies.

One relay is active per command database, by a lease; the others stand by. An active relay starts from the stream's real
tail, publishes each lane in order with one batch in flight, lanes side by side, and announces the heads every second.
One whose database was superseded, by another that publishes to the stream in a later epoch, publishes and announces
nothing.
"""

import asyncio
from typing import Final

import asyncpg
import structlog

from bus.broker import BROKER_ERRORS, Broker, BrokerAway, Session, quietly
from bus.heads import SourceSuperseded, read_heads
from bus.lease import Lease, LeaseLost
from bus.relay import store
from bus.relay.publishing import BrokerTooSmall, Publisher, require_room
from bus.relay.resuming import Resumed, Resuming, Superseded
from bus.relay.rounds import Rounds, TailMoved
from bus.source import Source
from bus.tasks import together, told
from bus.topology import StreamLimits, ensure_stream, stream_state
from chassis.postgres import UNAVAILABLE, Connection, Connections

BEACON_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 0.2
_SUPERSEDED_SECONDS: Final = 1.0

log: Final = structlog.get_logger(__name__)

_EXPECTED: Final = (
    *UNAVAILABLE,
    *BROKER_ERRORS,
    asyncpg.PostgresError,
    BrokerAway,
    BrokerTooSmall,
    LeaseLost,
    SourceSuperseded,
    Superseded,
    TailMoved,
)


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

    def _stand_by(self) -> None:
        """Forget what was wrong in an earlier turn: another relay is active, and this one is ready to succeed it."""
        self.trouble = ""

    async def _announce_commit(self) -> None:
        session = self._broker.present
        if session is not None:
            try:
                await session.client.publish(self._source.wake_subject)
            except BROKER_ERRORS as error:
                log.debug("wake_not_sent", reason=str(error))  # the active relay's poll is the backstop

    async def _turn(self) -> None:
        """Wait for the lease, then act until something fails."""
        await self._connections.refresh()  # all that one term uses was opened in it, to one database
        async with self._connections.lent() as connection:
            lease = await Lease.await_turn(connection, store.LEASE_NAME, self._holder, self._stand_by)
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
            except Superseded as error:
                self._leading = False
                self._tell("relay_superseded", error)
                await asyncio.sleep(_SUPERSEDED_SECONDS)  # it goes on when an operator has begun an epoch
            except (*BROKER_ERRORS, BrokerAway, BrokerTooSmall, SourceSuperseded, TailMoved) as error:
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
        require_room(session)
        await ensure_stream(session.jetstream, self._source, self._limits)
        self._wake.clear()
        resuming = Resuming(self._connections, session, self._source, lease)
        resumed = await resuming.resume()
        publisher = Publisher(session, self._source)
        rounds = Rounds(self._connections, publisher, lease, resuming=resuming, resumed=resumed, wake=self._wake)
        self._leading, self.trouble = True, ""
        await together(self._beacon(session, resumed), self._watch_stream(session, resumed), rounds.run())

    async def _on_wake(self, _: object) -> None:
        self._wake.set()

    async def _beacon(self, session: Session, resumed: Resumed) -> None:
        """Announce the heads every second; not stored, outside the stream."""
        while True:
            heads = await read_heads(self._connections, self._source.name)
            if heads.epoch != resumed.epoch.bytes:
                raise TailMoved("the database is in another epoch than when its lanes were compared")
            await session.client.publish(self._source.beacon_subject, heads.SerializeToString())
            await asyncio.sleep(BEACON_SECONDS)

    async def _watch_stream(self, session: Session, resumed: Resumed) -> None:
        """Notice now and then that the stream was lost, rolled back, or made anew."""
        while True:
            await asyncio.sleep(2 * BEACON_SECONDS)
            expected = max(lane.fence for lane in resumed.lanes.values())
            state = await stream_state(session.jetstream, self._source)
            if state.created != resumed.created or state.last_seq < expected:
                raise TailMoved("the stream lost messages or is another one")


async def _give_up(lease: Lease, connection: Connection) -> None:
    """Let a standby act at once, if the database can still be told."""
    if not connection.is_closed():
        try:
            async with asyncio.timeout(1.0):
                await lease.give_up(connection)
        except (*UNAVAILABLE, TimeoutError, asyncpg.PostgresError) as error:
            log.info("lease_left_to_expire", reason=str(error))
