"""Lists of offers, reservations, waitlists and revisions, and reads of several at once."""

from uuid import uuid4

import grpc
from google.type.interval_pb2 import Interval
from training.offer.v1 import offer_service_pb2 as service
from training.offer.v1.offer_pb2 import Offer
from training.offer.v1.reservation_pb2 import Reservation

from tests.integration.chassis_server import failure, status_of
from tests.integration.offer.line import Line, in_room, online, price
from tests.integration.offer.selling import CONFIRMED, HELD, confirm, release, reserve, someone, wait_for
from tests.integration.refusals import refused

Listing = service.ListReservationsRequest | service.ListWaitlistRequest
Listed = service.ListReservationsResponse | service.ListWaitlistResponse
UNKNOWN = "01940000-0000-7000-8000-00000000dead"


def between(start: str, end: str) -> Interval:
    """Write an interval."""
    interval = Interval()
    if start:
        interval.start_time.FromJsonString(start)
    if end:
        interval.end_time.FromJsonString(end)
    return interval


async def pages(line: Line, request: Listing) -> list[list[str]]:
    """Read all pages of a list of reservations."""
    found: list[list[str]] = []
    while not found or request.page_token:
        if isinstance(request, service.ListWaitlistRequest):
            listed: Listed = await line.offers.ListWaitlist(request)
        else:
            listed = await line.offers.ListReservations(request)
        found.append([each.reservation_id for each in listed.reservations])
        request.page_token = listed.next_page_token
    return found


async def test_offers_are_listed_by_trainer_and_by_the_time_when_they_start(line: Line) -> None:
    trainer = f"t-{uuid4()}"
    may = await line.draft(in_room(str(uuid4()), trainer=trainer, days=["2030-05-01"]))
    june = await line.draft(in_room(str(uuid4()), trainer=trainer, days=["2030-06-01", "2030-05-20"]))
    bare = await line.draft()
    for interval, expected in (
        (None, [june, may]),
        (between("2030-05-01T09:00:00Z", "2030-05-20T09:00:00Z"), [may]),
        (between("2030-05-01T09:00:01Z", ""), [june]),
        (between("", "2030-05-20T09:00:01Z"), [june, may]),
        (between("2031-01-01T00:00:00Z", ""), []),
    ):
        request = service.ListOffersRequest(trainer_id=trainer, start_interval=interval)
        found = (await line.offers.ListOffers(request)).offers
        assert [each.offer_id for each in found] == [each.offer_id for each in expected]
    everything = between("2000-01-01T00:00:00Z", "")
    unscheduled = service.ListOffersRequest(program_id=bare.program_id, start_interval=everything)
    assert not (await line.offers.ListOffers(unscheduled)).offers


async def test_no_list_is_of_what_is_in_no_state(line: Line) -> None:
    offers = service.ListOffersRequest(states=[Offer.STATE_UNSPECIFIED])
    reservations = service.ListReservationsRequest(offer_id=UNKNOWN, states=[Reservation.STATE_UNSPECIFIED])
    for call in (line.offers.ListOffers(offers), line.offers.ListReservations(reservations)):
        found = await refused(call)
        assert (found.reason, found.fields) == ("INVALID_FIELD", ["states[0]"])


async def test_an_interval_that_ends_before_it_starts_is_refused(line: Line) -> None:
    backwards = between("2030-05-02T00:00:00Z", "2030-05-01T00:00:00Z")
    found = await refused(line.offers.ListOffers(service.ListOffersRequest(start_interval=backwards)))
    assert (found.reason, found.fields) == ("INVALID_FIELD", ["start_interval"])


async def test_several_offers_are_returned_in_the_order_asked_for(line: Line) -> None:
    made = [await line.draft(online()) for _ in range(3)]
    wanted = [made[each] for each in (2, 0, 1)]
    request = service.BatchGetOffersRequest(offer_ids=[each.offer_id for each in wanted])
    assert list((await line.offers.BatchGetOffers(request)).offers) == wanted


async def test_offers_that_are_not_there_are_all_named(line: Line) -> None:
    made, missing = await line.draft(), [str(uuid4()) for _ in range(3)]
    request = service.BatchGetOffersRequest(offer_ids=[missing[0], made.offer_id, *missing[1:]])
    error = await failure(line.offers.BatchGetOffers(request))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    told = status_of(error).SerializeToString()
    assert all(each.encode() in told for each in missing)
    assert made.offer_id.encode() not in told


async def test_reservations_are_listed_by_offer_latest_first_page_by_page(line: Line) -> None:
    offer = await line.published()
    made = [(await reserve(line, offer.offer_id)) for _ in range(7)]
    await confirm(line, made[2])
    await release(line, made[4])
    ids = [each.reservation_id for each in made[::-1]]
    request = service.ListReservationsRequest(offer_id=offer.offer_id, page_size=3)
    assert await pages(line, request) == [ids[:3], ids[3:6], ids[6:]]
    held = service.ListReservationsRequest(offer_id=offer.offer_id, states=[HELD, CONFIRMED])
    [found] = await pages(line, held)
    assert found == [each for each in ids if each != made[4].reservation_id]


