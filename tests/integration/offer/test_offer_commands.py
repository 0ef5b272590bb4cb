"""The commands on offers as their callers see them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.line import Line, create, in_room, online, price, prices
from tests.integration.refusals import Refused, refused

UNKNOWN = "01940000-0000-7000-8000-00000000dead"
PUBLISHED, DRAFT, CANCELLED = pb.Offer.STATE_PUBLISHED, pb.Offer.STATE_DRAFT, pb.Offer.STATE_CANCELLED


async def test_an_offer_goes_from_draft_to_cancelled(line: Line) -> None:
    program_id, token = await line.released()
    created = await line.offers.CreateOffer(create(program_id, token))
    offer_id = created.offer.offer_id
    assert (created.offer.state, created.offer.revision, created.offer.program_id) == (DRAFT, 1, program_id)
    assert created.consistency_token
    scheduled = await line.offers.ScheduleSessions(
        service.ScheduleSessionsRequest(offer_id=offer_id, plan=online(), etag=created.offer.etag)
    )
    assert [session.local_start for session in scheduled.offer.schedule.sessions] == ["2030-03-01T09:00:00"]
    assert (scheduled.offer.booking_mode, list(scheduled.clashes)) == (pb.BOOKING_MODE_FORBID, [])
    priced = await line.offers.SetPriceList(price(offer_id))
    published = await line.offers.PublishOffer(service.PublishOfferRequest(offer_id=offer_id))
    assert published.offer.state == PUBLISHED
    assert published.offer.price_list == priced.offer.price_list == prices()
    repriced = await line.offers.SetPriceList(price(offer_id, 390))
    assert (repriced.offer.state, repriced.offer.revision) == (PUBLISHED, 5)
    cancelled = await line.offers.CancelOffer(service.CancelOfferRequest(offer_id=offer_id, reason="too few"))
    assert (cancelled.offer.state, cancelled.offer.cancellation.reason) == (CANCELLED, "too few")
    assert await line.get(offer_id) == cancelled.offer


async def test_a_command_that_changes_nothing_makes_no_revision(line: Line) -> None:
    offer = await line.draft(priced=True)
    again = await line.offers.SetPriceList(price(offer.offer_id))
    assert again.offer == offer
    assert again.consistency_token


async def test_what_clashes_do_is_part_of_the_schedule(line: Line) -> None:
    room = str(uuid4())
    offer = await line.draft(in_room(room))
    request = service.ScheduleSessionsRequest(offer_id=offer.offer_id, plan=in_room(room, warn=True))
    warned = (await line.offers.ScheduleSessions(request)).offer
    assert (warned.revision, warned.booking_mode) == (offer.revision + 1, pb.BOOKING_MODE_WARN)
    assert warned.schedule == offer.schedule


async def test_validate_only_checks_everything_and_changes_nothing(line: Line) -> None:
    program_id, token = await line.released()
    tried = create(program_id, token, offer_id=str(uuid4()))
    tried.validate_only = True
    shown = await line.offers.CreateOffer(tried)
    assert (shown.offer.revision, shown.consistency_token) == (1, "")
    assert (await refused(line.get(tried.offer_id))).code is grpc.StatusCode.NOT_FOUND
    offer = await line.draft(priced=True)
    request = service.PublishOfferRequest(offer_id=offer.offer_id, validate_only=True)
    assert (await refused(line.offers.PublishOffer(request))).reason == "OFFER_INCOMPLETE"
    assert await line.get(offer.offer_id) == offer


async def test_validate_only_tells_of_a_double_booking(line: Line) -> None:
    room = str(uuid4())
    await line.draft(in_room(room))
    offer = await line.draft()
    request = service.ScheduleSessionsRequest(offer_id=offer.offer_id, plan=in_room(room), validate_only=True)
    assert (await refused(line.offers.ScheduleSessions(request))).reason == "DOUBLE_BOOKING"


async def test_an_etag_that_is_not_the_present_one_is_refused(line: Line) -> None:
    offer = await line.draft()
    await line.offers.SetPriceList(price(offer.offer_id))
    stale = price(offer.offer_id, 390)
    stale.etag = offer.etag
    found = await refused(line.offers.SetPriceList(stale))
    assert (found.code, found.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    assert found.metadata == {"given": offer.etag, "have": (await line.get(offer.offer_id)).etag}


async def test_eight_repeats_of_one_request_have_one_outcome(line: Line) -> None:
    program_id, token = await line.released()
    request = create(program_id, token)
    request.request_id = str(uuid4())
    outcomes = await asyncio.gather(*(line.offers.CreateOffer(request) for _ in range(8)))
    assert len({outcome.SerializeToString() for outcome in outcomes}) == 1
    assert await line.get(outcomes[0].offer.offer_id) == outcomes[0].offer


async def test_a_request_id_stands_for_one_body(line: Line) -> None:
    offer = await line.draft()
    request = price(offer.offer_id)
    request.request_id = str(uuid4())
    await line.offers.SetPriceList(request)
    request.price_list.tiers[0].name = "Other"
    found = await refused(line.offers.SetPriceList(request))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert found.metadata == {"request_id": request.request_id}


Ask = Callable[[Line], Awaitable[Any]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda line: line.get(UNKNOWN),
        lambda line: line.offers.SetPriceList(price(UNKNOWN)),
        lambda line: line.offers.ScheduleSessions(service.ScheduleSessionsRequest(offer_id=UNKNOWN, plan=online())),
        lambda line: line.offers.PublishOffer(service.PublishOfferRequest(offer_id=UNKNOWN)),
        lambda line: line.offers.CancelOffer(service.CancelOfferRequest(offer_id=UNKNOWN, reason="why")),
    ],
)
async def test_an_offer_that_is_not_there_is_not_found(line: Line, ask: Ask) -> None:
    found = await refused(ask(line))
    assert (found.code, found.reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert found.metadata == {"resource_type": "training.offer.v1.Offer", "resource_name": UNKNOWN}


async def test_an_id_is_given_once(line: Line) -> None:
    offer = await line.draft()
    found = await refused(line.offers.CreateOffer(create(offer.program_id, offer_id=offer.offer_id)))
    assert (found.code, found.reason) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")


async def test_what_the_state_forbids_is_refused_with_the_state(line: Line) -> None:
    offer = await line.draft()
    found = await refused(line.offers.CancelOffer(service.CancelOfferRequest(offer_id=offer.offer_id, reason="why")))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "OFFER_STATE")
    assert found.metadata == {"state": "DRAFT", "command": "CancelOffer"}


async def test_publishing_names_everything_that_is_missing(line: Line) -> None:
    program_id, token = await line.released()
    offer = (await line.offers.CreateOffer(create(program_id, token, seats=0))).offer
    found = await refused(line.offers.PublishOffer(service.PublishOfferRequest(offer_id=offer.offer_id)))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "OFFER_INCOMPLETE")
    assert found.rules == ["schedule", "capacity.seats", "price_list"]


def _twice() -> pb.SchedulePlan:
    plan = online()
    plan.sessions.add().CopyFrom(plan.sessions[0])
    return plan


async def _ask(line: Line, request: Any) -> Refused:  # noqa: ANN401 - any command's request
    offer = await line.draft()
    request.offer_id = offer.offer_id
    method = type(request).__name__.removesuffix("Request")
    return await refused(getattr(line.offers, method)(request))


async def test_a_price_list_without_sense_names_the_rule_and_the_tier(line: Line) -> None:
    found = await _ask(line, service.SetPriceListRequest(price_list=prices(-1, "Early")))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PRICE_LIST_INVALID")
    assert found.metadata == {"rule": "tier.price", "tier": "Early"}


async def test_a_plan_without_sense_names_the_rule(line: Line) -> None:
    found = await _ask(line, service.ScheduleSessionsRequest(plan=pb.SchedulePlan()))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "SCHEDULE_INVALID")
    assert found.metadata == {"rule": "plan.kind"}


async def test_sessions_of_one_offer_do_not_overlap(line: Line) -> None:
    found = await _ask(line, service.ScheduleSessionsRequest(plan=_twice()))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SESSIONS_OVERLAP")
    assert found.metadata == {"first": "2030-03-01T09:00:00Z", "second": "2030-03-01T09:00:00Z"}


async def test_seats_that_contradict_each_other_are_refused(line: Line) -> None:
    program_id, token = await line.released()
    request = create(program_id, token, seats=3)
    request.definition.capacity.minimum = 4
    found = await refused(line.offers.CreateOffer(request))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAPACITY_INVALID")
    assert found.metadata == {"rule": "capacity.minimum"}


async def test_every_field_that_breaks_a_rule_is_listed(line: Line) -> None:
    request = service.SetPriceListRequest(offer_id="7", max_wait=Duration(seconds=31))
    found = await refused(line.offers.SetPriceList(request))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert set(found.fields) == {"offer_id", "max_wait", "price_list"}


async def test_a_text_with_a_nul_is_refused_by_its_field(line: Line) -> None:
    offer = await line.draft()
    plan = in_room("Lo\0ft", trainer="t\0")
    found = await refused(
        line.offers.ScheduleSessions(service.ScheduleSessionsRequest(offer_id=offer.offer_id, plan=plan))
    )
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    assert found.fields == ["plan.sessions[0].traits.place.room", "plan.sessions[0].traits.trainer_ids[0]"]


@pytest.mark.parametrize("claim", ["rita;roles=reader", "sam;roles=sales,author,reviewer,publisher,operator"])
async def test_only_offer_managers_change_offers(line: Line, claim: str) -> None:
    call = line.offers.SetPriceList(price(UNKNOWN), metadata=(("training-principal", claim),))
    found = await refused(call)
    assert (found.code, found.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
