"""Those who wait for a seat get one in the order in which they came."""

from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.ledger import journal_of, judge
from tests.integration.offer.line import Line
from tests.integration.offer.selling import (
    EXPIRED,
    HELD,
    RELEASED,
    WAITING,
    confirm,
    leave,
    read,
    release,
    reserve,
    set_capacity,
    someone,
    until,
    wait_for,
)
from tests.integration.refusals import refused


async def waitlist(line: Line, offer_id: str, page_size: int = 0) -> list[str]:
    """List who waits, over all pages."""
    request = service.ListWaitlistRequest(offer_id=offer_id, page_size=page_size)
    found: list[str] = []
    while not found or request.page_token:
        response = await line.offers.ListWaitlist(request)
        found += [each.reservation_id for each in response.reservations]
        request.page_token = response.next_page_token
        if not response.reservations:
            break
    return found


async def test_seats_given_back_go_to_those_who_wait_in_their_order(line: Line) -> None:
    offer = await line.published(seats=2)
    first, second = await reserve(line, offer.offer_id), await reserve(line, offer.offer_id)
    waiting = [await wait_for(line, offer.offer_id) for _ in range(3)]
    assert [(each.state, each.wait_number) for each in waiting] == [(WAITING, 1), (WAITING, 2), (WAITING, 3)]
    assert await waitlist(line, offer.offer_id, 2) == [each.reservation_id for each in waiting]
    await release(line, await confirm(line, first))
    promoted = await read(line, waiting[0])
    assert (promoted.state, promoted.price) == (HELD, waiting[0].price)
    assert promoted.expire_time.seconds - promoted.hold_time.seconds == 24 * 3600
    await release(line, second)
    assert [(await read(line, each)).state for each in waiting] == [HELD, HELD, WAITING]
    assert (await line.get(offer.offer_id)).seats.waiting == 1
    await judge(line.dsn, offer.offer_id)


async def test_the_first_who_waits_for_more_than_is_free_keeps_the_others_waiting(line: Line) -> None:
    offer = await line.published(seats=3)
    holds = [await reserve(line, offer.offer_id) for _ in range(3)]
    two = await wait_for(line, offer.offer_id, seats=2)
    one = await wait_for(line, offer.offer_id)
    await release(line, holds[0])
    assert [(await read(line, each)).state for each in (two, one)] == [WAITING, WAITING]
    found = await refused(reserve(line, offer.offer_id))
    assert (found.reason, found.metadata) == ("NO_SEATS", {"left": "1", "wanted": "1", "waiting": "2"})
    assert (await leave(line, two)).state == RELEASED
    assert (await read(line, one)).state == HELD
    await judge(line.dsn, offer.offer_id)


async def test_more_capacity_is_given_to_those_who_wait_in_several_revisions(brisk: Line) -> None:
    offer = await brisk.published(seats=1)
    await reserve(brisk, offer.offer_id)
    waiting = [await wait_for(brisk, offer.offer_id) for _ in range(8)]
    await set_capacity(brisk, offer.offer_id, 100)

    async def all_promoted() -> bool:
        return not (await brisk.get(offer.offer_id)).seats.waiting

    await until(all_promoted)
    entries = await journal_of(brisk.dsn, offer.offer_id)
    promoted = [
        change.waitlist_promoted.reservation_id
        for entry in entries
        for change in entry.record.changes
        if change.WhichOneof("kind") == "waitlist_promoted"
    ]
    assert promoted == [each.reservation_id for each in waiting]
    assert [entry.record.command for entry in entries if entry.record.command == "PromoteWaiting"]
    await judge(brisk.dsn, offer.offer_id)


async def test_a_promotion_that_is_not_confirmed_goes_to_the_next(brisk: Line) -> None:
    offer = await brisk.published(seats=1)
    held = await confirm(brisk, await reserve(brisk, offer.offer_id))
    first, second = await wait_for(brisk, offer.offer_id), await wait_for(brisk, offer.offer_id)
    await release(brisk, held)

    async def passed_on() -> bool:
        return [(await read(brisk, each)).state for each in (first, second)] == [EXPIRED, HELD]

    await until(passed_on)
    await judge(brisk.dsn, offer.offer_id)


async def test_nobody_waits_who_need_not_or_may_not(line: Line) -> None:
    offer = await line.published(seats=1, waitlist_limit=1)
    assert (await refused(wait_for(line, offer.offer_id))).reason == "WAITLIST_NOT_NEEDED"
    participant = someone()
    await reserve(line, offer.offer_id, participant)
    assert (await refused(wait_for(line, offer.offer_id, participant))).reason == "ALREADY_RESERVED"
    await wait_for(line, offer.offer_id)
    found = await refused(wait_for(line, offer.offer_id))
    assert found.reason == "WAITLIST_FULL"
    none = await line.published(seats=1, waitlist_limit=0)
    await reserve(line, none.offer_id)
    assert (await refused(wait_for(line, none.offer_id))).reason == "NO_WAITLIST"


async def test_the_waitlist_of_an_offer_that_is_not_there_is_not_found(line: Line) -> None:
    unknown = "01940000-0000-7000-8000-00000000dead"
    assert (await refused(waitlist(line, unknown))).reason == "RESOURCE_NOT_FOUND"


async def test_seats_freed_while_sales_are_closed_are_given_once_they_are_open_again(line: Line) -> None:
    offer = await line.published(seats=1)
    held = await reserve(line, offer.offer_id)
    waiting = await wait_for(line, offer.offer_id)
    await line.offers.CloseSales(service.CloseSalesRequest(offer_id=offer.offer_id))
    await release(line, held)
    assert (await read(line, waiting)).state == WAITING
    await line.offers.ReopenSales(service.ReopenSalesRequest(offer_id=offer.offer_id))
    assert (await read(line, waiting)).state == HELD
    await judge(line.dsn, offer.offer_id)


async def test_who_waits_for_more_seats_than_are_left_of_a_smaller_offer_stops_nobody(line: Line) -> None:
    offer = await line.published(seats=10)
    await reserve(line, offer.offer_id, seats=4)
    other = await reserve(line, offer.offer_id, seats=6)
    waiting = await wait_for(line, offer.offer_id, seats=8)
    await release(line, other)
    request = service.SetCapacityRequest(offer_id=offer.offer_id, maximum=6)
    assert (await line.offers.SetCapacity(request)).offer.capacity.minimum == offer.capacity.minimum
    assert (await read(line, waiting)).state == RELEASED
    await reserve(line, offer.offer_id, seats=2)
    await judge(line.dsn, offer.offer_id)
