"""What befalls a platform: done to real servers, by the means of whoever would do it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import asyncpg
import grpc.aio
import nats
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from training.offer.v1 import offer_pb2 as offers
from training.offer.v1 import offer_service_pb2 as offer
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.ops.v1.operations_service_pb2 import GetStatusRequest, GetStatusResponse, ListParkedEventsRequest
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub
from training.program.v1 import program_pb2 as programs
from training.program.v1 import program_service_pb2 as program
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub

from bus.event import Event, headers
from bus.lanes import lane_of
from bus.source import Source
from chassis.stack import Stack

_CALL_SECONDS = 10
_AGAIN_SECONDS = 0.1


def id_of(number: str) -> str:
    """Return the id of one of the guide's programs and offers, by its last four digits."""
    return f"019a0000-0000-7000-8000-00000000{number}"


PROGRAM, OFFER = id_of("b001"), id_of("b002")
"""The program and the offer of the lines that `make run` prints."""


async def import_program(stack: Stack, number: str) -> str:
    """Import a program; return the token that stands for it."""
    request = program.ImportProgramsRequest(
        row_id="1",
        program_id=id_of(number),
        content=programs.ProgramContent(title="Baking with sourdough", categories=["Baking"], language_code="en"),
        waiver=programs.Waiver(rules=["*"], reason="a first try"),
    )
    async with grpc.aio.insecure_channel(stack.address("program")) as channel:
        call = ProgramServiceStub(channel).ImportPrograms(iter([request]), timeout=_CALL_SECONDS)
        (response,) = [each async for each in call]
        assert response.outcome != program.ImportProgramsResponse.OUTCOME_REFUSED, response
        return response.consistency_token


async def import_offer(stack: Stack) -> None:
    """Import the offer, as soon as its program is known."""
    request = offer.ImportOffersRequest(
        row_id="1",
        offer_id=OFFER,
        definition=offer.OfferDefinition(
            program_id=PROGRAM, capacity=offers.Capacity(maximum=12), language_codes=["en"]
        ),
        plan=offers.SchedulePlan(access_window=Interval(start_time=Timestamp(seconds=1_767_225_600))),
        price_list=offers.PriceList(
            tiers=[offers.PriceTier(name="Standard", price=Money(currency_code="EUR", units=90))]
        ),
    )
    async with grpc.aio.insecure_channel(stack.address("offer")) as channel:
        call = OfferServiceStub(channel).ImportOffers(iter([request]), timeout=_CALL_SECONDS)
        async for response in call:
            assert response.outcome != offer.ImportOffersResponse.OUTCOME_REFUSED, response


async def change_offer(stack: Stack, seats: int) -> None:
    """Change the offer's capacity."""
    request = offer.SetCapacityRequest(offer_id=OFFER, maximum=seats)
    async with grpc.aio.insecure_channel(stack.address("offer")) as channel:
        await OfferServiceStub(channel).SetCapacity(request, timeout=_CALL_SECONDS)


async def create_until_refused(stack: Stack, then: Callable[[], Awaitable[object]]) -> None:
    """Create programs until one is refused for want of the database; let something happen, and send that one again."""
    content = programs.ProgramContent(title="One more", description="word " * 2000, categories=["Baking"])
    async with grpc.aio.insecure_channel(stack.address("program")) as channel:
        stub = ProgramServiceStub(channel)
        async with asyncio.timeout(60):
            while True:
                request = program.CreateProgramRequest(
                    program_id=str(uuid4()), request_id=str(uuid4()), content=content
                )
                try:
                    await stub.CreateProgram(request, timeout=_CALL_SECONDS)
                except grpc.aio.AioRpcError as error:
                    assert error.code() is grpc.StatusCode.UNAVAILABLE, error  # noqa: PT017 - what else is no refusal
                    break
        await then()
        answer = await stub.CreateProgram(request, timeout=_CALL_SECONDS)
        assert (answer.program.program_id, answer.program.revision) == (request.program_id, 1)
        again = await stub.CreateProgram(request, timeout=_CALL_SECONDS)
        assert again.SerializeToString(deterministic=True) == answer.SerializeToString(deterministic=True)


