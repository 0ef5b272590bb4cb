"""A small server and its clients, over real sockets, for the tests of the chassis."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from training.ops.v1 import journal_service_pb2 as journal
from training.ops.v1 import journal_service_pb2_grpc as journal_grpc
from training.ops.v1 import operations_service_pb2 as operations
from training.ops.v1 import operations_service_pb2_grpc as operations_grpc
from training.program.v1 import program_service_pb2 as programs

from chassis.health import HealthCheck
from chassis.interceptor import Limits, Translate
from chassis.metrics import CallStatistics
from chassis.policy import Policy
from chassis.principal import DevelopmentPrincipals, Role
from chassis.server import Server, ServerOptions, untranslated
from chassis.settings import Address

GET_STATUS = "/training.ops.v1.OperationsService/GetStatus"
GET_LANE_HEADS = "/training.ops.v1.JournalService/GetLaneHeads"
READ_JOURNAL = "/training.ops.v1.JournalService/ReadJournal"
IMPORT_PROGRAMS = "/training.program.v1.ProgramService/ImportPrograms"
POLICY = {
    GET_STATUS: {Role.OPERATOR, Role.SERVICE},
    GET_LANE_HEADS: {Role.OPERATOR},
    READ_JOURNAL: {Role.SERVICE},
    IMPORT_PROGRAMS: {Role.AUTHOR},
}

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
Imports = AsyncIterator[programs.ImportProgramsRequest]
Handle = Callable[[Any, Any], Awaitable[Any]]


async def answer_status(request: operations.GetStatusRequest, context: object) -> operations.GetStatusResponse:
    """Tell that this is the service."""
    return operations.GetStatusResponse(service="orchard")


async def answer_heads(request: journal.GetLaneHeadsRequest, context: object) -> bytes:
    """Tell nothing, already serialized."""
    return journal.GetLaneHeadsResponse().SerializeToString()


async def answer_journal(request: journal.ReadJournalRequest, context: Context) -> None:
    """Send three responses, one of them as bytes."""
    await context.write(journal.ReadJournalResponse())
    await context.write(journal.ReadJournalResponse().SerializeToString())
    await context.write(journal.ReadJournalResponse())


async def answer_import(requests: Imports, context: Context) -> None:
    """Answer every request with its row."""
    async for request in requests:
        await context.write(programs.ImportProgramsResponse(row_id=request.row_id))


@dataclass
class Behaviour:
    """What the handlers of the server do; a test replaces the one it is about."""

    status: Handle = answer_status
    heads: Handle = answer_heads
    journal: Handle = answer_journal
    imports: Handle = answer_import


def add_tried(behaviour: Behaviour, server: grpc.aio.Server) -> None:
    """Serve the methods that are tried here, of services that have more."""

    async def status(request: operations.GetStatusRequest, context: Context) -> operations.GetStatusResponse:
        told: operations.GetStatusResponse = await behaviour.status(request, context)
        return told

    async def heads(request: journal.GetLaneHeadsRequest, context: Context) -> journal.GetLaneHeadsResponse:
        told: journal.GetLaneHeadsResponse = await behaviour.heads(request, context)
        return told

    async def read(request: journal.ReadJournalRequest, context: Context) -> None:
        await behaviour.journal(request, context)

    get_status = grpc.unary_unary_rpc_method_handler(
        status, operations.GetStatusRequest.FromString, operations.GetStatusResponse.SerializeToString
    )
    get_heads = grpc.unary_unary_rpc_method_handler(
        heads, journal.GetLaneHeadsRequest.FromString, journal.GetLaneHeadsResponse.SerializeToString
    )
    read_journal = grpc.unary_stream_rpc_method_handler(
        read, journal.ReadJournalRequest.FromString, journal.ReadJournalResponse.SerializeToString
    )
    server.add_registered_method_handlers("training.ops.v1.OperationsService", {"GetStatus": get_status})
    server.add_registered_method_handlers(
        "training.ops.v1.JournalService", {"GetLaneHeads": get_heads, "ReadJournal": read_journal}
    )


def add_imports(behaviour: Behaviour, server: grpc.aio.Server) -> None:
    """Serve the one bidirectional method that is tried here."""

    async def imports(requests: Imports, context: Context) -> None:
        await behaviour.imports(requests, context)

    handler = grpc.stream_stream_rpc_method_handler(
        imports, programs.ImportProgramsRequest.FromString, programs.ImportProgramsResponse.SerializeToString
    )
    server.add_registered_method_handlers("training.program.v1.ProgramService", {"ImportPrograms": handler})


async def ready() -> bool:
    """Be ready."""
    return True


@dataclass
class Running:
    """A server under test, and a client of it."""

    server: Server
    channel: grpc.aio.Channel
    behaviour: Behaviour
    statistics: CallStatistics
    operations: Any = field(init=False)
    journal: Any = field(init=False)
    imports: Any = field(init=False)

    def __post_init__(self) -> None:
        """Make the client's stubs."""
        self.operations = operations_grpc.OperationsServiceStub(self.channel)
        self.journal = journal_grpc.JournalServiceStub(self.channel)
        self.imports = self.channel.stream_stream(
            IMPORT_PROGRAMS,
            programs.ImportProgramsRequest.SerializeToString,
            programs.ImportProgramsResponse.FromString,
        )

    def calls(self, method: str) -> dict[str, int]:
        """Return how many calls of a method ended with which code."""
        return self.statistics.of(method, streaming=False).codes


def build(
    behaviour: Behaviour,
    *,
    policy: Policy | None = None,
    port: int = 0,
    limits: Limits | None = None,
    readiness: HealthCheck = ready,
    freshness: HealthCheck | None = None,
    translate: Translate = untranslated,
    drain_grace: float = 5.0,
    statistics: CallStatistics | None = None,
) -> Server:
    """Put a server together."""
    server = Server(
        ServerOptions(Address("127.0.0.1", port), limits=limits or Limits(), drain_grace=drain_grace),
        policy=policy or Policy(POLICY),
        principals=DevelopmentPrincipals(),
        readiness=readiness,
        freshness=freshness,
        statistics=statistics,
        translate=translate,
    )
    server.add(add_tried, behaviour)
    server.add(add_imports, behaviour)
    return server


@asynccontextmanager
async def running(behaviour: Behaviour | None = None, **settings: Any) -> AsyncGenerator[Running]:  # noqa: ANN401 - those of `build`
    """Run a server and a client."""
    behaviour = behaviour or Behaviour()
    statistics = CallStatistics()
    server = build(behaviour, statistics=statistics, **settings)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield Running(server, channel, behaviour, statistics)
    finally:
        await server.stop()


async def failure(call: Awaitable[Any]) -> grpc.aio.AioRpcError:
    """Return the error with which a call ends."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error
    raise AssertionError("the call succeeded")


def status_of(error: grpc.aio.AioRpcError) -> Status:
    """Return the status in an error's trailers."""
    for key, value in error.trailing_metadata():
        if key == "grpc-status-details-bin":
            return Status.FromString(value if isinstance(value, bytes) else value.encode())
    raise AssertionError(f"no details in {error!r}")


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """Return the reason in an error's trailers."""
    info = ErrorInfo()
    assert status_of(error).details[0].Unpack(info)
    return info.reason


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            with suppress(TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.005)
