"""What a revision tells the world: whatever readers can see of it, and nothing else."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from training.offer.v1 import events_pb2

from offer_svc.adapters.mapping import event, published, record, to_message
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CloseSales,
    Command,
    CompleteOffer,
    ConfirmReservation,
    DecideAtDeadline,
    DeleteOffer,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    PromoteWaiting,
    PublishOffer,
    ReleaseReservation,
    RescheduleOffer,
    ReserveSeats,
    ScheduleSessions,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.pricing import Money, PriceList, PriceTier, TaxTreatment
from offer_svc.domain.schedule import BookingMode, SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.sale import DAY, ENDS, HOUR, MINUTE, Sale, draft, id_of, on_sale, sold_out
from tests.unit.offer.samples import (
    CANCEL,
    CREATE,
    DEFINITION,
    IMPORT,
    NOW,
    OFFER,
    ONLINE,
    PLAN,
    PRICES,
    PUBLISH,
    TIER,
    WEEKLY,
    single,
)

ADVANCED = ("training.offer.v1.Advanced", b"")
CODED = PriceTier("Partner", Money("EUR", Decimal(1)), code="SECRET-CODE")
NEXT_WEEK = replace(PLAN, weekly_rules=(replace(WEEKLY, first_date=WEEKLY.first_date + timedelta(7)),))
DUE = replace(DEFINITION, decision_deadline=NOW + HOUR)
ANN, BEN, CEM = id_of("Ann"), id_of("Ben"), id_of("Cem")


def event_of(sale: Sale, command: Command, at: timedelta = MINUTE) -> tuple[str, bytes]:
    """Carry a command out, which must change something; return its event."""
    before, sale.now = sale.state, NOW + at
    changes = sale.do(command)
    assert changes
    return event("olga", before, sale.offer, changes)


def updated(**fields: object) -> UpdateOffer:
    """Return an update of some fields of the sample definition."""
    return UpdateOffer(OFFER, replace(DEFINITION, **fields), frozenset(fields))  # type: ignore[arg-type] # any fields


def at_risk() -> Sale:
    """Return an offer that is at risk, with four seats held."""
    sale = on_sale(DUE)
    sale.reserve("Ann", 4)
    event_of(sale, DecideAtDeadline(OFFER), HOUR)
    return sale


def promoting() -> Sale:
    """Return a sale at which one waits, and seats are still to be given."""
    sale = sold_out()
    sale.join("Cem", 2)
    sale.join("Dea", 2)
    sale.context = replace(sale.context, rules=replace(sale.context.rules, most_promotions=1))
    sale.do(ReleaseReservation(OFFER, BEN))
    return sale


@pytest.mark.parametrize(
    ("make", "command", "kind", "change", "at"),
    [
        (draft, PUBLISH, "OfferPublished", "published", MINUTE),
        (Sale, IMPORT, "OfferPublished", "published", MINUTE),
        (on_sale, SetPriceList(OFFER, PriceList((replace(TIER, name="New"),))), "OfferRepriced", "repriced", MINUTE),
        (on_sale, CANCEL, "OfferCancelled", "cancelled", MINUTE),
        (sold_out, CANCEL, "OfferCancelled", "cancelled", MINUTE),
        (on_sale, RescheduleOffer(OFFER, NEXT_WEEK), "OfferRescheduled", "rescheduled", MINUTE),
        (on_sale, CompleteOffer(OFFER), "OfferCompleted", "completed", ENDS - NOW),
        (lambda: on_sale(DUE), DecideAtDeadline(OFFER), "OfferAtRisk", "at_risk", HOUR),
        (
            lambda: on_sale(replace(DUE, cancel_below_minimum=True)),
            DecideAtDeadline(OFFER),
            "OfferCancelled",
            "cancelled",
            HOUR,
        ),
        (on_sale, updated(language_codes=("fr",)), "OfferUpdated", "updated", MINUTE),
        (on_sale, updated(sales_window=Window(end=NOW + DAY)), "OfferUpdated", "updated", MINUTE),
        (at_risk, updated(decision_deadline=NOW + DAY), "OfferUpdated", "updated", 2 * HOUR),
        (sold_out, updated(waitlist_limit=0), "AvailabilityChanged", "availability_changed", MINUTE),
        (on_sale, SetCapacity(OFFER, 4, 20), "AvailabilityChanged", "availability_changed", MINUTE),
        (on_sale, SetCapacity(OFFER, 3, 12), "AvailabilityChanged", "availability_changed", MINUTE),
        (on_sale, CloseSales(OFFER), "AvailabilityChanged", "availability_changed", MINUTE),
        (
            on_sale,
            ReserveSeats(OFFER, ANN, "Ann", 1, "EUR"),
            "AvailabilityChanged",
            "availability_changed",
            MINUTE,
        ),
        (sold_out, ConfirmReservation(OFFER, BEN), "AvailabilityChanged", "availability_changed", MINUTE),
        (at_risk, SetCapacity(OFFER, 0, 12), "AvailabilityChanged", "availability_changed", 2 * HOUR),
        (sold_out, ReleaseReservation(OFFER, ANN), "AvailabilityChanged", "availability_changed", MINUTE),
        (sold_out, ExpireReservation(OFFER, BEN), "AvailabilityChanged", "availability_changed", HOUR),
        (
            sold_out,
            JoinWaitlist(OFFER, CEM, "Cem", 1, "EUR"),
            "AvailabilityChanged",
            "availability_changed",
            MINUTE,
        ),
        (promoting, PromoteWaiting(OFFER), "AvailabilityChanged", "availability_changed", MINUTE),
    ],
)
def test_a_public_change_is_one_event_with_the_whole_state(
    make: Callable[[], Sale], command: Command, kind: str, change: str, at: timedelta
) -> None:
    sale = make()
    name, written = event_of(sale, command, at)
    body = events_pb2.OfferEvent.FromString(written)
    assert (name, body.actor) == (f"training.offer.v1.{kind}", "olga")
    assert body.WhichOneof("change") == change
    assert body.offer == published(sale.offer)


@pytest.mark.parametrize(
    ("make", "command", "at"),
    [
        (Sale, CREATE, MINUTE),
        (draft, ScheduleSessions(OFFER, NEXT_WEEK), MINUTE),
        (draft, SetPriceList(OFFER, PriceList((replace(TIER, name="New"),))), MINUTE),
        (draft, SetCapacity(OFFER, 1, 20), MINUTE),
        (draft, updated(language_codes=("fr",)), MINUTE),
        (draft, DeleteOffer(OFFER), MINUTE),
        (on_sale, SetPriceList(OFFER, PriceList((CODED, *PRICES.tiers))), MINUTE),
        (on_sale, updated(decision_deadline=NOW + DAY, cancel_below_minimum=True), MINUTE),
        (on_sale, updated(waitlist_limit=5), MINUTE),
        (on_sale, RescheduleOffer(OFFER, replace(PLAN, booking_mode=BookingMode.WARN)), MINUTE),
        (sold_out, ExtendReservation(OFFER, BEN), MINUTE),
        (sold_out, EraseReservations(OFFER, "Ann"), MINUTE),
        (lambda: on_sale(replace(DUE, capacity=Capacity(2, 12, 2))), DecideAtDeadline(OFFER), HOUR),
    ],
)
def test_what_readers_do_not_see_tells_them_nothing(make: Callable[[], Sale], command: Command, at: timedelta) -> None:
    assert event_of(make(), command, at) == ADVANCED


@pytest.mark.parametrize(
    "changed",
    [
        PriceList((replace(TIER, price=Money("EUR", Decimal(1))),)),
        PriceList((TIER,), TaxTreatment.INCLUDED, Decimal(19)),
        PriceList((TIER, replace(TIER, name="More"))),
        PriceList((replace(TIER, quantity_limit=3),)),
    ],
)
def test_any_difference_that_readers_see_is_a_new_price(changed: PriceList) -> None:
    assert event_of(on_sale(), SetPriceList(OFFER, changed))[0].endswith(".OfferRepriced")
    for treatment, rate in ((TaxTreatment.INCLUDED, 8), (TaxTreatment.EXCLUDED, 7)):
        rated = on_sale(prices=PriceList((TIER,), TaxTreatment.INCLUDED, Decimal(7)))
        other = PriceList((TIER,), treatment, Decimal(rate))
        assert event_of(rated, SetPriceList(OFFER, other))[0].endswith(".OfferRepriced")


def test_confirming_seats_can_end_a_risk() -> None:
    sale = at_risk()
    sale.reserve("Ben", 2)
    _, written = event_of(sale, ConfirmReservation(OFFER, BEN), HOUR + MINUTE)
    assert not events_pb2.OfferEvent.FromString(written).offer.at_risk
    assert not sale.offer.at_risk


def test_readers_never_see_join_uris_codes_reasons_or_participants() -> None:
    plan = SchedulePlan(sessions=(single("2027-03-01T09:00", "2027-03-01T10:00", traits=ONLINE),))
    sale = draft(plan=plan, prices=PriceList((CODED, TIER)))
    told = [event_of(sale, PublishOffer(OFFER))]
    told.append(event_of(sale, ReserveSeats(OFFER, ANN, "participant-4711", 1, "EUR", CODED.code)))
    told.append(event_of(sale, ConfirmReservation(OFFER, ANN)))
    told.append(event_of(sale, CANCEL))
    kept = to_message(sale.offer).SerializeToString()
    for secret in (ONLINE.join_uri, CODED.code, CODED.name, CANCEL.reason):
        assert secret.encode() in kept
        assert all(secret.encode() not in body for _, body in told)
    assert all(b"4711" not in body and str(ANN).encode() not in body for _, body in told)
    assert ONLINE.join_uri.encode() in record("ScheduleSessions", draft().do(ScheduleSessions(OFFER, plan)))
