"""A catalogue in this process, on real servers, and the two sources that it follows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import grpc.aio
import pytest
from pydantic import SecretStr
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.ops.v1.journal_service_pb2_grpc import add_JournalServiceServicer_to_server
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub

from bus.broker import Broker
from bus.source import Source
from catalogue_svc.bootstrap import Catalogue
from catalogue_svc.settings import CatalogueSettings
from chassis.embedded import EmbeddedNats
from chassis.service import serve
from chassis.settings import Address
from tests.conftest import NewDatabase
from tests.integration.catalogue.sources import Journals, PublishedSource

if TYPE_CHECKING:  # known to type checkers only
    from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceAsyncStub
    from training.ops.v1.operations_service_pb2_grpc import OperationsServiceAsyncStub

ANYWHERE = Address("127.0.0.1", 0)


@dataclass(frozen=True, slots=True)
class Sources:
    """The sources of one bus."""

    program: PublishedSource
    offer: PublishedSource
    journals: tuple[Journals, Journals]
    addresses: tuple[str, str]
    servers: tuple[grpc.aio.Server, ...]
    prefix: str

    async def stop_journals(self) -> None:
        """Answer no more questions for heads."""
        for server in self.servers:
            await server.stop(0)


@dataclass(frozen=True, slots=True)
class Running:
    """A catalogue that serves, and stubs to call it."""

    catalogue: Catalogue
    stub: "CatalogueServiceAsyncStub"
    operations: "OperationsServiceAsyncStub"
    channel: grpc.aio.Channel
    stop: asyncio.Event


class RunCatalogue(Protocol):
    """Runs a catalogue on a database."""

    def __call__(self, dsn: str, *, wait: bool = True) -> Awaitable[Running]:
        """Run it; unless told otherwise, wait until it answers."""
        ...


@pytest.fixture
async def sources(nats: EmbeddedNats, bus_prefix: str) -> AsyncIterator[Sources]:
    """Run both sources: their streams, and their JournalServices."""
    broker = Broker(nats.url, "sources")
    running = asyncio.create_task(broker.run())
    servers: list[grpc.aio.Server] = []
    try:
        session = await broker.session()
        published = [PublishedSource(session, Source(name, bus_prefix)) for name in ("program", "offer")]
        journals = [Journals(source) for source in published]
        addresses = []
        for source, journal in zip(published, journals, strict=True):
            await source.prepare()
            server = grpc.aio.server()
            add_JournalServiceServicer_to_server(journal, server)
            addresses.append(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
            await server.start()
            servers.append(server)
        yield Sources(
            published[0],
            published[1],
            (journals[0], journals[1]),
            (addresses[0], addresses[1]),
            tuple(servers),
            bus_prefix,
        )
    finally:
        for server in servers:
            await server.stop(0)
        running.cancel()
        await asyncio.wait([running])


@asynccontextmanager
async def running_catalogue(dsn: str, nats_url: str, sources: Sources, *, wait: bool = True) -> AsyncIterator[Running]:
    """Serve a catalogue at a free port; unless told otherwise, wait until it answers."""
    settings = CatalogueSettings(
        database_url=SecretStr(dsn),
        nats_url=SecretStr(nats_url),
        grpc_address=ANYWHERE,
        metrics_address=ANYWHERE,
        bus_prefix=sources.prefix,
        program_source_address=sources.addresses[0],
        offer_source_address=sources.addresses[1],
        access_log=False,
        drain_grace_seconds=2.0,
    )
    stop = asyncio.Event()
    async with Catalogue(settings) as catalogue:
        serving = asyncio.create_task(
            serve(catalogue.server, settings, [catalogue.statistics], catalogue.work, stop), name="catalogue"
        )
        try:
            while not catalogue.server.port and not serving.done():  # noqa: ASYNC110 - a port has no event
                await asyncio.sleep(0.005)
            async with grpc.aio.insecure_channel(f"127.0.0.1:{catalogue.server.port}") as channel:
                await asyncio.wait_for(channel.channel_ready(), 10)
                async with asyncio.timeout(20 if wait else None):
                    while wait and not (serving.done() or catalogue.subscription.read_store.generation):  # noqa: ASYNC110 - as above
                        await asyncio.sleep(0.005)
                yield Running(catalogue, CatalogueServiceStub(channel), OperationsServiceStub(channel), channel, stop)
        finally:
            stop.set()
            await serving


@pytest.fixture
async def run_catalogue(nats: EmbeddedNats, sources: Sources, database: NewDatabase) -> AsyncIterator[RunCatalogue]:
    """Lend what runs a catalogue on a database, for as long as the test lasts."""
    async with AsyncExitStack() as stack:

        async def run(dsn: str, *, wait: bool = True) -> Running:
            return await stack.enter_async_context(running_catalogue(dsn, nats.url, sources, wait=wait))

        yield run


@pytest.fixture
async def catalogue(run_catalogue: RunCatalogue, database: NewDatabase) -> Running:
    """Run one catalogue on a database of its own."""
    return await run_catalogue(await database())
