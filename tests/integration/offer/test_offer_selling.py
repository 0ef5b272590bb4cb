"""Seats reserved, extended, confirmed and given back."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import asyncpg
import grpc
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.ledger import journal_of, judge
from tests.integration.offer.line import Line
from tests.integration.offer.selling import (
    CONFIRMED,
    EXPIRED,
    HELD,
    RELEASED,
    confirm,
    extend,
    read,
    release,
    reserve,
    someone,
    until,
)
from tests.integration.refusals import refused


async def test_a_seat_is_held_confirmed_and_given_back(line: Line) -> None:
    offer, participant = await line.published(), someone()
    held = await reserve(line, offer.offer_id, participant, 2)
    assert (held.state, held.seats, held.participant_id) == (HELD, 2, participant)
    assert held.price.unit_price == Money(currency_code="EUR", units=490)
    assert held.price.amount_due == Money(currency_code="EUR", units=980)
    assert held.expire_time.ToDatetime() - held.hold_time.ToDatetime() == timedelta(minutes=10)
    assert await read(line, held) == held
    confirmed = await confirm(line, held)
    assert (confirmed.state, confirmed.HasField("expire_time")) == (CONFIRMED, False)
    seats = (await line.get(offer.offer_id)).seats
    assert (seats.held, seats.confirmed) == (0, 2)
    released = await release(line, confirmed)
    assert released.state == RELEASED
    assert await read(line, held) == released
    assert (await line.get(offer.offer_id)).seats.confirmed == 0
    assert (await judge(line.dsn, offer.offer_id)).taken == 0


async def test_a_reservation_does_not_change_the_etag(line: Line) -> None:
    offer = await line.published()
    await confirm(line, await reserve(line, offer.offer_id))
    after = await line.get(offer.offer_id)
    assert (after.etag, after.revision) == (offer.etag, offer.revision + 2)


async def test_the_events_of_reservations_carry_counts_and_no_names(line: Line) -> None:
    offer, participant = await line.published(), someone()
    held = await reserve(line, offer.offer_id, participant, 3)
    [entry] = (await journal_of(line.dsn, offer.offer_id))[-1:]
    assert entry.event is not None
    assert (entry.event.offer.seats_taken, entry.event.offer.seats_held) == (3, 3)
    assert entry.record.changes[0].seats_held.reservation_id == held.reservation_id
    assert participant.encode() not in entry.event.SerializeToString() + entry.record.SerializeToString()
    assert held.reservation_id.encode() not in entry.event.SerializeToString()


async def test_a_hold_can_be_extended_up_to_its_limit(brisk: Line) -> None:
    offer = await brisk.published()
    held = await reserve(brisk, offer.offer_id)
    extended = await extend(brisk, held)
    assert held.expire_time.ToNanoseconds() < extended.expire_time.ToNanoseconds()
    reasons: set[str] = set()

    async def at_the_limit() -> bool:
        try:
            await extend(brisk, held)
        except grpc.aio.AioRpcError as error:
            failed = error

            async def fail() -> None:
                raise failed

            reasons.add((await refused(fail())).reason)
        return bool(reasons)

    await until(at_the_limit)
    assert reasons == {"HOLD_LIMIT"}


async def test_a_hold_that_is_not_confirmed_runs_out_and_frees_its_seats(brisk: Line) -> None:
    offer = await brisk.published(seats=1)
    held = await reserve(brisk, offer.offer_id)
    assert (await refused(reserve(brisk, offer.offer_id))).reason == "NO_SEATS"

    async def ran_out() -> bool:
        return (await read(brisk, held)).state == EXPIRED

    await until(ran_out)
    assert (await journal_of(brisk.dsn, offer.offer_id))[-1].principal == "timekeeper"
    await reserve(brisk, offer.offer_id)
    await judge(brisk.dsn, offer.offer_id)


async def test_an_expired_hold_is_not_confirmed_though_its_expiry_has_not_fired(line: Line) -> None:
    """Set the clock of a hold back in its row, and keep the timekeeper out by the state that the index names."""
    offer = await line.published()
    held = await reserve(line, offer.offer_id)
    connection = await asyncpg.connect(line.dsn)
    try:
        async with connection.transaction():
            # The row is locked: nobody ends the hold meanwhile.
            details = await connection.fetchval(
                "SELECT details FROM reservation WHERE reservation_id = $1::text::uuid FOR UPDATE", held.reservation_id
            )
            past = type(held).FromString(details)
            past.expire_time.FromDatetime(datetime.now(UTC) - timedelta(seconds=1))
            await connection.execute(
                "UPDATE reservation SET details = $2 WHERE reservation_id = $1::text::uuid",
                held.reservation_id,
                past.SerializeToString(),
            )
        found = await refused(confirm(line, held))
        assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "HOLD_EXPIRED")
        assert (await refused(extend(line, held))).reason == "HOLD_EXPIRED"
        assert (await read(line, held)).state == HELD
    finally:
        await connection.close()


async def test_sales_are_closed_and_reopened(line: Line) -> None:
    offer = await line.published()
    closed = (await line.offers.CloseSales(service.CloseSalesRequest(offer_id=offer.offer_id))).offer
    assert closed.sales_closed
    found = await refused(reserve(line, offer.offer_id))
    assert (found.reason, found.metadata["closed"]) == ("SALES_CLOSED", "true")
    reopened = (await line.offers.ReopenSales(service.ReopenSalesRequest(offer_id=offer.offer_id))).offer
    assert not reopened.sales_closed
    await reserve(line, offer.offer_id)


async def test_outside_its_sales_window_an_offer_is_not_sold(line: Line) -> None:
    window = Interval()
    window.start_time.FromJsonString("2029-01-01T00:00:00Z")
    offer = await line.published(sales_window=window)
    found = await refused(reserve(line, offer.offer_id))
    assert (found.reason, found.metadata["from"]) == ("SALES_CLOSED", "2029-01-01T00:00:00Z")


async def test_a_reservation_id_given_by_the_client_is_taken_once_whatever_the_offer(line: Line) -> None:
    offer, other, reservation_id = await line.published(), await line.published(), str(uuid4())
    held = await reserve(line, offer.offer_id, reservation_id=reservation_id)
    assert held.reservation_id == reservation_id
    for offer_id in (offer.offer_id, other.offer_id):
        found = await refused(reserve(line, offer_id, reservation_id=reservation_id))
        assert (found.code, found.reason) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")
    await reserve(line, other.offer_id, held.participant_id)


async def test_of_two_offers_that_take_one_reservation_id_at_once_one_gets_it(line: Line) -> None:
    offers = [await line.published() for _ in range(2)]
    for _ in range(10):
        reservation_id = str(uuid4())
        calls = (reserve(line, each.offer_id, reservation_id=reservation_id) for each in offers)
        found = await asyncio.gather(*calls, return_exceptions=True)
        assert sum(isinstance(each, BaseException) for each in found) == 1


async def test_a_reservation_of_another_offer_is_not_found(line: Line) -> None:
    offer, other = await line.published(), await line.published()
    held = await reserve(line, offer.offer_id)
    held.offer_id = other.offer_id
    for call in (confirm(line, held), extend(line, held), release(line, held)):
        assert (await refused(call)).code is grpc.StatusCode.NOT_FOUND
