"""What could not be applied is named in every answer that would show it, and asked for by id with a token refused."""

from typing import Any
from uuid import UUID

import grpc
import grpc.aio
import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.ops.v1 import operations_service_pb2 as operations

from tests.integration.catalogue.asking import at, fully, reason
from tests.integration.catalogue.conftest import Running, Sources
from tests.integration.catalogue.samples import offer, offered, program, released

PARKED = (grpc.StatusCode.FAILED_PRECONDITION, "EVENT_PARKED")
_RELEASED = "training.program.v1.ProgramReleased"
_PUBLISHED = "training.offer.v1.OfferPublished"


async def get_program(catalogue: Running, program_id: str, **asked: Any) -> pb.GetProgramResponse:  # noqa: ANN401 - any field of the request
    response: pb.GetProgramResponse = await catalogue.stub.GetProgram(
        pb.GetProgramRequest(program_id=program_id, **asked)
    )
    return response


async def get_offer(catalogue: Running, offer_id: str, **asked: Any) -> pb.GetOfferResponse:  # noqa: ANN401 - any field of the request
    response: pb.GetOfferResponse = await catalogue.stub.GetOffer(pb.GetOfferRequest(offer_id=offer_id, **asked))
    return response


async def listed(catalogue: Running, token: str) -> pb.ListProgramsResponse:
    response: pb.ListProgramsResponse = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    return response


async def poison_program(sources: Sources, program_id: str, revision: int) -> str:
    return await sources.program.publish([(UUID(program_id), revision, _RELEASED, b"\xff\xff")])


async def test_a_parked_program_is_refused_with_a_token_that_contains_it_and_named_without(
    catalogue: Running, sources: Sources
) -> None:
    shown, other = program(), program()
    before = await sources.program.publish([released(shown), released(other)])
    assert not (await get_program(catalogue, shown.program_id, consistency=at(before))).parked_ids
    token = await poison_program(sources, shown.program_id, 100)
    assert list((await listed(catalogue, token)).parked_ids) == [shown.program_id]

    for consistency in (at(token), at(before, token), fully()):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await get_program(catalogue, shown.program_id, consistency=consistency)
        assert reason(refused.value) == PARKED
    for asked in ({"consistency": at(before)}, {}):  # the token of an earlier state of it, and none
        older = await get_program(catalogue, shown.program_id, **asked)
        assert older.program.program_id == shown.program_id
        assert list(older.parked_ids) == [shown.program_id]
    fine = await get_program(catalogue, other.program_id, consistency=at(token))
    assert not fine.parked_ids


async def test_the_refusal_names_the_event_so_that_operators_find_it(catalogue: Running, sources: Sources) -> None:
    [unseen] = [program()]
    token = await poison_program(sources, unseen.program_id, 1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get_program(catalogue, unseen.program_id, consistency=at(token))
    status = rpc_status.from_call(refused.value)  # type: ignore[arg-type] # an AioRpcError has what it reads
    assert status is not None
    info = ErrorInfo()
    assert status.details[0].Unpack(info)
    event_id = info.metadata.pop("event_id")
    assert info.metadata == {"source": "program", "aggregate_id": unseen.program_id}
    request = operations.GetParkedEventRequest(source="program", event_id=event_id)
    told = await catalogue.operations.GetParkedEvent(request)
    assert (told.event.aggregate_id, told.body) == (unseen.program_id, b"\xff\xff")
    assert "@problem" in told.decoded
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await get_program(catalogue, unseen.program_id)
    assert reason(missing.value) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")


async def test_lists_and_streams_succeed_and_name_what_is_parked_of_their_sources(
    catalogue: Running, sources: Sources
) -> None:
    of_program = program()
    published, broken = offer(of_program.program_id), offer(of_program.program_id)
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish([offered(published), (UUID(broken.offer_id), 1, _PUBLISHED, b"\xff")]),
    ]
    offers = await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(*tokens)))
    assert [each.offer.offer_id for each in offers.offers] == [published.offer_id]
    assert list(offers.parked_ids) == [broken.offer_id]
    assert not (await listed(catalogue, tokens[0])).parked_ids
    async for part in catalogue.stub.StreamOffers(pb.StreamOffersRequest(consistency=at(*tokens))):
        assert list(part.parked_ids) == [broken.offer_id]
    async for programs in catalogue.stub.StreamPrograms(pb.StreamProgramsRequest()):
        assert not programs.parked_ids


async def test_an_offer_names_its_program_when_that_is_parked(catalogue: Running, sources: Sources) -> None:
    of_program = program()
    published = offer(of_program.program_id)
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish([offered(published)]),
    ]
    assert not (await get_offer(catalogue, published.offer_id, consistency=at(*tokens))).parked_ids
    token = await poison_program(sources, of_program.program_id, 100)
    await listed(catalogue, token)
    for _ in range(2):  # also from the cache
        found = await get_offer(catalogue, published.offer_id, consistency=at(tokens[1]))
        assert list(found.parked_ids) == [of_program.program_id]
        catalogue.catalogue.cache.clear()


async def test_the_next_event_of_the_aggregate_heals_it(catalogue: Running, sources: Sources) -> None:
    shown = program()
    token = await sources.program.publish([released(shown)])
    await get_program(catalogue, shown.program_id, consistency=at(token))
    await listed(catalogue, await poison_program(sources, shown.program_id, shown.revision + 1))
    shown.revision += 2
    token = await sources.program.publish([released(shown)])
    healed = await get_program(catalogue, shown.program_id, consistency=at(token))
    assert healed.program.revision == shown.revision
    assert not healed.parked_ids
    told = await catalogue.operations.ListParkedEvents(operations.ListParkedEventsRequest(include_closed=True))
    assert [each.state for each in told.events] == [operations.ParkedEvent.STATE_SUPERSEDED]


async def test_an_offer_that_lacks_its_parked_program_is_refused_with_a_token_that_contains_it(
    catalogue: Running, sources: Sources
) -> None:
    published = offer(program().program_id)
    tokens = [
        await poison_program(sources, published.program_id, 1),
        await sources.offer.publish([offered(published)]),
    ]
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await get_offer(catalogue, published.offer_id, consistency=at(*tokens))
    assert reason(refused.value) == PARKED
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await get_offer(catalogue, published.offer_id, consistency=at(tokens[1]))
    assert reason(missing.value) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
