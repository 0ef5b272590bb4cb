"""Programs and offers are read as they were published, in the view and the language asked for."""

from datetime import timedelta
from uuid import UUID, uuid4

import grpc
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.offer.v1.offer_pb2 import Offer
from training.type.v1.vocabulary_pb2 import VIEW_BASIC, VIEW_FULL

from bus.lanes import lane_of
from tests.integration.catalogue.asking import at, fully, reason
from tests.integration.catalogue.conftest import Running, Sources
from tests.integration.catalogue.samples import START, offer, offered, program, released
from tests.integration.refusals import refused


async def test_an_offer_is_read_with_the_card_of_its_program(catalogue: Running, sources: Sources) -> None:
    of_program = program()
    published = offer(of_program.program_id)
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish([offered(published)]),
    ]
    full = await catalogue.stub.GetOffer(pb.GetOfferRequest(offer_id=published.offer_id, consistency=at(*tokens)))
    assert full.offer.offer == published
    assert full.offer.program.title == "Reading the sky (en)"
    assert not full.offer.program.description
    basic = await catalogue.stub.GetOffer(pb.GetOfferRequest(offer_id=published.offer_id, view=VIEW_BASIC))
    assert not basic.offer.offer.schedule.sessions
    assert basic.offer.offer.capacity == published.capacity
    again = await catalogue.stub.GetOffer(pb.GetOfferRequest(offer_id=published.offer_id, consistency=at(*tokens)))
    assert again == full


async def test_a_program_is_read_in_the_language_preferred(catalogue: Running, sources: Sources) -> None:
    published = program(languages=("en", "de", "pt-BR"))
    token = await sources.program.publish([released(published)])

    async def language(*codes: str) -> str:
        request = pb.GetProgramRequest(
            program_id=published.program_id, language_codes=codes, consistency=at(token), view=VIEW_BASIC
        )
        return (await catalogue.stub.GetProgram(request)).program.language_code

    for _ in ("read", "cached"):
        assert await language() == "en"
        assert await language("DE-AT", "en") == "de"
        assert await language("fr", "pt-br") == "pt-BR"
        assert await language("pt-PT", "ja") == "en"
        assert await language("\x1f", "de") == "de"
    full = await catalogue.stub.GetProgram(
        pb.GetProgramRequest(program_id=published.program_id, language_codes=["pt-BR"])
    )
    assert full.program.title == "Reading the sky (pt-BR)"
    assert full.program.description == published.content.description
    assert list(full.program.available_language_codes) == ["en", "de", "pt-BR"]


async def test_an_offer_without_its_program_is_shown_once_the_program_comes(
    catalogue: Running, sources: Sources
) -> None:
    of_program = program()
    published = offer(of_program.program_id)
    token = await sources.offer.publish([offered(published)])
    assert not (await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(token)))).offers
    with pytest.raises(grpc.aio.AioRpcError) as missing:
        await catalogue.stub.GetOffer(pb.GetOfferRequest(offer_id=published.offer_id))
    assert reason(missing.value) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    later = await sources.program.publish([released(of_program)])
    request = pb.GetOfferRequest(offer_id=published.offer_id, consistency=at(later))
    assert (await catalogue.stub.GetOffer(request)).offer.offer == published
    assert len((await catalogue.stub.ListOffers(pb.ListOffersRequest())).offers) == 1


async def test_a_token_that_contains_an_offer_is_never_told_that_there_is_none(
    catalogue: Running, sources: Sources
) -> None:
    """Its program, which the token says nothing of, is still to come: the catalogue is behind, and says where."""
    earlier, of_program = program(), program()
    known = await sources.program.publish([released(earlier)])
    published = offer(of_program.program_id)
    token = await sources.offer.publish([offered(published)])
    lane = lane_of(UUID(of_program.program_id))
    have = int(lane == lane_of(UUID(earlier.program_id)))
    for consistency in (at(known, token), at(token), fully()):
        request = pb.GetOfferRequest(offer_id=published.offer_id, consistency=consistency)
        found = await refused(catalogue.stub.GetOffer(request))
        assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "PROJECTION_BEHIND")
        assert found.metadata == {"source": "program", "lane": str(lane), "have": str(have), "need": str(have + 1)}
    nothing = pb.GetOfferRequest(offer_id=str(uuid4()), consistency=at(token))
    assert (await refused(catalogue.stub.GetOffer(nothing))).reason == "RESOURCE_NOT_FOUND"
    await sources.program.publish([released(of_program)])
    request = pb.GetOfferRequest(offer_id=published.offer_id, consistency=fully())
    assert (await catalogue.stub.GetOffer(request)).offer.offer == published


