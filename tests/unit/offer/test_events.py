"""What a revision tells the world, and what it keeps to itself."""

from dataclasses import replace
from decimal import Decimal

import pytest
from training.offer.v1 import events_pb2, offer_pb2
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_HYBRID, DELIVERY_MODE_SELF_PACED

from offer_svc.adapters.mapping import event, published, record, to_message
from offer_svc.domain.commands import Command, ScheduleSessions, SetPriceList
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.pricing import Money, PriceList, PriceTier, TaxTreatment
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.samples import (
    CANCEL,
    CONTEXT,
    CREATE,
    DEFINITION,
    IMPORT,
    NOW,
    OFFER,
    ONLINE,
    ONSITE,
    PRICE,
    PRICES,
    PUBLISH,
    SCHEDULE,
    TIER,
    after,
    in_state,
    single,
)

ADVANCED = ("training.offer.v1.Advanced", b"")
CODED = PriceTier("Partner", Money("EUR", Decimal(1)), code="SECRET-CODE")


def told(before: Offer | None, command: Command) -> tuple[str, events_pb2.OfferEvent]:
    """Return the event of a command."""
    changes = decide(before, command, CONTEXT)
    kind, body = event("olga", before, apply(before, changes, CONTEXT), changes)
    return kind.removeprefix("training.offer.v1."), events_pb2.OfferEvent.FromString(body)


@pytest.mark.parametrize(
    ("before", "command", "kind", "change"),
    [
        (in_state(State.DRAFT), PUBLISH, "OfferPublished", "published"),
        (None, IMPORT, "OfferPublished", "published"),
        (
            in_state(State.PUBLISHED),
            SetPriceList(OFFER, PriceList((replace(TIER, name="New"),))),
            "OfferRepriced",
            "repriced",
        ),
        (in_state(State.PUBLISHED), CANCEL, "OfferCancelled", "cancelled"),
    ],
)
def test_a_public_change_is_one_event_with_the_whole_state(
    before: Offer | None, command: Command, kind: str, change: str
) -> None:
    name, body = told(before, command)
    state = apply(before, decide(before, command, CONTEXT), CONTEXT)
    assert (name, body.actor, body.WhichOneof("change")) == (kind, "olga", change)
    assert body.offer == published(state)


@pytest.mark.parametrize(
    ("before", "command"),
    [
        (None, CREATE),
        (after(CREATE), SCHEDULE),
        (after(CREATE), PRICE),
        (in_state(State.PUBLISHED), SetPriceList(OFFER, PriceList((CODED, *PRICES.tiers)))),
    ],
)
def test_what_readers_do_not_see_tells_them_nothing(before: Offer | None, command: Command) -> None:
    changes = decide(before, command, CONTEXT)
    assert changes
    assert event("olga", before, apply(before, changes, CONTEXT), changes) == ADVANCED


@pytest.mark.parametrize(
    "changed",
    [
        PriceList((replace(TIER, price=Money("EUR", Decimal(1))),)),
        PriceList((TIER,), TaxTreatment.INCLUDED, Decimal(19)),
        PriceList((TIER, replace(TIER, name="More"))),
    ],
)
def test_any_difference_that_readers_see_is_a_new_price(changed: PriceList) -> None:
    assert told(in_state(State.PUBLISHED), SetPriceList(OFFER, changed))[0] == "OfferRepriced"
    rated = after(IMPORT, SetPriceList(OFFER, PriceList((TIER,), TaxTreatment.INCLUDED, Decimal(7))))
    for treatment, rate in ((TaxTreatment.INCLUDED, 8), (TaxTreatment.EXCLUDED, 7)):
        other = PriceList((TIER,), treatment, Decimal(rate))
        assert told(rated, SetPriceList(OFFER, other))[0] == "OfferRepriced"


def test_readers_never_see_join_uris_codes_or_reasons() -> None:
    plan = SchedulePlan(sessions=(single("2027-03-01T09:00", "2027-03-01T10:00", traits=ONLINE),))
    prices = PriceList((CODED, TIER))
    before = after(CREATE, ScheduleSessions(OFFER, plan), SetPriceList(OFFER, prices), PUBLISH)
    changes = decide(before, CANCEL, CONTEXT)
    ended = apply(before, changes, CONTEXT)
    _, body = event("olga", before, ended, changes)
    kept = to_message(ended).SerializeToString()
    for secret in (ONLINE.join_uri, CODED.code, CODED.name, CANCEL.reason):
        assert secret.encode() in kept
        assert secret.encode() not in body
    assert (
        ONLINE.join_uri.encode()
        in record("ScheduleSessions", decide(after(CREATE), ScheduleSessions(OFFER, plan), CONTEXT)).SerializeToString()
    )


def test_the_public_state_is_complete() -> None:
    plan = SchedulePlan(
        sessions=(
            single("2027-03-01T09:00", "2027-03-01T10:00", traits=ONSITE),
            single("2027-03-02T09:00", "2027-03-02T10:00", traits=ONLINE),
        )
    )
    offer = after(replace(IMPORT, plan=plan, definition=replace(DEFINITION, sales_window=Window(end=NOW))))
    message, stored = published(offer), to_message(offer)
    assert message.mode == DELIVERY_MODE_HYBRID
    assert message.state == offer_pb2.Offer.STATE_PUBLISHED
    assert message.start_time == stored.schedule.sessions[0].start_time
    assert message.end_time == stored.schedule.sessions[1].end_time
    assert (message.seats_taken, message.capacity) == (2, stored.capacity)
    for name in (
        "offer_id",
        "program_id",
        "revision",
        "price_list",
        "sales_window",
        "language_codes",
        "create_time",
        "update_time",
        "publish_time",
    ):
        assert getattr(message, name) == getattr(stored, name)
    assert not message.HasField("cancel_time")


def test_a_cancelled_offer_says_when() -> None:
    offer = in_state(State.CANCELLED)
    assert published(offer).cancel_time == to_message(offer).cancellation.cancel_time


def test_an_open_ended_offer_has_no_end() -> None:
    message = published(after(replace(IMPORT, plan=SchedulePlan(access_window=Window(NOW)))))
    assert message.mode == DELIVERY_MODE_SELF_PACED
    assert message.HasField("start_time")
    assert not message.HasField("end_time")


def test_the_private_record_keeps_every_change_in_order() -> None:
    kept = record("ImportOffer", decide(None, IMPORT, CONTEXT))
    stored = to_message(after(IMPORT))
    assert kept.command == "ImportOffer"
    created, scheduled, priced, public = kept.changes
    assert created.created.program_id == stored.program_id
    assert created.created.capacity == stored.capacity
    assert list(created.created.language_codes) == ["en", "de-AT"]
    assert scheduled.sessions_scheduled.schedule == stored.schedule
    assert scheduled.sessions_scheduled.booking_mode == offer_pb2.BOOKING_MODE_FORBID
    assert priced.price_list_set.price_list == stored.price_list
    assert public.WhichOneof("kind") == "made_public"


def test_the_private_record_of_a_cancellation_keeps_the_reason() -> None:
    (change,) = record("CancelOffer", decide(in_state(State.PUBLISHED), CANCEL, CONTEXT)).changes
    assert change.called_off.cancellation.reason == CANCEL.reason
