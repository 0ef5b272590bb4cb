"""What only offer managers are shown."""

from dataclasses import replace

from training.offer.v1 import events_pb2, offer_pb2

from offer_svc.adapters import mapping
from offer_svc.adapters.discretion import discreet, discreet_entry
from offer_svc.domain.changes import Change, OfferCalledOff, OfferMoved, PriceListSet, SalesClosed, SessionsScheduled
from offer_svc.domain.commands import CancelOffer, ImportOffer
from offer_svc.domain.offer import Cancellation, FormerDates
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import BookingMode, SchedulePlan
from offer_svc.domain.scheduling import expand
from tests.unit.offer.samples import BOUNDS, CREATE, DEFINITION, NOW, OFFER, TIER, after, single

PLAN = SchedulePlan(sessions=(single("2027-03-01T09:00", "2027-03-01T10:00"),))
CODED = PriceList((replace(TIER, name="Partner", code="P-77"), TIER))
SECRETS = ("https://meet.example/secret", "P-77", "somebody fell ill")


def tells(message: events_pb2.HistoryEntry | offer_pb2.Offer) -> list[bool]:
    """Tell which of the secrets stand in a message."""
    text = message.SerializeToString()
    return [secret.encode() in text for secret in SECRETS]


def test_an_offer_is_shown_without_what_is_for_managers_only() -> None:
    offer = after(ImportOffer(OFFER, DEFINITION, PLAN, CODED), CancelOffer(OFFER, SECRETS[2]))
    message = mapping.to_message(offer)
    assert tells(message) == [True, True, True]
    seen = discreet(mapping.to_message(offer))
    assert tells(seen) == [False, False, False]
    assert [tier.name for tier in seen.price_list.tiers] == ["Partner", "Standard"]
    assert len(seen.schedule.sessions) == 1
    assert seen.cancellation.cancel_time == message.cancellation.cancel_time


def test_what_has_nothing_of_it_is_shown_as_it_is() -> None:
    bare = mapping.to_message(after(CREATE))
    assert discreet(mapping.to_message(after(CREATE))) == bare


def test_the_history_is_told_without_what_is_for_managers_only() -> None:
    schedule = expand(PLAN, BOUNDS)
    changes: tuple[Change, ...] = (
        PriceListSet(CODED),
        SessionsScheduled(schedule, BookingMode.FORBID),
        OfferMoved(schedule, BookingMode.FORBID, FormerDates(None, None, NOW), NOW),
        OfferCalledOff(Cancellation(SECRETS[2], NOW)),
        SalesClosed(),
    )
    kept = events_pb2.OfferRevisionRecord.FromString(mapping.record("Various", changes))
    entry = events_pb2.HistoryEntry(command="Various", changes=kept.changes)
    assert tells(entry) == [True, True, True]
    seen = discreet_entry(entry)
    assert tells(seen) == [False, False, False]
    assert [change.WhichOneof("kind") for change in seen.changes] == [
        change.WhichOneof("kind") for change in kept.changes
    ]
