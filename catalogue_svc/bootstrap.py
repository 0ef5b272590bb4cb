"""How the catalogue is put together: everything by constructor, in one place."""

import asyncio
from typing import Final, Self

from training.catalogue.v1.catalogue_service_pb2_grpc import add_CatalogueServiceServicer_to_server
from training.offer.v1.events_pb2 import OfferEvent
from training.ops.v1.operations_service_pb2_grpc import add_OperationsServiceServicer_to_server
from training.program.v1.events_pb2 import ProgramEvent

from bus.broker import Broker
from bus.operations.copy_operations import CopyOperations
from bus.operations.operations_service import OperationsService
from bus.operations.status_metrics import StatusMetrics
from bus.read_store.generations import CatalogueBuilding, gone
from bus.read_store.read_model import ReadModel
from bus.subscription import Subscription
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
from catalogue_svc.store.schema import READ_MODEL, SHOWN, definition
from chassis.logging import configure_logging
from chassis.metrics import CallStatistics
from chassis.postgres import UNAVAILABLE, Connections
from chassis.refusal import Refusal
from chassis.server import Server, ServerOptions
from chassis.service import Work, instance_name, principals_of, serve, translate
from chassis.startup import StartFailure


class Catalogue:
    """One process's catalogue, from `async with` on; `work` is what has to run beside its server."""

    def __init__(self, settings: CatalogueSettings) -> None:
        dsn, instance = settings.database_url.get_secret_value(), instance_name("catalogue")
        self.connections: Final = Connections(dsn, size=settings.read_connections, name=instance, schema=READ_MODEL)
        self._trimming: Final = Connections(dsn, size=1, name=f"{instance}/trimming", schema=READ_MODEL)
        self._broker: Final = Broker(settings.nats_url.get_secret_value(), instance)
        self.cache: Final = EntryCache(settings.cache_bytes)
        self.subscription: Final = Subscription(
            dsn,
            self._broker,
            ReadModel(READ_MODEL, definition(), SHOWN, {"program": ProgramProjection(), "offer": OfferProjection()}),
            {"program": settings.program_source_address, "offer": settings.offer_source_address},
            bus_prefix=settings.bus_prefix,
            owner=settings.catalogue_id,
            service="catalogue",
            instance=instance,
            advance=Coherence(self.cache).advance,
        )
        self.follower: Final = self.subscription.follower
        self.statistics: Final = CallStatistics()
        self.server: Final = Server(
            ServerOptions.of(settings),
            policy=POLICY,
            principals=principals_of(settings),
            readiness=self.is_ready,
            freshness=self.is_fresh,
            statistics=self.statistics,
            translate=self._translate,
        )
        copy = CopyOperations("catalogue", self.subscription, {"program": ProgramEvent, "offer": OfferEvent})
        self._operations: Final = OperationsService("catalogue", instance, copy=copy)
        self.metrics: Final = StatusMetrics(self._operations.status)
        self._fresh_seconds: Final = settings.fresh_seconds
        self._change_hours: Final = settings.change_hours

    async def __aenter__(self) -> Self:
        """Make the read model's home unless it is there, and see how far the read model has come."""
        try:
            await self.subscription.__aenter__()
        except UNAVAILABLE as error:
            await self._close()
            raise StartFailure(f"the read store can't be reached: {type(error).__name__}: {error}") from error
        standing = Standing(self.follower)
        service = CatalogueService(
            self.subscription.freshened,
            Lookup(self.connections, standing, self.cache),
            Reading(self.connections, standing),
        )
        self.server.add(add_CatalogueServiceServicer_to_server, service)
        self.server.add(add_OperationsServiceServicer_to_server, self._operations)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Let go of everything."""
        await self._close()

    @property
    def work(self) -> list[Work]:
        """What runs until the end."""
        return [self._broker.run, self.subscription.run, self.metrics.run, self._trim]

    async def is_ready(self) -> bool:
        """Tell whether this process can answer from its read store."""
        return await self.connections.fetchrow("SELECT position FROM feed") is not None

    async def is_fresh(self) -> bool:
        """Tell whether the read model keeps up with its sources."""
        return await self.subscription.is_fresh(self._fresh_seconds)

    async def _trim(self) -> None:
        await changes.keep_trimmed(self._trimming, self._change_hours)

    def _translate(self, error: Exception) -> Refusal | None:
        """Turn trouble with the read store into what a caller is told; without a generation there is one again soon."""
        model = self.subscription.read_store.model
        return CatalogueBuilding.of(model.name) if gone(error, model) else translate(error)

    async def _close(self) -> None:
        await self.subscription.__aexit__()
        await self.connections.close()
        await self._trimming.close()


async def run(settings: CatalogueSettings, stop: asyncio.Event) -> None:
    """Run the service until asked to stop."""
    configure_logging("catalogue", level=settings.log_level, form=settings.log_format)
    async with Catalogue(settings) as catalogue:
        await serve(catalogue.server, settings, [catalogue.statistics, catalogue.metrics], catalogue.work, stop)
