"""A participant who is erased is named nowhere any more, and the counts stay."""

import asyncio
from uuid import uuid4

import asyncpg
import grpc
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.ledger import journal_of, judge
from tests.integration.offer.line import Line
from tests.integration.offer.selling import (
    CONFIRMED,
    confirm,
    outcome,
    read,
    release,
    reserve,
    someone,
    wait_for,
)
from tests.integration.refusals import refused

REPLICA = ("program_replica_1.checkpoint", "program_replica_1.released_program", "program_replica_1.parked")
TABLES = ("offer", "reservation", "journal", "history", "idempotency", "booking", "lane", *REPLICA)


async def tables_with(dsn: str, name: str) -> list[str]:
    """List the tables in which a name stands, in whatever column, as text or as bytes."""
    connection = await asyncpg.connect(dsn)
    try:
        hexed = name.encode().hex()
        found = []
        for table in TABLES:
            rows = await connection.fetchval(
                f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE $1 OR t::text LIKE $2",  # noqa: S608 - names of ours
                f"%{name}%",
                f"%{hexed}%",
            )
            if rows:
                found.append(table)
        return found
    finally:
        await connection.close()


async def erase(line: Line, participant: str, *, validate_only: bool = False) -> service.EraseParticipantResponse:
    """Erase a participant."""
    request = service.EraseParticipantRequest(
        participant_id=participant, request_id=str(uuid4()), validate_only=validate_only
    )
    response: service.EraseParticipantResponse = await line.offers.EraseParticipant(request)
    return response


async def test_an_erased_name_stands_nowhere_and_the_seats_stay_taken(line: Line) -> None:
    participant = someone()
    offers = [await line.published(seats=2) for _ in range(3)]
    request = service.ReserveSeatsRequest(
        offer_id=offers[0].offer_id, participant_id=participant, currency_code="EUR", request_id=str(uuid4())
    )
    first = await line.offers.ReserveSeats(request)
    await confirm(line, first.reservation)
    await release(line, await reserve(line, offers[1].offer_id, participant))
    await reserve(line, offers[1].offer_id, participant, 2)
    await reserve(line, offers[2].offer_id, seats=2)
    waiting = await wait_for(line, offers[2].offer_id, participant)
    assert await tables_with(line.dsn, participant) == ["reservation", "idempotency"]
    tried = await erase(line, participant, validate_only=True)
    assert (tried.reservations, tried.offers, tried.consistency_token) == (4, 3, "")
    assert len(await tables_with(line.dsn, participant)) == 2
    told = await erase(line, participant)
    assert (told.reservations, told.offers) == (4, 3)
    assert told.consistency_token
    assert await tables_with(line.dsn, participant) == []
    after = await read(line, first.reservation)
    assert (after.state, after.participant_id) == (CONFIRMED, "")
    assert [(await line.get(each.offer_id)).seats.confirmed for each in offers] == [1, 0, 0]
    assert (await line.get(offers[2].offer_id)).seats.waiting == 1
    entry = (await journal_of(line.dsn, offers[1].offer_id))[-1]
    assert (entry.record.command, entry.event) == ("EraseReservations", None)
    assert len(entry.record.changes[0].participant_erased.reservation_ids) == 2
    again = await erase(line, participant)
    assert (again.reservations, again.offers, again.consistency_token) == (0, 0, "")
    listing = service.ListReservationsRequest(participant_id=participant)
    assert not (await line.offers.ListReservations(listing)).reservations
    assert (await refused(line.offers.ReserveSeats(request))).reason == "REQUEST_ID_REUSED"
    assert (await read(line, waiting)).participant_id == ""
    for offer in offers:
        await judge(line.dsn, offer.offer_id)


async def test_a_nameless_hold_can_still_be_confirmed_and_its_seat_promoted(line: Line) -> None:
    offer, participant = await line.published(seats=1), someone()
    held = await reserve(line, offer.offer_id, participant)
    waiting = await wait_for(line, offer.offer_id, gone := someone())
    await erase(line, participant)
    await erase(line, gone)
    confirmed = await confirm(line, held)
    assert (confirmed.state, confirmed.participant_id) == (CONFIRMED, "")
    await release(line, held)
    await confirm(line, waiting)
    assert await tables_with(line.dsn, participant) == []


async def test_erasing_while_the_participant_is_busy_leaves_no_name_that_came_before(line: Line) -> None:
    offer, participant = await line.published(seats=100), someone()
    busy = True

    async def trade() -> None:
        while busy:
            try:
                held = await reserve(line, offer.offer_id, participant)
            except grpc.aio.AioRpcError:
                continue
            await outcome(confirm(line, held))
            await outcome(release(line, held))

    trading = [asyncio.create_task(trade()) for _ in range(4)]
    for _ in range(5):
        await erase(line, participant)
    busy = False
    await asyncio.gather(*trading)
    await erase(line, participant)
    assert await tables_with(line.dsn, participant) == []
    await judge(line.dsn, offer.offer_id)


async def test_an_erasure_that_was_broken_off_is_made_whole_by_the_next(line: Line) -> None:
    participant = someone()
    offers = [await line.published() for _ in range(12)]
    for each in offers:
        await reserve(line, each.offer_id, participant)
    broken_off = asyncio.create_task(erase(line, participant))

    async def erased() -> int:
        found = [await journal_of(line.dsn, each.offer_id) for each in offers]
        return sum(entries[-1].record.command == "EraseReservations" for entries in found)

    async with asyncio.timeout(20):
        while not await erased():
            pass
    broken_off.cancel()
    await asyncio.gather(broken_off, return_exceptions=True)
    await erase(line, participant)
    assert await tables_with(line.dsn, participant) == []
    assert await erased() == len(offers)


async def test_sales_may_not_erase(line: Line) -> None:
    request = service.EraseParticipantRequest(participant_id="p")
    call = line.offers.EraseParticipant(request, metadata=(("training-principal", "sam;roles=sales"),))
    assert (await refused(call)).reason == "ROLE_MISSING"
