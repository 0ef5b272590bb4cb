"""Whatever an operator does to the read store's statements and connections, callers are told to come again."""

import asyncio
from urllib.parse import urlsplit

import asyncpg
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.ops.v1.operations_service_pb2 import GetStatusRequest

from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at, reason
from tests.integration.catalogue.conftest import RunCatalogue, Sources
from tests.integration.catalogue.samples import offer, offered, program, released
from tests.integration.operator import UNAVAILABLE, told_under_trouble


async def test_cancelled_statements_and_ended_connections_are_told_as_an_unavailable_database(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    running = await run_catalogue(dsn)
    shown = program()
    offers = [offer(shown.program_id, sessions=20) for _ in range(200)]
    tokens = [await sources.program.publish([released(shown)]), await sources.offer.publish(map(offered, offers))]
    await running.stub.ListOffers(pb.ListOffersRequest(consistency=at(*tokens)))

    async def get() -> None:
        running.catalogue.cache.clear()
        await running.stub.GetOffer(pb.GetOfferRequest(offer_id=offers[0].offer_id))

    async def page() -> None:
        await running.stub.ListOffers(pb.ListOffersRequest(page_size=100))

    async def stream() -> None:
        async for _ in running.stub.StreamOffers(pb.StreamOffersRequest()):
            pass

    asks = {"get": get, "list": page, "stream": stream}
    told = await told_under_trouble(dsn, [urlsplit(dsn).path[1:]], asks)
    assert {outcome[1:] for outcome in told} == {("OK", ""), UNAVAILABLE}, told


async def test_a_read_model_that_is_gone_is_told_as_one_that_is_being_built(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    running = await run_catalogue(dsn)
    await sources.stop_journals()
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("DROP SCHEMA read_model_2 CASCADE")
    finally:
        await connection.close()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await running.stub.ListOffers(pb.ListOffersRequest())
    assert reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "CATALOGUE_BUILDING")
    status = await running.operations.GetStatus(GetStatusRequest())
    assert (status.read_model.name, status.read_model.generation) == ("read_model_2", 0)


async def test_what_the_cache_held_is_not_shown_of_a_read_model_that_is_gone(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    running = await run_catalogue(dsn)
    shown = program()
    token = await sources.program.publish([released(shown)])
    request = pb.GetProgramRequest(program_id=shown.program_id)
    await running.stub.GetProgram(pb.GetProgramRequest(program_id=shown.program_id, consistency=at(token)))
    await running.stub.GetProgram(request)
    await sources.stop_journals()
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await connection.execute("DROP SCHEMA read_model_2 CASCADE")
    finally:
        await connection.close()

    async def ask_on() -> None:
        while True:
            await running.stub.GetProgram(request)

    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await asyncio.wait_for(ask_on(), 20)
    assert reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "CATALOGUE_BUILDING")
