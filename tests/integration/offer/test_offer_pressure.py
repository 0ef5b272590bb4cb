"""Availability under pressure: whatever happens at once, the journal shows at every revision that it went right."""

import asyncio
from collections import Counter
from uuid import uuid4

from training.offer.v1 import offer_service_pb2 as service
from training.offer.v1 import reservation_pb2 as pb

from tests.integration.offer.ledger import journal_of, judge
from tests.integration.offer.line import Line, price
from tests.integration.offer.race import Race
from tests.integration.offer.selling import confirm, outcome, read, release, reserve, someone, until

CLIENTS, SEATS = 500, 40
HAPPENS = (
    "seats_held",
    "seats_confirmed",
    "seats_released",
    "hold_expired",
    "waitlist_joined",
    "waitlist_promoted",
    "waitlist_left",
    "capacity_set",
)


async def test_five_hundred_clients_who_race_for_forty_seats_get_forty(line: Line) -> None:
    offer = await line.published(seats=SEATS)
    found = Counter(await asyncio.gather(*(outcome(reserve(line, offer.offer_id)) for _ in range(CLIENTS))))
    assert found == {"done": SEATS, "NO_SEATS": CLIENTS - SEATS}
    assert (await judge(line.dsn, offer.offer_id)).taken == SEATS
    assert (await line.get(offer.offer_id)).seats.held == SEATS


async def test_a_race_with_everything_at_once_loses_no_seat_and_sells_none_twice(brisk: Line) -> None:
    """Clients reserve, wait, extend, confirm and give back; holds run out, and a manager changes the capacity."""
    offer = await brisk.published(seats=SEATS)
    race = Race(brisk, offer.offer_id)
    await race.run(CLIENTS)

    async def settled() -> bool:
        """Wait until every hold was confirmed, given back or has run out."""
        return not (await brisk.get(offer.offer_id)).seats.held

    await until(settled, 60)
    count = await judge(brisk.dsn, offer.offer_id)
    kinds: Counter[str | None] = Counter(
        change.WhichOneof("kind")
        for entry in await journal_of(brisk.dsn, offer.offer_id)
        for change in entry.record.changes
    )
    assert all(kinds[kind] for kind in HAPPENS), (kinds, race.seen)
    now = (await brisk.get(offer.offer_id)).seats
    assert (now.held, now.confirmed, now.waiting) == (0, count.taken, len(count.line))
    assert not any("INTERNAL" in each for each in race.seen), race.seen


async def test_an_edit_with_an_etag_wins_against_a_stream_of_reservations(line: Line) -> None:
    offer = await line.published(seats=1000)
    selling = True

    async def sell() -> int:
        sold = 0
        while selling:
            await release(line, await reserve(line, offer.offer_id))
            sold += 1
        return sold

    sellers = [asyncio.create_task(sell()) for _ in range(16)]
    try:
        etag = offer.etag
        for amount in range(500, 510):
            request = price(offer.offer_id, amount)
            request.etag = etag
            async with asyncio.timeout(10):
                etag = (await line.offers.SetPriceList(request)).offer.etag
    finally:
        selling = False
        sold = await asyncio.gather(*sellers)
    assert min(sold) > 0
    await judge(line.dsn, offer.offer_id)


async def test_one_participant_who_asks_many_times_at_once_has_one_live_reservation(line: Line) -> None:
    offer, participant = await line.published(), someone()
    found = Counter(await asyncio.gather(*(outcome(reserve(line, offer.offer_id, participant)) for _ in range(50))))
    assert found == {"done": 1, "ALREADY_RESERVED": 49}
    await judge(line.dsn, offer.offer_id)


async def test_each_of_those_who_reserve_at_once_has_a_revision_and_a_token_of_its_own(line: Line) -> None:
    offer = await line.published(seats=60)

    async def ask() -> service.ReserveSeatsResponse:
        request = service.ReserveSeatsRequest(offer_id=offer.offer_id, participant_id=someone(), currency_code="EUR")
        response: service.ReserveSeatsResponse = await line.offers.ReserveSeats(request)
        return response

    answers = await asyncio.gather(*(ask() for _ in range(60)))
    assert len({answer.consistency_token for answer in answers}) == 60
    assert len({answer.reservation.reservation_id for answer in answers}) == 60
    entries = (await journal_of(line.dsn, offer.offer_id))[1:]
    assert [entry.record.command for entry in entries] == ["ReserveSeats"] * 60
    for answer in answers:
        assert (await read(line, answer.reservation)) == answer.reservation


async def test_commands_on_one_reservation_that_come_at_once_are_decided_one_on_the_other(line: Line) -> None:
    """Ask for a reservation, its confirmation, its release, and another one of the participant, all in one batch."""
    offer = await line.published(seats=50)
    found: Counter[str] = Counter()

    async def live() -> None:
        participant, here = someone(), pb.Reservation(offer_id=offer.offer_id, reservation_id=str(uuid4()))
        calls = (
            reserve(line, offer.offer_id, participant, reservation_id=here.reservation_id),
            confirm(line, here),
            release(line, here),
            reserve(line, offer.offer_id, participant),
        )
        for name, told in zip("abcd", await asyncio.gather(*map(outcome, calls)), strict=True):
            found[f"{name} {told}"] += 1

    await asyncio.gather(*(live() for _ in range(40)))
    assert found["a done"] > 0
    assert found.keys() <= {
        *("a done", "a ALREADY_RESERVED", "a NO_SEATS"),
        *("b done", "b RESOURCE_NOT_FOUND", "b RESERVATION_STATE"),
        *("c done", "c RESOURCE_NOT_FOUND", "c RESERVATION_STATE"),
        *("d done", "d ALREADY_RESERVED", "d NO_SEATS"),
    }, found
    await judge(line.dsn, offer.offer_id)
