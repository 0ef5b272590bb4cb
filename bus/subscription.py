"""What a service needs to keep a read model of other sources: its generations, how far they have come, and who waits.

The catalogue has one as its reason to exist, the offer service one as its replica of programs.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from typing import Final, Self

import grpc.aio
from training.ops.v1.operations_service_pb2 import SubscriptionStatus

from bus.broker import Broker
from bus.following.checkpoint import GONE
from bus.following.source_journal import SourceJournal
from bus.following.sources import Sources
from bus.freshness.consistency import Freshened
from bus.freshness.follower import Advance, Follower
from bus.operations.status import copy_is_fresh, subscription_statuses
from bus.read_store.read_model import ReadModel, lease_of
from bus.read_store.read_store import ReadStore
from bus.source import Source
from chassis.postgres import Connections
from chassis.principal import PRINCIPAL_KEY

_CONNECTIONS: Final = 3
"""One to listen, one to read, one to tell of it."""

# A source that is being started refuses the first connections, and a channel of its own accord waits ever longer.
_CHANNEL: Final = (
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_receive_message_length", 16 * 1024**2),
)


class Subscription:
    """One process's part in a read model, from `async with` on; `run` runs until cancelled.

    `addresses` are the sources', by name. `owner` tells this service, or this catalogue, from others that follow the
    same sources. `freshened` makes callers wait for what the read model must contain.
    """

    def __init__(
        self,
        dsn: str,
        broker: Broker,
        model: ReadModel,
        addresses: Mapping[str, str],
        *,
        bus_prefix: str,
        owner: str,
        service: str,
        instance: str,
        advance: Advance | None = None,
    ) -> None:
        sources = [Source(name, bus_prefix) for name in model.sources]
        machine = ((PRINCIPAL_KEY, f"{service};roles=service"),)
        self._exits = AsyncExitStack()
        channels = {name: grpc.aio.insecure_channel(addresses[name], options=_CHANNEL) for name in model.sources}
        for channel in channels.values():
            self._exits.push_async_callback(channel.close)
        journals = {name: SourceJournal(name, channel, machine) for name, channel in channels.items()}
        # Commits wait for the disk although all can be copied again: a copy that a crash took back would be less than
        # what has been told that it contains.
        self.read_store: Final = ReadStore(dsn, model, broker, sources, journals, owner=owner, instance=instance)
        self.connections: Final = Connections(
            dsn, size=_CONNECTIONS, name=f"{instance}/{model.name}", schema=model.name
        )
        following = (self.connections, broker, sources)
        self.follower: Final = Follower(*following) if advance is None else Follower(*following, advance)
        self.freshened: Final = Freshened(self.follower, Sources(channels, machine))

    async def __aenter__(self) -> Self:
        """Make the home unless it is there, and see how far the read model has come."""
        await self.read_store.prepare()
        with suppress(*GONE):  # nothing answers yet
            await self.follower.catch_up()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of everything."""
        await self._exits.aclose()
        await self.connections.close()
        await self.read_store.home.close()

    async def run(self) -> None:
        """Keep the read model and follow how far it comes until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.read_store.run())
            group.create_task(self.follower.run())

    async def statuses(self) -> list[SubscriptionStatus]:
        """Tell how far the read model has come with each source."""
        return await subscription_statuses(
            self.connections,
            self.follower,
            self.read_store.subscribers,
            lambda source: lease_of(source, self.read_store.generation),
            self.read_store.trouble,
        )

    async def is_fresh(self, within: float) -> bool:
        """Tell whether the read model keeps up, its `as_of` no older than so many seconds."""
        return copy_is_fresh(self.follower, within)
