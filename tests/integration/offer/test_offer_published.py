"""What the offer service tells of what it has published."""

import asyncio
from uuid import UUID

from training.offer.v1 import events_pb2
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service
from training.ops.v1 import journal_service_pb2 as journal

from offer_svc.adapters.published import PublishedOffers
from tests.integration.offer.line import Line, prices
from tests.integration.offer.selling import confirm, reserve
from tests.integration.remembered import judge_published


async def test_a_snapshot_and_the_digests_tell_of_every_offer_what_its_last_event_told(line: Line) -> None:
    sold, private, cancelled = [await line.published(seats=40) for _ in range(3)]
    draft = await line.draft()
    await asyncio.gather(*(reserve(line, sold.offer_id) for _ in range(20)))
    await confirm(line, await reserve(line, private.offer_id))
    hidden = prices()
    hidden.tiers.add(name="Partner", code="P-77").price.CopyFrom(hidden.tiers[0].price)
    request = service.SetPriceListRequest(offer_id=private.offer_id, price_list=hidden)
    repriced = (await line.offers.SetPriceList(request)).offer
    assert repriced.public_revision == repriced.revision - 1
    await line.offers.CancelOffer(service.CancelOfferRequest(offer_id=cancelled.offer_id, reason="why"))
    published = await judge_published(line.dsn, "offer", "offer_id", PublishedOffers())
    ids = [UUID(offer.offer_id).bytes for offer in (sold, private, cancelled, draft)]
    exported = line.journal.ExportSnapshot(journal.ExportSnapshotRequest(aggregate_ids=ids))
    told = {entry.aggregate_id: entry async for chunk in exported for entry in chunk.entries}
    assert list(told.values()) == [published[UUID(bytes=each)] for each in sorted(ids[:3])]
    (digest,) = [each async for each in line.journal.GetDigests(journal.GetDigestsRequest(aggregate_ids=ids))]
    assert [(each.aggregate_id, each.revision, each.event_id) for each in digest.entries] == [
        (each.aggregate_id, each.revision, each.event_id) for each in told.values()
    ]
    states = {
        state.offer_id: state
        for state in (events_pb2.OfferEvent.FromString(entry.body).offer for entry in told.values())
    }
    assert states[sold.offer_id].seats_held == 20
    assert [tier.name for tier in states[private.offer_id].price_list.tiers] == ["Standard"]
    assert states[cancelled.offer_id].state == pb.Offer.STATE_CANCELLED
    assert draft.offer_id not in states