async def test_reservations_are_listed_by_participant_across_offers(line: Line) -> None:
    participant = someone()
    offers = [await line.published() for _ in range(3)]
    made = [await reserve(line, each.offer_id, participant) for each in offers]
    await reserve(line, offers[0].offer_id)
    request = service.ListReservationsRequest(participant_id=participant, page_size=2)
    ids = [each.reservation_id for each in made[::-1]]
    assert await pages(line, request) == [ids[:2], ids[2:]]
    response = await line.offers.ListReservations(service.ListReservationsRequest(participant_id=participant))
    assert list(response.reservations) == made[::-1]


async def test_a_list_of_reservations_is_of_an_offer_or_of_a_participant(line: Line) -> None:
    found = await refused(line.offers.ListReservations(service.ListReservationsRequest()))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    unknown = service.ListReservationsRequest(offer_id=UNKNOWN)
    assert (await refused(line.offers.ListReservations(unknown))).code is grpc.StatusCode.NOT_FOUND
    missing = service.GetReservationRequest(reservation_id=UNKNOWN)
    found = await refused(line.offers.GetReservation(missing))
    assert found.code is grpc.StatusCode.NOT_FOUND


async def test_the_waitlist_pages_in_order_and_its_tokens_belong_to_it(line: Line) -> None:
    offer, other = await line.published(seats=1), await line.published(seats=1)
    for each in (offer, other):
        await reserve(line, each.offer_id)
    waiting = [(await wait_for(line, offer.offer_id)).reservation_id for _ in range(5)]
    request = service.ListWaitlistRequest(offer_id=offer.offer_id, page_size=2)
    assert await pages(line, request) == [waiting[:2], waiting[2:4], waiting[4:]]
    token = (await line.offers.ListWaitlist(request)).next_page_token
    wrong = service.ListWaitlistRequest(offer_id=other.offer_id, page_token=token, page_size=2)
    assert (await refused(line.offers.ListWaitlist(wrong))).reason == "PAGE_TOKEN_MALFORMED"


async def test_the_history_tells_who_did_what_and_what_changed_and_names_no_participant(line: Line) -> None:
    offer, participant = await line.published(), someone()
    await line.offers.SetPriceList(
        price(offer.offer_id, 390), metadata=(("training-principal", "mia;roles=offer_manager"),)
    )
    held = await reserve(line, offer.offer_id, participant)
    await line.offers.CancelOffer(service.CancelOfferRequest(offer_id=offer.offer_id, reason="flood"))
    request = service.ListOfferHistoryRequest(offer_id=offer.offer_id, page_size=3)
    first = await line.offers.ListOfferHistory(request)
    told = [(each.revision, each.actor, each.command) for each in first.entries]
    assert told == [(4, "dev", "CancelOffer"), (3, "dev", "ReserveSeats"), (2, "mia", "SetPriceList")]
    assert first.entries[0].changes[0].called_off.cancellation.reason == "flood"
    assert first.entries[1].changes[0].seats_held.reservation_id == held.reservation_id
    assert "price_list" in first.entries[2].changed_fields
    assert participant.encode() not in first.SerializeToString()
    request.page_token = first.next_page_token
    [last] = (await line.offers.ListOfferHistory(request)).entries
    assert (last.revision, last.command) == (1, "ImportOffer")
    unknown = service.ListOfferHistoryRequest(offer_id=UNKNOWN)
    assert (await refused(line.offers.ListOfferHistory(unknown))).code is grpc.StatusCode.NOT_FOUND
    sales = line.offers.ListOfferHistory(request, metadata=(("training-principal", "sam;roles=sales"),))
    assert (await refused(sales)).reason == "ROLE_MISSING"


async def test_managers_do_not_sell_and_sales_do_not_manage(line: Line) -> None:
    offer = await line.published()
    manager, sales = ((("training-principal", f"x;roles={role}"),) for role in ("offer_manager", "sales"))
    for call in (
        line.offers.ReserveSeats(
            service.ReserveSeatsRequest(offer_id=offer.offer_id, participant_id="p", currency_code="EUR"),
            metadata=manager,
        ),
        line.offers.QuotePrice(
            service.QuotePriceRequest(offer_id=offer.offer_id, currency_code="EUR"), metadata=manager
        ),
        line.offers.CloseSales(service.CloseSalesRequest(offer_id=offer.offer_id), metadata=sales),
        line.offers.CopyOffer(service.CopyOfferRequest(source_offer_id=offer.offer_id, plan=online()), metadata=sales),
    ):
        assert (await refused(call)).reason == "ROLE_MISSING"
