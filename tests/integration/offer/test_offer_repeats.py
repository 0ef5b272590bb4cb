"""A request that is repeated has the first one's outcome, whoever was in between and however many come at once."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
from training.offer.v1 import offer_service_pb2 as service
from training.ops.v1.operations_service_pb2 import GetStatusRequest

from bus.tokens import Position, encode
from chassis.embedded import EmbeddedNats
from tests.integration.offer.ledger import journal_of, judge
from tests.integration.offer.line import Line, create, running
from tests.integration.offer.selling import confirm, outcome, read, release, reserve, someone
from tests.integration.refusals import refused

NewDatabase = Callable[[], Awaitable[str]]


def wanted(offer_id: str) -> service.ReserveSeatsRequest:
    """Write ReserveSeats with an id."""
    return service.ReserveSeatsRequest(
        offer_id=offer_id, participant_id=someone(), currency_code="EUR", request_id=str(uuid4())
    )


async def test_a_repeat_has_the_same_response_and_token_though_much_has_happened_since(line: Line) -> None:
    offer = await line.published()
    request = wanted(offer.offer_id)
    first = await line.offers.ReserveSeats(request)
    await release(line, await confirm(line, first.reservation))
    again = await line.offers.ReserveSeats(request)
    assert again == first
    assert await read(line, first.reservation) != first.reservation


async def test_repeats_that_come_at_once_are_one_reservation_in_the_midst_of_others(line: Line) -> None:
    offer = await line.published(seats=100)
    requests = [wanted(offer.offer_id) for _ in range(10)]
    calls = [line.offers.ReserveSeats(each) for each in requests for _ in range(8)]
    others = [reserve(line, offer.offer_id) for _ in range(40)]
    answers = (await asyncio.gather(*calls, *others))[: len(calls)]
    assert len({answer.SerializeToString() for answer in answers}) == len(requests)
    assert (await line.get(offer.offer_id)).seats.held == len(requests) + len(others)
    assert len(await journal_of(line.dsn, offer.offer_id)) == 1 + len(requests) + len(others)
    await judge(line.dsn, offer.offer_id)


async def test_a_refusal_is_not_kept_so_that_a_repeat_can_succeed(line: Line) -> None:
    offer = await line.published(seats=1)
    taken, request = await reserve(line, offer.offer_id), wanted(offer.offer_id)
    assert (await refused(line.offers.ReserveSeats(request))).reason == "NO_SEATS"
    await release(line, taken)
    await line.offers.ReserveSeats(request)


async def test_one_request_id_for_two_bodies_is_refused_even_at_once(line: Line) -> None:
    offer = await line.published(seats=50)
    request = wanted(offer.offer_id)
    other = wanted(offer.offer_id)
    other.request_id = request.request_id
    calls = (outcome(line.offers.ReserveSeats(each)) for each in (request, other))
    assert sorted(await asyncio.gather(*calls)) == ["REQUEST_ID_REUSED", "done"]


async def test_a_repeat_with_tokens_has_the_first_outcome_and_another_request_waits_for_its_own(line: Line) -> None:
    offer = await line.published()
    request = wanted(offer.offer_id)
    status = await line.operations.GetStatus(GetStatusRequest())
    epoch = UUID(status.subscriptions[0].epoch)
    applied = {lane.lane: lane.applied for lane in status.subscriptions[0].lanes}
    lane, seq = max(applied.items(), key=lambda each: each[1])
    request.min_tokens.append(encode({"program": Position(epoch, {lane: seq})}))
    first = await line.offers.ReserveSeats(request)
    assert await line.offers.ReserveSeats(request) == first
    ahead = wanted(offer.offer_id)
    ahead.min_tokens.append(encode({"program": Position(epoch, {lane: 10**9})}))
    ahead.max_wait.FromTimedelta(timedelta(milliseconds=50))
    assert (await refused(line.offers.ReserveSeats(ahead))).reason == "PROJECTION_BEHIND"


async def test_validating_a_reservation_changes_nothing(line: Line) -> None:
    offer = await line.published()
    request = wanted(offer.offer_id)
    request.validate_only = True
    tried = await line.offers.ReserveSeats(request)
    assert (tried.consistency_token, tried.reservation.seats) == ("", 1)
    missing = service.GetReservationRequest(reservation_id=tried.reservation.reservation_id)
    assert (await refused(line.offers.GetReservation(missing))).reason == "RESOURCE_NOT_FOUND"
    assert await line.get(offer.offer_id) == offer


async def test_a_repeat_is_answered_though_the_replica_has_lost_what_the_first_had_to_see(
    database: NewDatabase, nats: EmbeddedNats, bus_prefix: str
) -> None:
    """Start the offer service again beside another source of programs, which knows nothing of the token's epoch."""
    dsns = [await database(), await database()]
    async with running(dsns, nats.url, bus_prefix) as line:
        program_id, token = await line.released()
        request = create(program_id, token)
        request.request_id = str(uuid4())
        first = await line.offers.CreateOffer(request)
    connection = await asyncpg.connect(dsns[1])
    try:
        await connection.execute("DROP SCHEMA program_replica_1 CASCADE")
    finally:
        await connection.close()
    async with running([await database(), dsns[1]], nats.url, f"{bus_prefix}x") as line:
        async with asyncio.timeout(10):
            assert await line.offers.CreateOffer(request) == first
        other = create(program_id, token)
        other.max_wait.FromTimedelta(timedelta(milliseconds=50))
        found = await refused(line.offers.CreateOffer(other))
        assert found.reason in {"PROJECTION_BEHIND", "TOKEN_EPOCH_SUPERSEDED"}
