"""What a command service needs to be a source of change: its journal's lanes, the relay, and what they tell."""

import asyncio
from typing import Final
from uuid import UUID

from training.ops.v1.operations_service_pb2 import JournalStatus

from bus.broker import Broker
from bus.journal.epochs import Epoch, Epochs, present_epoch
from bus.journal.tables import begin_lanes
from bus.operations.explaining import Explaining
from bus.operations.status import journal_is_fresh, journal_status
from bus.relay.relay import Relay
from bus.source import Source
from bus.topology import StreamLimits
from chassis.postgres import Connections

_RELAY_CONNECTIONS: Final = 4


class Publication:
    """One process's part in publishing a source; `committed` is to be called after each commit.

    `epochs` also prepares `connections`, as every connection to the database.
    """

    def __init__(
        self,
        dsn: str,
        connections: Connections,
        broker: Broker,
        source: Source,
        *,
        epochs: Epochs,
        instance: str,
        limits: StreamLimits,
    ) -> None:
        self._connections = connections
        self._source = source
        self._epochs = epochs
        # What the relay writes can be found out again from the stream, so its commits need not wait for the disk.
        self._relay_connections = Connections(
            dsn, size=_RELAY_CONNECTIONS, name=f"{source.name}-relay", prepare=epochs.confirm, durable=False
        )
        self._relay = Relay(self._relay_connections, broker, source, instance, limits)
        self.committed: Final = self._relay.wake
        self.explaining: Final = Explaining(connections)

    async def prepare(self) -> None:
        """Make sure that the lanes exist."""
        async with self._connections.transaction() as connection:
            await begin_lanes(connection)

    async def epoch(self) -> Epoch:
        """Tell the epoch that the source is in."""
        return await present_epoch(self._connections)

    async def begin_epoch(self, cause: str) -> tuple[UUID, UUID]:
        """Begin an epoch by hand, after a copy of the database's files was put back; return it and the one before.

        Whoever has seen an event that the database has forgotten must synchronise anew, and learns it by this.
        """
        async with self._connections.lent() as connection:
            begun = await self._epochs.begin(connection, cause)
        self._relay.wake()
        return begun

    async def run(self) -> None:
        """Relay until cancelled."""
        try:
            await self._relay.run()
        finally:
            await asyncio.shield(self._relay_connections.close())

    async def status(self) -> JournalStatus:
        """Tell how far the journal has been published."""
        return await journal_status(self._connections, self._source.name, self._relay)

    async def is_fresh(self, within: float) -> bool:
        """Tell whether the relay keeps up, with nothing waiting for so many seconds."""
        return journal_is_fresh(await self.status(), within)
