"""What one process knows of how far its database's copies of the sources have come.

Every process that answers from a read store has one, whether or not its own projector is the active one. It is told of
each moved checkpoint by the database, reads them in one snapshot together with whatever its owner keeps coherent, and
wakes who waits for a position. Between the sources and this, nothing is assumed: an answer is as fresh as this says.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from nats.aio.msg import Msg

from bus.broker import BROKER_ERRORS, Broker, BrokerAway
from bus.following import checkpoint as checkpoints
from bus.following.checkpoint import CHANNEL, GONE, READ_ALL, Checkpoint
from bus.following.parking import OpenAggregate, open_parked
from bus.freshness.freshness import Freshness, beacon_in
from bus.source import Source
from bus.tasks import together, told
from bus.tokens import Position, Vector
from chassis.postgres import UNAVAILABLE, Connection, Connections

Advance = Callable[[Connection], Awaitable[None]]
"""Called in the snapshot that shows new checkpoints, before they are believed: bring what you keep up to it."""


_POLL_SECONDS: Final = 1.0
_RETRY_SECONDS: Final = 0.2

log: Final = structlog.get_logger(__name__)


async def nothing(_: Connection) -> None:
    """Keep nothing coherent."""


class Follower:
    """The positions and freshness of the copies in one database, while `run` runs."""

    def __init__(
        self,
        connections: Connections,
        broker: Broker,
        sources: Sequence[Source],
        advance: Advance = nothing,
    ) -> None:
        self._connections = connections
        self._broker = broker
        self._sources = sources
        self._advance = advance
        self._moved = asyncio.Event()
        self._came = asyncio.Condition()
        self._reading = asyncio.Lock()
        self.checkpoints: Mapping[str, Checkpoint] = {}
        self.parked: Sequence[OpenAggregate] = ()
        self.vector: Vector = {}
        self.generation = 0
        self.freshness: Final = {source.name: Freshness() for source in sources}
        self.trouble = ""

    async def run(self) -> None:
        """Follow until cancelled."""
        await together(self._follow_checkpoints(), self._hear_beacons())

    async def reach(self, source: str, needed: Position, wait: float) -> bool:
        """Wait until a source's copy contains a position, or the time is up, or a later epoch makes it impossible."""
        try:
            async with asyncio.timeout(wait), self._came:
                while not self.decided(source, needed):
                    await self._came.wait()
        except TimeoutError:
            pass
        position = self.vector.get(source)
        return position is not None and position.covers(needed)

    def decided(self, source: str, needed: Position) -> bool:
        """Tell whether waiting for a position is over: it is contained, or its epoch has been superseded."""
        position = self.vector.get(source)
        return position is not None and (position.covers(needed) or position.epoch > needed.epoch)

    def as_of(self) -> Mapping[str, datetime | None]:
        """Return how fresh each copy is."""
        return {name: freshness.as_of for name, freshness in self.freshness.items()}

    async def catch_up(self) -> None:
        """Read the checkpoints now."""
        async with self._reading, self._connections.transaction(readonly=True, snapshot=True) as connection:
            await self._read(connection)

    def parked_of(self, source: str, aggregate_id: UUID) -> OpenAggregate | None:
        """Return what is parked of an aggregate in the state reached; None when nothing is."""
        return next((each for each in self.parked if each.aggregate_id == aggregate_id and each.source == source), None)

    async def _follow_checkpoints(self) -> None:
        while True:
            try:
                await self._listen()
            except (*UNAVAILABLE, asyncpg.PostgresError) as error:
                self._note(error)
                if isinstance(error, GONE) and self.checkpoints:
                    await self._believe({}, ())
            await asyncio.sleep(_RETRY_SECONDS)

    def _note(self, error: Exception) -> None:
        """Keep what is wrong for the status; log it once, not at every retry."""
        trouble = "there is no copy to follow" if isinstance(error, GONE) else told(error)
        if trouble != self.trouble:
            log.warning("follower_interrupted", reason=trouble)
        self.trouble = trouble

    async def _listen(self) -> None:
        async with self._connections.lent() as connection:
            await connection.add_listener(CHANNEL, self._on_moved)
            while True:
                self._moved.clear()
                async with self._reading, connection.transaction(isolation="repeatable_read", readonly=True):
                    await self._read(connection)
                self.trouble = ""
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_SECONDS):
                        await self._moved.wait()

    def _on_moved(self, *_: object) -> None:
        self._moved.set()

    async def _read(self, connection: Connection) -> None:
        rows = await READ_ALL.fetch(connection)
        found = {row["source"]: checkpoints.of_row(row) for row in rows}
        if found == self.checkpoints:
            return
        parked = await open_parked(connection)
        await self._advance(connection)
        await self._believe(found, parked)

    async def _believe(self, found: Mapping[str, Checkpoint], parked: Sequence[OpenAggregate]) -> None:
        """Take on a state, all of it before any other code runs; then wake who waits for it."""
        self.checkpoints, self.parked = found, parked
        vector: dict[str, Position] = {}
        for name, checkpoint in found.items():
            position = checkpoint.position()
            if position is not None:
                vector[name] = position
            if name in self.freshness:
                freshness = self.freshness[name]
                freshness.as_of = freshness.as_of or checkpoint.as_of
                freshness.came_to(position)
        self.vector = vector
        self.generation += 1
        async with self._came:
            self._came.notify_all()

    async def _hear_beacons(self) -> None:
        while True:
            session = await self._broker.session()
            try:
                for source in self._sources:
                    await session.client.subscribe(source.beacon_subject, cb=self._on_beacon)
                await session.until_lost()
            except (*BROKER_ERRORS, BrokerAway) as error:
                log.info("beacons_interrupted", reason=str(error))
            await asyncio.sleep(_RETRY_SECONDS)

    async def _on_beacon(self, message: Msg) -> None:
        beacon = beacon_in(message.data)
        if beacon is not None and beacon.source in self.freshness:
            self.freshness[beacon.source].heard(beacon, self.vector.get(beacon.source))