async def test_a_program_that_lost_its_texts_hides_its_own_offers_only(catalogue: Running, sources: Sources) -> None:
    damaged, whole = program(), program()
    hidden, shown = offer(damaged.program_id), offer(whole.program_id)
    tokens = [
        await sources.program.publish([released(damaged), released(whole)]),
        await sources.offer.publish([offered(hidden), offered(shown)]),
    ]
    listed = await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(*tokens)))
    assert len(listed.offers) == 2
    lost = "DELETE FROM program_text WHERE program_id = $1"
    assert await catalogue.catalogue.connections.execute(lost, UUID(damaged.program_id)) == "DELETE 2"
    for size in (1, 50):  # a page is full of what is shown
        listed = await catalogue.stub.ListOffers(pb.ListOffersRequest(page_size=size))
        assert [entry.offer.offer_id for entry in listed.offers] == [shown.offer_id]
    streamed = [part async for part in catalogue.stub.StreamOffers(pb.StreamOffersRequest())]
    assert [entry.offer.offer_id for part in streamed for entry in part.offers] == [shown.offer_id]


async def test_a_retired_program_is_read_by_id_but_not_listed(catalogue: Running, sources: Sources) -> None:
    here, gone = program(), program()
    events = [released(here), released(gone)]
    await sources.program.publish(events)
    retired = program(UUID(gone.program_id), 4, retired=True)
    token = await sources.program.publish([released(retired)])
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    assert [entry.program_id for entry in listed.programs] == [here.program_id]
    found = await catalogue.stub.GetProgram(pb.GetProgramRequest(program_id=gone.program_id))
    assert found.program.state == retired.state
    published = offer(gone.program_id)
    token = await sources.offer.publish([offered(published)])
    offers = await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(token)))
    assert [entry.offer.offer_id for entry in offers.offers] == [published.offer_id]


async def test_pages_hold_every_offer_once_in_order_of_start_and_id(catalogue: Running, sources: Sources) -> None:
    of_program = program()
    known = await sources.program.publish([released(of_program)])
    offers = [offer(of_program.program_id, start=START + timedelta(hours=number % 7)) for number in range(60)]
    token = await sources.offer.publish([offered(each) for each in offers])
    wanted = [each.offer_id for each in sorted(offers, key=lambda each: (each.start_time.seconds, each.offer_id))]
    found: list[str] = []
    request = pb.ListOffersRequest(page_size=13, consistency=at(known, token), view=VIEW_FULL)
    while True:
        response = await catalogue.stub.ListOffers(request)
        found += [entry.offer.offer_id for entry in response.offers]
        if not response.next_page_token:
            break
        assert len(response.offers) == request.page_size
        request.page_token = response.next_page_token
        request.page_size = 17
    assert found == wanted
    by_size = {size: await catalogue.stub.ListOffers(pb.ListOffersRequest(page_size=size)) for size in (0, 2**31 - 1)}
    assert [len(page.offers) for page in by_size.values()] == [50, 60]


async def test_a_page_token_of_another_request_is_refused(catalogue: Running, sources: Sources) -> None:
    token = await sources.program.publish([released(program()) for _ in range(3)])
    first = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(page_size=1, consistency=at(token)))
    for request in (
        pb.ListProgramsRequest(page_token=first.next_page_token, language_codes=["de"]),
        pb.ListProgramsRequest(page_token=first.next_page_token[:-1]),
        pb.ListProgramsRequest(page_token="nonsense"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await catalogue.stub.ListPrograms(request)
        assert reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_MALFORMED")


async def test_an_older_revision_that_comes_late_changes_nothing(catalogue: Running, sources: Sources) -> None:
    of_program = program()
    offer_id = uuid4()
    new = offer(of_program.program_id, offer_id, 7, taken=9)
    old = offer(of_program.program_id, offer_id, 5, taken=1, state=Offer.STATE_CANCELLED)
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish([offered(new)]),
        await sources.offer.publish([offered(old)]),
    ]
    response = await catalogue.stub.GetOffer(pb.GetOfferRequest(offer_id=str(offer_id), consistency=at(*tokens)))
    assert response.offer.offer == new


async def test_a_program_loses_the_languages_that_its_new_version_lacks(catalogue: Running, sources: Sources) -> None:
    program_id = uuid4()
    await sources.program.publish([released(program(program_id, 3, languages=("en", "de", "fr")))])
    token = await sources.program.publish([released(program(program_id, 4, languages=("fr", "de")))])
    request = pb.GetProgramRequest(program_id=str(program_id), language_codes=["en"], consistency=at(token))
    found = (await catalogue.stub.GetProgram(request)).program
    assert (found.language_code, list(found.available_language_codes)) == ("fr", ["fr", "de"])
    rows = await catalogue.catalogue.connections.fetch("SELECT language FROM program_text ORDER BY ordinal")
    assert [row["language"] for row in rows] == ["fr", "de"]
