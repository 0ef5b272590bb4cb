"""A line whose services can be operated: its journal and a read model of it, with the operator's RPCs on a socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import grpc.aio
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from sqlalchemy import MetaData
from training.ops.v1.journal_service_pb2_grpc import add_JournalServiceServicer_to_server
from training.ops.v1.operations_service_pb2_grpc import (
    OperationsServiceStub,
    add_OperationsServiceServicer_to_server,
)

from bus.command_service import OPERATIONS
from bus.event import Event
from bus.following.checkpoint import checkpoint_table
from bus.following.parked_table import parked_table
from bus.following.projection import Undecodable
from bus.journal.journal_service import JournalService
from bus.operations.copy_operations import CopyOperations
from bus.operations.operations_service import OperationsService
from bus.operations.status_metrics import StatusMetrics
from bus.publication import Publication
from bus.read_store.generations import CatalogueBuilding, gone
from bus.read_store.read_model import ReadModel, definition_of
from bus.subscription import Subscription
from bus.topology import StreamLimits
from chassis.embedded.ports import free_port
from chassis.policy import Policy
from chassis.principal import DevelopmentPrincipals
from chassis.refusal import Refusal
from chassis.server import Server, ServerOptions
from chassis.service import translate
from chassis.settings import Address
from tests.contract.counter import COUNTERS, PublishedCounters
from tests.contract.line import COPY, CopyProjection, CopyRow, Line, running

if TYPE_CHECKING:
    from training.ops.v1.operations_service_pb2_grpc import OperationsServiceAsyncStub

MODEL = "copies_1"
_TABLES = MetaData()
checkpoint_table(_TABLES)
parked_table(_TABLES)
COPY.to_metadata(_TABLES)


class FickleProjection(CopyProjection):
    """Keeps the value of each counter, but chokes on those that are `refused`."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[UUID] = set()

    def row(self, event: Event) -> CopyRow | None:
        """Read the value."""
        if event.aggregate_id in self.refused:
            raise Undecodable("it does not like it")
        return super().row(event)


@dataclass
class Operated:
    """The parts, and a client of the operator's RPCs."""

    line: Line
    stub: "OperationsServiceAsyncStub"
    server: Server
    publication: Publication
    subscription: Subscription
    projection: FickleProjection
    metrics: StatusMetrics
    relaying: asyncio.Task[None]

    async def silence(self) -> None:
        """Stop the relay for good."""
        self.relaying.cancel()
        await asyncio.wait([self.relaying])

    async def value(self, counter_id: UUID) -> int | None:
        """Return what readers see of a counter."""
        row = await self.subscription.connections.fetchrow("SELECT value FROM copy WHERE counter_id = $1", counter_id)
        return None if row is None else row["value"]

    async def caught_up(self) -> bool:
        """Tell whether readers see the truth."""
        try:
            rows = await self.subscription.connections.fetch("SELECT counter_id, value FROM copy")
        except Exception as error:
            if gone(error, self.subscription.read_store.model):
                return False
            raise
        shown = {row["counter_id"]: row["value"] for row in rows}
        return bool(self.subscription.follower.checkpoints) and shown == await self.line.values()


@asynccontextmanager
async def operated(line: Line, copies_dsn: str) -> AsyncIterator[Operated]:
    """Run everything on a line and a database for the read model, until its first generation answers."""
    port = free_port()
    projection = FickleProjection()
    publication = Publication(
        line.dsn,
        line.commands,
        line.broker,
        line.source,
        epochs=line.epochs,
        instance="test",
        limits=StreamLimits(max_bytes=64 * 1024**2),
    )
    line.woken.append(publication.committed)
    model = ReadModel(MODEL, definition_of(_TABLES), (COPY.name, "checkpoint", "parked"), {"thing": projection})
    subscription = Subscription(
        copies_dsn,
        line.broker,
        model,
        {"thing": f"127.0.0.1:{port}"},
        bus_prefix=line.source.prefix,
        owner=line.source.prefix,
        service="test",
        instance="test",
    )
    server = Server(
        ServerOptions(Address("127.0.0.1", port), access_log=False, drain_grace=2.0),
        policy=Policy(OPERATIONS),
        principals=DevelopmentPrincipals(),
        readiness=line.commands.answer,
        translate=partial(_translate, model),
    )
    copy = CopyOperations("test", subscription, {"thing": StringValue})
    service = OperationsService("test", "test", journal=publication, copy=copy)
    journal = JournalService(line.commands, line.source.name, COUNTERS, PublishedCounters())
    server.add(add_JournalServiceServicer_to_server, journal)
    server.add(add_OperationsServiceServicer_to_server, service)
    await server.start()
    try:
        async with subscription, grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            made = Operated(
                line,
                OperationsServiceStub(channel),
                server,
                publication,
                subscription,
                projection,
                StatusMetrics(service.status),
                asyncio.create_task(publication.run()),
            )
            try:
                async with running(subscription.run()):
                    await awaited(made.caught_up)
                    yield made
            finally:
                await made.silence()
    finally:
        await server.stop()


async def awaited(condition: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
    """Wait until a condition of the outside world holds."""
    async with asyncio.timeout(within):
        while not await condition():  # noqa: ASYNC110 - the world has no events to wait for
            await asyncio.sleep(0.02)


def reason(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """Return the code and the reason of an error."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type] # an AioRpcError has what it reads
    assert status is not None
    for detail in status.details:
        info = ErrorInfo()
        if detail.Unpack(info):
            return error.code(), info.reason
    raise AssertionError("an error without ErrorInfo")


def _translate(model: ReadModel, error: Exception) -> Refusal | None:
    return CatalogueBuilding.of(model.name) if gone(error, model) else translate(error)
