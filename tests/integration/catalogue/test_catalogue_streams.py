"""Streams send whole lists in messages that fit, and go on where they were broken off."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from uuid import uuid4
from zlib import crc32

import grpc
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.offer.v1.events_pb2 import PublishedOffer
from training.type.v1.vocabulary_pb2 import VIEW_FULL

from bus.tokens import decode
from catalogue_svc.query.streaming import FIRST_CHUNK, MESSAGE_BYTES
from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at, reason
from tests.integration.catalogue.conftest import RunCatalogue, Running, Sources
from tests.integration.catalogue.samples import START, offer, offered, program, released


async def publish_offers(sources: Sources, count: int, sessions: int = 1) -> tuple[list[PublishedOffer], list[str]]:
    """Publish offers of one program; return them in order, and the tokens."""
    of_program = program()
    template = offer(of_program.program_id, sessions=sessions)
    offers = []
    for number in range(count):
        each = PublishedOffer()
        each.CopyFrom(template)
        each.offer_id = str(uuid4())
        each.start_time.FromDatetime(START + timedelta(minutes=number % 50))
        offers.append(each)
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish(map(offered, offers)),
    ]
    return sorted(offers, key=lambda each: (each.start_time.seconds, each.offer_id)), tokens


async def messages(running: Running, request: pb.StreamOffersRequest) -> list[pb.StreamOffersResponse]:
    return [message async for message in running.stub.StreamOffers(request)]


async def test_a_stream_sends_a_little_at_once_and_then_messages_of_a_good_size(
    catalogue: Running, sources: Sources
) -> None:
    offers, tokens = await publish_offers(sources, 1200, sessions=8)
    received = await messages(catalogue, pb.StreamOffersRequest(view=VIEW_FULL, consistency=at(*tokens)))
    assert [entry.offer for message in received for entry in message.offers] == offers
    assert len(received[0].offers) == FIRST_CHUNK
    assert len(received) < 12
    assert max(message.ByteSize() for message in received) < MESSAGE_BYTES * 1.5
    for message in received:
        vector = decode(message.consistency_token)
        assert all(vector[source].covers(position) for token in tokens for source, position in decode(token).items())
        assert len(message.freshness) == 2


async def test_a_stream_resumes_after_any_message_on_another_replica(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    first, second = await run_catalogue(dsn), await run_catalogue(dsn)
    offers, tokens = await publish_offers(sources, 90)
    whole = pb.StreamOffersRequest(max_batch_size=11, limit=70, consistency=at(*tokens))
    received = await messages(first, whole)
    wanted = [each.offer_id for each in offers[:70]]
    assert [entry.offer.offer_id for message in received for entry in message.offers] == wanted
    assert max(len(message.offers) for message in received) == 11
    for number, message in enumerate(received):
        rest = pb.StreamOffersRequest(
            max_batch_size=11,
            limit=70,
            resume_token=message.resume_token,
            consistency=at(message.consistency_token),
        )
        resumed = await messages(second, rest)
        before = sum(len(each.offers) for each in received[: number + 1])
        assert [entry.offer.offer_id for each in resumed for entry in each.offers] == wanted[before:]


async def test_a_resume_token_of_another_stream_is_refused(catalogue: Running, sources: Sources) -> None:
    _, tokens = await publish_offers(sources, 3)
    received = await messages(catalogue, pb.StreamOffersRequest(limit=1, consistency=at(*tokens)))
    for request in (
        pb.StreamOffersRequest(limit=2, resume_token=received[0].resume_token),
        pb.StreamOffersRequest(resume_token="nonsense"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await messages(catalogue, request)
        assert reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_MALFORMED")


async def test_a_forged_resume_token_is_refused_or_the_end_of_the_list(catalogue: Running, sources: Sources) -> None:
    _, tokens = await publish_offers(sources, 3)
    request = pb.StreamOffersRequest(max_batch_size=1, consistency=at(*tokens))
    received = await messages(catalogue, request)
    genuine = urlsafe_b64decode(received[0].resume_token + "=" * (-len(received[0].resume_token) % 4))

    async def resumed(given: int) -> list[pb.StreamOffersResponse]:
        payload = genuine[:-12] + given.to_bytes(8)
        token = urlsafe_b64encode(payload + crc32(payload).to_bytes(4)).rstrip(b"=").decode()
        return await messages(catalogue, pb.StreamOffersRequest(max_batch_size=1, resume_token=token))

    assert [len(message.offers) for message in await resumed(2**63 - 1)] == [1, 1]
    for given in (2**63, 2**64 - 1):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await resumed(given)
        assert reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "RESUME_TOKEN_MALFORMED")


async def test_an_empty_stream_still_tells_its_state(catalogue: Running) -> None:
    received = await messages(catalogue, pb.StreamOffersRequest())
    assert [(len(message.offers), bool(message.consistency_token)) for message in received] == [(0, True)]


async def test_programs_are_streamed_in_order_of_their_ids(catalogue: Running, sources: Sources) -> None:
    programs = [program(words=100) for _ in range(70)]
    token = await sources.program.publish(map(released, programs))
    call = catalogue.stub.StreamPrograms(
        pb.StreamProgramsRequest(view=VIEW_FULL, language_codes=["de"], consistency=at(token))
    )
    found = [entry async for message in call for entry in message.programs]
    assert [entry.program_id for entry in found] == sorted(each.program_id for each in programs)
    assert {entry.language_code for entry in found} == {"en"}  # `de` does not stand for `de-AT`
    assert all(entry.description for entry in found)


async def test_a_stream_ends_when_its_client_is_gone(catalogue: Running, sources: Sources) -> None:
    _, tokens = await publish_offers(sources, 500, sessions=300)
    call = catalogue.stub.StreamOffers(pb.StreamOffersRequest(view=VIEW_FULL, consistency=at(*tokens)))
    assert isinstance(await call.read(), pb.StreamOffersResponse)
    call.cancel()
    async with asyncio.timeout(10):
        while catalogue.catalogue.server._calls.running:  # noqa: ASYNC110 - a count has no event
            await asyncio.sleep(0.01)


async def test_a_stream_that_nobody_reads_ends_with_the_process(catalogue: Running, sources: Sources) -> None:
    _, tokens = await publish_offers(sources, 700, sessions=400)
    call = catalogue.stub.StreamOffers(pb.StreamOffersRequest(view=VIEW_FULL, consistency=at(*tokens)))
    assert isinstance(await call.read(), pb.StreamOffersResponse)
    catalogue.stop.set()
    async with asyncio.timeout(20):
        assert await call.code() == grpc.StatusCode.UNAVAILABLE
