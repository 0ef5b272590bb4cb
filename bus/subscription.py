"""What a command service needs to keep a copy of another source in its own database, and to tell how fresh it is."""

import asyncio
from typing import Any, Final, TypeVar

from training.ops.v1.operations_service_pb2 import SubscriptionStatus

from bus.broker import Broker
from bus.consistency import Freshened
from bus.follower import Follower
from bus.source import Source
from bus.status import copy_is_fresh, subscription_statuses
from bus.subscriber import Projection, Subscriber
from chassis.postgres import Connections

Row = TypeVar("Row")

_CONNECTIONS: Final = 4
"""One for the lease, one for a batch, one for the follower, one to tell of it."""


class Subscription:
    """One process's part in the copy of one source; `freshened` makes callers wait for what the copy must contain."""

    def __init__(
        self,
        dsn: str,
        broker: Broker,
        source: Source,
        projection: Projection[Row],
        *,
        durable: str,
        instance: str,
    ) -> None:
        # Commits wait for the disk although all can be copied again: a copy that a crash took back would be less than
        # what commands have been told that it contains.
        self._connections = Connections(dsn, size=_CONNECTIONS, name=f"{instance}/{source.name}")
        self._follower = Follower(self._connections, broker, [source])
        self._subscriber: Subscriber[Any] = Subscriber(
            self._connections, broker, source, projection, durable=durable, holder=instance
        )
        self._source = source
        self.freshened: Final = Freshened(self._follower)

    async def run(self) -> None:
        """Apply the source's events and follow the copy until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._subscriber.run())
                group.create_task(self._follower.run())
        finally:
            await asyncio.shield(self._connections.close())

    async def statuses(self) -> list[SubscriptionStatus]:
        """Tell how far the copy has come."""
        subscribers = {self._source.name: self._subscriber}
        return await subscription_statuses(self._connections, self._follower, subscribers)

    async def is_fresh(self, within: float) -> bool:
        """Tell whether the copy keeps up, its `as_of` no older than so many seconds."""
        return copy_is_fresh(self._follower, within)
