"""How the catalogue is put together: everything by constructor, in one place."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final, Self

import asyncpg
import grpc.aio
from training.catalogue.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from training.ops.v1.operations_service_pb2 import SubscriptionStatus
from training.ops.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server

from bus.broker import Broker
from bus.consistency import Freshened
from bus.follower import Follower
from bus.operations_service import OperationsService
from bus.source import Source
from bus.sources import Sources
from bus.status import copy_is_fresh, subscription_statuses
from bus.subscriber import Subscriber
from catalogue_svc.policy import POLICY
from catalogue_svc.projection.offers import OfferProjection
from catalogue_svc.projection.programs import ProgramProjection
from catalogue_svc.query.cache import EntryCache
from catalogue_svc.query.catalogue_service import CatalogueService
from catalogue_svc.query.coherence import Coherence
from catalogue_svc.query.lookup import Lookup
from catalogue_svc.query.reading import Reading
from catalogue_svc.query.standing import Standing
from catalogue_svc.settings import CatalogueSettings
from catalogue_svc.store import changes
from catalogue_svc.store.schema import READ_MODEL, create
from chassis.errors import DatabaseUnavailable
from chassis.logging import configure_logging
from chassis.metrics import CallStatistics
from chassis.postgres import UNAVAILABLE, Connections
from chassis.principal import PRINCIPAL_KEY
from chassis.refusal import Refusal
from chassis.server import Server, ServerOptions
from chassis.service import Work, instance_name, principals_of, serve, translate
from chassis.startup import StartFailure

_PROJECTION_CONNECTIONS: Final = 6
"""One for each lease, one for each source's transaction, one for the follower, one to spare."""

_MACHINE: Final = ((PRINCIPAL_KEY, "catalogue;roles=service"),)


class Catalogue:
    """One process's catalogue, from `async with` on; `work` is what has to run beside its server."""

    def __init__(self, settings: CatalogueSettings) -> None:
        dsn, instance = settings.database_url.get_secret_value(), instance_name("catalogue")
        self.connections: Final = Connections(dsn, size=settings.read_connections, name=instance, schema=READ_MODEL)
        # Commits wait for the disk although all can be projected again: a read store that went back in a crash would
        # show readers less than the tokens they hold, and number its checkpoints anew.
        self._projecting: Final = Connections(
            dsn, size=_PROJECTION_CONNECTIONS, name="catalogue-projection", schema=READ_MODEL
        )
        self._broker: Final = Broker(settings.nats_url.get_secret_value(), instance)
        program, offer = (Source(name, settings.bus_prefix) for name in ("program", "offer"))
        durable = f"{settings.catalogue_id}-{READ_MODEL}"
        projector = (self._projecting, self._broker)
        self.subscribers: Final[Mapping[str, Subscriber[Any]]] = {
            program.name: Subscriber(
                *projector, program, ProgramProjection(), durable=f"{durable}-program", holder=instance
            ),
            offer.name: Subscriber(*projector, offer, OfferProjection(), durable=f"{durable}-offer", holder=instance),
        }
        self.cache: Final = EntryCache(settings.cache_bytes)
        self.follower: Final = Follower(self._projecting, self._broker, [program, offer], Coherence(self.cache).advance)
        self._addresses: Final = {
            program.name: settings.program_source_address,
            offer.name: settings.offer_source_address,
        }
        self._channels: Final = AsyncExitStack()
        self.statistics: Final = CallStatistics()
        self.server: Final = Server(
            ServerOptions.of(settings),
            policy=POLICY,
            principals=principals_of(settings),
            readiness=self.is_ready,
            freshness=self.is_fresh,
            statistics=self.statistics,
            translate=_translate,
        )
        self._instance: Final = instance
        self._fresh_seconds: Final = settings.fresh_seconds

    async def __aenter__(self) -> Self:
        """Make the read model unless it is there, and see how far it has come."""
        try:
            await create(self.connections)
            await self.follower.catch_up()
        except UNAVAILABLE as error:
            await self._close()
            raise StartFailure(f"the read store can't be reached: {type(error).__name__}: {error}") from error
        channels = {name: grpc.aio.insecure_channel(address) for name, address in self._addresses.items()}
        for channel in channels.values():
            await self._channels.enter_async_context(channel)
        standing = Standing(self.follower)
        service = CatalogueService(
            Freshened(self.follower, Sources(channels, _MACHINE)),
            Lookup(self.connections, standing, self.cache),
            Reading(self.connections, standing),
        )
        operations = OperationsService("catalogue", self._instance, subscriptions=self.status)
        self.server.add(add_CatalogueServiceServicer_to_server, service)
        self.server.add(add_OperationsServiceServicer_to_server, operations)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of everything."""
        await self._close()

    @property
    def work(self) -> list[Work]:
        """What runs until the end."""
        return [
            self._broker.run,
            self.follower.run,
            *(subscriber.run for subscriber in self.subscribers.values()),
            self._trim,
        ]

    async def is_ready(self) -> bool:
        """Tell whether this process can answer from its read store."""
        return await self.connections.fetchrow("SELECT position FROM feed") is not None

    async def is_fresh(self) -> bool:
        """Tell whether the read model keeps up with its sources."""
        return copy_is_fresh(self.follower, self._fresh_seconds)

    async def status(self) -> list[SubscriptionStatus]:
        """Tell how far the read model has come with each source."""
        return await subscription_statuses(self.connections, self.follower, self.subscribers)

    async def _trim(self) -> None:
        await changes.keep_trimmed(self._projecting)

    async def _close(self) -> None:
        await self._channels.aclose()
        await self.connections.close()
        await self._projecting.close()


def _translate(error: Exception) -> Refusal | None:
    """Turn trouble with the read store into what a caller is told; one without its tables is there again some day."""
    gone = isinstance(error, asyncpg.UndefinedTableError | asyncpg.InvalidSchemaNameError)
    return DatabaseUnavailable() if gone else translate(error)


async def run(settings: CatalogueSettings, stop: asyncio.Event) -> None:
    """Run the service until asked to stop."""
    configure_logging("catalogue", level=settings.log_level, form=settings.log_format)
    async with Catalogue(settings) as catalogue:
        await serve(catalogue.server, settings, [catalogue.statistics], catalogue.work, stop)
