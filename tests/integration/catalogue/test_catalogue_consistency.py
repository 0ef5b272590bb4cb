"""Reads are as fresh as their callers ask, and say how fresh they are."""

import asyncio
from uuid import uuid4

import grpc
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.ops.v1.operations_service_pb2 import GetStatusRequest
from uuid_utils.compat import uuid7

from bus.tokens import Position, decode, encode
from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at, fully, reason
from tests.integration.catalogue.conftest import RunCatalogue, Running, Sources
from tests.integration.catalogue.samples import offer, offered, program, released


async def test_a_token_taken_before_the_event_is_published_waits_for_it(catalogue: Running, sources: Sources) -> None:
    published = program()
    sources.program.event(*released(published))
    request = pb.GetProgramRequest(program_id=published.program_id, consistency=at(sources.program.token()))
    call = asyncio.ensure_future(catalogue.stub.GetProgram(request))
    await sources.program.flush()
    assert (await call).program.program_id == published.program_id


async def test_a_state_that_does_not_come_in_time_is_said_to_be_behind(catalogue: Running, sources: Sources) -> None:
    await sources.program.publish([released(program())])
    sources.program.event(*released(program()))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(sources.program.token(), wait=0.05)))
    assert reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "PROJECTION_BEHIND")


async def test_a_token_of_a_superseded_epoch_is_out_of_range(catalogue: Running, sources: Sources) -> None:
    older = encode({"program": Position(uuid7(), {1: 3})})
    sources.program.epoch = uuid7()
    token = await sources.program.publish([released(program())])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(older)))
    assert reason(refused.value) == (grpc.StatusCode.OUT_OF_RANGE, "TOKEN_EPOCH_SUPERSEDED")


async def test_a_fully_consistent_read_contains_all_that_the_sources_have_committed(
    catalogue: Running, sources: Sources
) -> None:
    of_program = program()
    published = offer(of_program.program_id)
    sources.program.event(*released(of_program))
    sources.offer.event(*offered(published))
    request = pb.GetOfferRequest(offer_id=published.offer_id, consistency=fully())
    call = asyncio.ensure_future(catalogue.stub.GetOffer(request))
    await sources.program.flush()
    await sources.offer.flush()
    assert (await call).offer.offer == published
    for journal in sources.journals:
        assert journal.asked[0]["training-principal"] == "catalogue;roles=service"


async def test_every_answer_tells_the_state_that_it_shows(catalogue: Running, sources: Sources) -> None:
    of_program = program()
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish([offered(offer(of_program.program_id))]),
    ]
    listed = await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(*tokens)))
    vector = decode(listed.consistency_token)
    for token in tokens:
        for source, position in decode(token).items():
            assert vector[source].covers(position)
    assert [each.source for each in listed.freshness] == ["offer", "program"]
    found = await catalogue.stub.GetProgram(pb.GetProgramRequest(program_id=of_program.program_id))
    assert decode(found.consistency_token) == vector


async def test_an_empty_catalogue_gives_a_token_that_it_takes_back(catalogue: Running) -> None:
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest())
    again = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(listed.consistency_token)))
    assert again.consistency_token == listed.consistency_token


async def test_as_of_follows_the_beacons_while_nobody_writes(catalogue: Running, sources: Sources) -> None:
    token = await sources.program.publish([released(program())])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))

    async def as_of() -> int:
        listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest())
        return next(each.as_of.ToNanoseconds() for each in listed.freshness if each.source == "program")

    earlier = await as_of()
    for _ in range(2):
        async with asyncio.timeout(10):
            while (later := await as_of()) <= earlier:
                await sources.program.announce()
        earlier = later
    status = await catalogue.operations.GetStatus(GetStatusRequest())
    assert [each.source for each in status.subscriptions] == ["program", "offer"]
    assert sum(lane.applied for lane in status.subscriptions[0].lanes) == 1


@pytest.mark.parametrize("token", ["", "x", "AQ", "ÿ", "A" * 4096])
async def test_a_token_that_is_none_is_refused(catalogue: Running, token: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await catalogue.stub.GetProgram(pb.GetProgramRequest(program_id=str(uuid4()), consistency=at(token)))
    assert reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "TOKEN_MALFORMED")


async def test_a_source_that_can_not_be_asked_is_named(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    running = await run_catalogue(await database())
    await sources.stop_journals()
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await running.stub.ListPrograms(pb.ListProgramsRequest(consistency=fully(5.0)))
    assert reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "SOURCE_UNAVAILABLE")
    assert not (await running.stub.ListPrograms(pb.ListProgramsRequest())).programs
