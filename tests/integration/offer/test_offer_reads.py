"""What training managers and sales read."""

from uuid import uuid4

import grpc
import pytest
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONLINE, VIEW_FULL

from chassis.pages import arguments, write_token
from tests.integration.offer.line import Line, create, online, price, prices
from tests.integration.refusals import refused


async def offers_of_one_program(line: Line, count: int) -> tuple[str, list[str]]:
    """Create offers; return their program and their ids, the latest first."""
    program_id, token = await line.released()
    made = [(await line.offers.CreateOffer(create(program_id, token))).offer.offer_id for _ in range(count)]
    return program_id, made[::-1]


async def test_pages_hold_every_offer_once_latest_change_first(line: Line) -> None:
    program_id, expected = await offers_of_one_program(line, 7)
    request = service.ListOffersRequest(program_id=program_id, page_size=3)
    pages: list[list[str]] = []
    while not pages or request.page_token:
        response = await line.offers.ListOffers(request)
        pages.append([offer.offer_id for offer in response.offers])
        request.page_token = response.next_page_token
    assert pages == [expected[:3], expected[3:6], expected[6:]]


async def test_a_changed_offer_comes_first(line: Line) -> None:
    program_id, made = await offers_of_one_program(line, 3)
    await line.offers.SetPriceList(price(made[-1]))
    listed = (await line.offers.ListOffers(service.ListOffersRequest(program_id=program_id))).offers
    assert [offer.offer_id for offer in listed] == [made[-1], *made[:-1]]


async def test_offers_are_listed_by_state(line: Line) -> None:
    draft = await line.draft(online(), priced=True)
    await line.offers.CreateOffer(create(draft.program_id))
    await line.offers.PublishOffer(service.PublishOfferRequest(offer_id=draft.offer_id))
    for states, count in (
        ([pb.Offer.STATE_PUBLISHED], 1),
        ([pb.Offer.STATE_PUBLISHED, pb.Offer.STATE_DRAFT], 2),
        ([pb.Offer.STATE_CANCELLED], 0),
        ([], 2),
    ):
        request = service.ListOffersRequest(program_id=draft.program_id, states=states)
        assert len((await line.offers.ListOffers(request)).offers) == count


async def test_the_basic_view_leaves_out_sessions_and_tiers(line: Line) -> None:
    offer = await line.draft(online(), priced=True)
    bare = (await line.offers.CreateOffer(create(offer.program_id))).offer
    request = service.ListOffersRequest(program_id=offer.program_id)
    basic = {each.offer_id: each for each in (await line.offers.ListOffers(request)).offers}
    assert basic[bare.offer_id] == bare
    assert not basic[offer.offer_id].schedule.sessions
    assert not basic[offer.offer_id].price_list.tiers
    request.view = VIEW_FULL
    full = {each.offer_id: each for each in (await line.offers.ListOffers(request)).offers}
    assert full == {offer.offer_id: offer, bare.offer_id: bare}
    assert full[offer.offer_id].price_list == prices()


async def test_a_page_token_belongs_to_its_arguments(line: Line) -> None:
    program_id, _ = await offers_of_one_program(line, 2)
    request = service.ListOffersRequest(program_id=program_id, page_size=1)
    request.page_token = (await line.offers.ListOffers(request)).next_page_token
    request.program_id = str(uuid4())
    found = await refused(line.offers.ListOffers(request))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_MALFORMED")


@pytest.mark.parametrize("place", [b"", b"\xff" * 24, b"\x7f" * 25])
async def test_a_page_token_made_by_hand_is_refused(line: Line, place: bytes) -> None:
    request = service.ListOffersRequest()
    request.page_token = write_token(place, arguments(request))
    assert (await refused(line.offers.ListOffers(request))).reason == "PAGE_TOKEN_MALFORMED"


async def test_a_page_token_with_a_nul_is_refused_by_its_field(line: Line) -> None:
    found = await refused(line.offers.ListOffers(service.ListOffersRequest(page_token="a\0b")))
    assert (found.reason, found.fields) == ("INVALID_FIELD", ["page_token"])


async def test_codes_and_join_uris_are_shown_to_offer_managers_only(line: Line) -> None:
    traits = pb.SessionTraits(mode=DELIVERY_MODE_ONLINE, join_uri="https://meet.example/secret")
    session = pb.SingleSession(
        local_start="2030-03-01T09:00", local_end="2030-03-01T12:00", time_zone="UTC", traits=traits
    )
    offer = await line.draft(pb.SchedulePlan(sessions=[session]), priced=True)
    coded = price(offer.offer_id)
    coded.price_list.tiers[0].code = "P-77"
    await line.offers.SetPriceList(coded)
    for role, shown in (("offer_manager", 1), ("offer_manager,operator", 1), ("operator", 0)):
        metadata = (("training-principal", f"x;roles={role}"),)
        got = await line.offers.GetOffer(service.GetOfferRequest(offer_id=offer.offer_id), metadata=metadata)
        batch = service.BatchGetOffersRequest(offer_ids=[offer.offer_id])
        several = await line.offers.BatchGetOffers(batch, metadata=metadata)
        listing = service.ListOffersRequest(program_id=offer.program_id, view=VIEW_FULL)
        listed = await line.offers.ListOffers(listing, metadata=metadata)
        history = await line.offers.ListOfferHistory(
            service.ListOfferHistoryRequest(offer_id=offer.offer_id), metadata=metadata
        )
        for answer in (got, several, listed, history):
            told = answer.SerializeToString()
            assert [b"P-77" in told, b"meet.example" in told] == [shown, shown]
