"""What managers change of an offer: its definition, its capacity, its dates; copies, deletion, calling it off."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import grpc
from google.protobuf.field_mask_pb2 import FieldMask
from google.type.interval_pb2 import Interval
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.ledger import judge
from tests.integration.offer.line import Line, create, in_room, online, price
from tests.integration.offer.selling import (
    CANCELLED,
    HELD,
    RELEASED,
    WAITING,
    confirm,
    read,
    release,
    reserve,
    set_capacity,
    wait_for,
)
from tests.integration.refusals import refused


def update(offer: pb.Offer, *paths: str, etag: str = "", **terms: object) -> service.UpdateOfferRequest:
    """Write UpdateOffer."""
    definition = service.OfferDefinition(program_id=offer.program_id, **terms)  # type: ignore[arg-type] # fields by name
    mask = FieldMask(paths=paths) if paths else None
    return service.UpdateOfferRequest(offer_id=offer.offer_id, definition=definition, update_mask=mask, etag=etag)


async def test_the_fields_of_the_mask_are_changed_and_no_others(line: Line) -> None:
    offer = await line.published()
    request = update(offer, "language_codes", "waitlist_limit", language_codes=["de", "fr"], waitlist_limit=7)
    changed = (await line.offers.UpdateOffer(request)).offer
    assert (list(changed.language_codes), changed.waitlist_limit) == (["de", "fr"], 7)
    assert changed.capacity == offer.capacity
    assert changed.etag != offer.etag
    assert (await line.offers.UpdateOffer(request)).offer == changed
    stale = update(offer, "language_codes", language_codes=["it"], etag=offer.etag)
    assert (await refused(line.offers.UpdateOffer(stale))).reason == "ETAG_MISMATCH"


async def test_a_published_offer_keeps_its_program_and_its_capacity(line: Line) -> None:
    offer = await line.published()
    other, _ = await line.released()
    for request in (
        service.UpdateOfferRequest(
            offer_id=offer.offer_id,
            definition=service.OfferDefinition(program_id=other),
            update_mask=FieldMask(paths=["program_id"]),
        ),
        update(offer, "capacity", capacity=pb.Capacity(maximum=99)),
    ):
        assert (await refused(line.offers.UpdateOffer(request))).reason == "FIELD_LOCKED"


async def test_the_capacity_can_not_go_below_what_is_taken(line: Line) -> None:
    offer = await line.published(seats=5)
    await reserve(line, offer.offer_id, seats=3)
    found = await refused(set_capacity(line, offer.offer_id, 2))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CAPACITY_BELOW_TAKEN")
    await set_capacity(line, offer.offer_id, 3)
    assert (await refused(reserve(line, offer.offer_id))).reason == "NO_SEATS"
    waiting = await wait_for(line, offer.offer_id)
    await set_capacity(line, offer.offer_id, 4)
    assert (await read(line, waiting)).state == HELD
    await judge(line.dsn, offer.offer_id)


async def test_a_deleted_draft_is_not_found_and_its_id_is_not_used_again(line: Line) -> None:
    room = str(uuid4())
    draft = await line.draft(in_room(room))
    deleted = await line.offers.DeleteOffer(service.DeleteOfferRequest(offer_id=draft.offer_id))
    assert deleted.offer.state == pb.Offer.STATE_DELETED
    assert (await refused(line.get(draft.offer_id))).code is grpc.StatusCode.NOT_FOUND
    assert (await refused(line.offers.SetPriceList(price(draft.offer_id)))).code is grpc.StatusCode.NOT_FOUND
    request = service.ListOffersRequest(program_id=draft.program_id)
    assert not (await line.offers.ListOffers(request)).offers
    history = service.ListOfferHistoryRequest(offer_id=draft.offer_id)
    told = [each.command for each in (await line.offers.ListOfferHistory(history)).entries]
    assert told == ["DeleteOffer", "ScheduleSessions", "CreateOffer"]
    again = create(draft.program_id, offer_id=draft.offer_id)
    assert (await refused(line.offers.CreateOffer(again))).reason == "RESOURCE_EXISTS"
    await line.draft(in_room(room))
    published = await line.published()
    gone = service.DeleteOfferRequest(offer_id=published.offer_id)
    assert (await refused(line.offers.DeleteOffer(gone))).reason == "OFFER_STATE"


async def test_a_copy_has_the_terms_of_its_source_at_its_own_dates(line: Line) -> None:
    room, window = str(uuid4()), Interval()
    window.start_time.FromJsonString("2029-01-01T00:00:00Z")
    window.end_time.FromJsonString("2030-02-01T00:00:00Z")
    source = await line.published(seats=7, plan=in_room(room), sales_window=window)
    request = service.CopyOfferRequest(source_offer_id=source.offer_id, plan=in_room(room, days=["2030-03-11"]))
    copy = (await line.offers.CopyOffer(request)).offer
    assert (copy.state, copy.source_offer_id) == (pb.Offer.STATE_DRAFT, source.offer_id)
    assert (copy.program_id, copy.capacity, copy.price_list) == (source.program_id, source.capacity, source.price_list)
    assert copy.sales_window.end_time.ToJsonString() == "2030-02-11T00:00:00Z"
    assert copy.sales_window.start_time.ToJsonString() == "2029-01-11T00:00:00Z"
    clashing = service.CopyOfferRequest(source_offer_id=source.offer_id, plan=in_room(room))
    assert (await refused(line.offers.CopyOffer(clashing))).reason == "DOUBLE_BOOKING"
    unknown = service.CopyOfferRequest(source_offer_id=str(uuid4()), plan=online())
    assert (await refused(line.offers.CopyOffer(unknown))).code is grpc.StatusCode.NOT_FOUND
    await line.retire(source.program_id)


async def test_a_rescheduled_offer_keeps_its_reservations_and_lets_them_leave(line: Line) -> None:
    room, other = str(uuid4()), str(uuid4())
    offer = await line.published(plan=in_room(room))
    seat = await confirm(line, await reserve(line, offer.offer_id))
    request = service.RescheduleOfferRequest(offer_id=offer.offer_id, plan=in_room(other, days=["2030-05-01"]))
    moved = (await line.offers.RescheduleOffer(request)).offer
    assert (moved.state, moved.seats.confirmed) == (pb.Offer.STATE_PUBLISHED, 1)
    assert [each.start_time.ToJsonString() for each in moved.previous_dates] == ["2030-03-01T09:00:00Z"]
    left = moved.leave_until.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert timedelta(days=13) < left <= timedelta(days=14)
    await line.draft(in_room(room))
    assert (await refused(line.draft(in_room(other, days=["2030-05-01"])))).reason == "DOUBLE_BOOKING"
    assert (await release(line, seat)).state == RELEASED
    same = (await line.offers.RescheduleOffer(request)).offer
    assert same.revision == moved.revision + 1  # the release alone


async def test_confirmed_seats_of_an_offer_that_has_begun_can_be_left_only_after_it_was_rescheduled(line: Line) -> None:
    now = datetime.now(UTC)
    begun = online(str((now - timedelta(days=2)).date()))
    begun.MergeFrom(online(str((now + timedelta(days=10)).date())))
    offer = await line.published(plan=begun)
    selling = Interval()
    selling.end_time.FromDatetime(now + timedelta(days=5))
    await line.offers.UpdateOffer(update(offer, "sales_window", sales_window=selling))
    first, second = [await confirm(line, await reserve(line, offer.offer_id)) for _ in range(2)]
    assert (await refused(release(line, first))).reason == "TOO_LATE_TO_LEAVE"
    begun.MergeFrom(online(str((now + timedelta(days=20)).date())))
    await line.offers.RescheduleOffer(service.RescheduleOfferRequest(offer_id=offer.offer_id, plan=begun))
    assert (await release(line, second)).state == RELEASED


async def test_calling_an_offer_off_ends_every_reservation_in_one_revision_and_tells_them(line: Line) -> None:
    offer = await line.published(seats=3)
    confirmed = await confirm(line, await reserve(line, offer.offer_id))
    held = await reserve(line, offer.offer_id, seats=2)
    waiting = await wait_for(line, offer.offer_id)
    before = (await line.get(offer.offer_id)).revision
    request = service.CancelOfferRequest(offer_id=offer.offer_id, reason="flood", request_id=str(uuid4()))
    told = await line.offers.CancelOffer(request)
    assert (told.cancelled, told.released, told.left_waitlist) == (1, 1, 1)
    assert [each.reservation_id for each in told.reservations] == [
        each.reservation_id for each in (confirmed, held, waiting)
    ]
    assert [each.state for each in told.reservations] == [CANCELLED, RELEASED, RELEASED]
    assert not any(each.participant_id for each in told.reservations)
    assert told.offer.revision == before + 1
    assert (told.offer.seats.held, told.offer.seats.confirmed, told.offer.seats.waiting) == (0, 0, 0)
    after = [await read(line, each) for each in (confirmed, held, waiting)]
    assert [each.state for each in after] == [CANCELLED, RELEASED, RELEASED]
    assert [each.participant_id for each in after] == [each.participant_id for each in (confirmed, held, waiting)]
    assert not any(each.HasField("expire_time") for each in after)
    assert await line.offers.CancelOffer(request) == told
    await judge(line.dsn, offer.offer_id)


async def test_a_validated_cancellation_tells_who_would_be_affected_and_changes_nothing(line: Line) -> None:
    offer = await line.published()
    waiting = await reserve(line, offer.offer_id)
    request = service.CancelOfferRequest(offer_id=offer.offer_id, reason="flood", validate_only=True)
    assert (await line.offers.CancelOffer(request)).released == 1
    assert (await read(line, waiting)).state == HELD != WAITING