async def status_of(stack: Stack, service: str) -> GetStatusResponse:
    """Ask a service for its status."""
    async with grpc.aio.insecure_channel(stack.address(service)) as channel:
        return await OperationsServiceStub(channel).GetStatus(GetStatusRequest(), timeout=_CALL_SECONDS)


async def until_parked(stack: Stack, number: str) -> None:
    """Wait until the catalogue has parked an event of a program or an offer."""
    async with asyncio.timeout(45), grpc.aio.insecure_channel(stack.address("catalogue")) as channel:
        stub = OperationsServiceStub(channel)
        while True:
            page = await stub.ListParkedEvents(ListParkedEventsRequest(), timeout=_CALL_SECONDS)
            if id_of(number) in {event.aggregate_id for event in page.events}:
                return
            await asyncio.sleep(_AGAIN_SECONDS)


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(45):
        while not await true():  # noqa: ASYNC110 - another process, no event to await
            await asyncio.sleep(_AGAIN_SECONDS)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Lend a connection to a database."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


async def with_store(stack: Stack, change: Callable[[], object]) -> None:
    """Do something to the broker's files while it does not run."""
    await stack.stop("nats")
    await asyncio.to_thread(change)
    await stack.start("nats")


async def wipe_broker(stack: Stack) -> None:
    """Start the broker with an empty store."""
    await with_store(stack, lambda: shutil.rmtree(stack.nats.folder / "data"))


async def roll_broker_back(stack: Stack, meanwhile: Callable[[], Awaitable[object]]) -> None:
    """Copy the broker's store, let something happen, and put the copy back."""
    store, copy = stack.nats.folder / "data", stack.nats.folder / "copy"
    await with_store(stack, lambda: shutil.copytree(store, copy))
    await stack.wait_ready(health="training.freshness", within=45)
    await meanwhile()
    await stack.wait_ready(health="training.freshness", within=45)

    def put_back() -> None:
        shutil.rmtree(store)
        copy.rename(store)

    await with_store(stack, put_back)


async def forge(stack: Stack) -> None:
    """Publish an event as if the program service had: the next of its lane, following no event that there is."""
    aggregate, source = uuid4(), Source("program")
    lane = lane_of(aggregate)
    async with connected(stack.dsn("program")) as database:
        row = await database.fetchrow("SELECT epoch, seq FROM lane WHERE lane = $1", lane)
        assert row is not None
        now = await database.fetchval("SELECT now()")
    event = Event(
        row["epoch"], lane, row["seq"] + 1, uuid4(), uuid4(), aggregate, 1, "training.program.v1.Forged", now, "", b""
    )
    client = await nats.connect(stack.nats_url)
    try:
        await client.jetstream().publish(source.subject_of(event), event.body, headers=headers(event, source))
    finally:
        await client.close()


async def damaged(stack: Stack, service: str, number: str, happens: Awaitable[object]) -> None:
    """Let an event be committed while the broker is away, and damage its body before it is published."""
    await stack.kill("nats")
    await happens
    async with connected(stack.postgres.dsn(service)) as database:
        done = await database.execute(
            "UPDATE journal SET public = '\\xffff' WHERE aggregate_id = $1 AND revision ="
            " (SELECT max(revision) FROM journal WHERE aggregate_id = $1)",
            UUID(id_of(number)),
        )
        assert done == "UPDATE 1"
    await stack.start("nats")
    await until_parked(stack, number)


async def generation_of(stack: Stack) -> str:
    """Return the schema of the catalogue's current generation."""
    model = (await status_of(stack, "catalogue")).read_model
    return f"{model.name}_g{model.generation}"
