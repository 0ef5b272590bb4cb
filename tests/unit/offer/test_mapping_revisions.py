"""What one accepted command writes: its row, its event, its record, its answer, and the rows beside it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta

import pytest
from training.offer.v1 import events_pb2, offer_pb2, reservation_pb2
from training.offer.v1 import offer_service_pb2 as service

from bus.commands.path import Revision
from offer_svc.adapters.mapping import reservation_details, to_message
from offer_svc.domain.commands import (
    CloseSales,
    Command,
    CompleteOffer,
    ConfirmReservation,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    PromoteWaiting,
    ReleaseReservation,
    RescheduleOffer,
    ReserveSeats,
    SetPriceList,
)
from offer_svc.domain.pricing import PriceList
from tests.unit.offer.revisions import ANN, BEN, CEM, ENCODING, OTHER, read, revision_of
from tests.unit.offer.sale import ENDS, HOUR, MINUTE, STARTS, Sale, draft, on_sale, sold_out
from tests.unit.offer.samples import (
    CANCEL,
    CREATE,
    DEFINITION,
    NOW,
    OFFER,
    PLAN,
    PROGRAM,
    PUBLISH,
    TIER,
)

PRICE_ANEW = SetPriceList(OFFER, PriceList((replace(TIER, name="Anew"),)))


def test_the_row_has_what_views_and_the_timekeeper_look_for() -> None:
    sale = draft(replace(DEFINITION, decision_deadline=NOW + HOUR))
    columns = dict(revision_of(sale, PUBLISH).columns)
    assert columns.pop("state")
    assert columns == {
        "status": 2,
        "program_id": PROGRAM,
        "updated_at": NOW + MINUTE,
        "due_at": NOW + HOUR,
        "starts_at": STARTS,
        "trainers": ["t-1"],
    }
    assert len(revision_of(sale, CloseSales(OFFER)).columns) == len(columns) + 1


def test_the_row_of_an_offer_without_dates_has_none() -> None:
    columns = revision_of(Sale(), CREATE).columns
    assert (columns["due_at"], columns["starts_at"], columns["trainers"]) == (None, None, [])


def test_the_row_of_a_batch_is_written_for_the_last_revision_only() -> None:
    columns = revision_of_reserving(on_sale()).columns
    assert isinstance(columns, Mapping)
    assert columns._columns is None  # type: ignore[attr-defined] # nobody has looked at it
    assert columns["status"] == 2
    assert columns["state"] is columns["state"]


def revision_of_reserving(sale: Sale) -> Revision:
    """Reserve seats, and leave the row alone."""
    before, command = sale.offer, ReserveSeats(OFFER, CEM, "Cem", 1, "EUR")
    changes = sale.do(command)
    return ENCODING.revision(before, sale.offer, changes, command, "olga")


@pytest.mark.parametrize(
    ("make", "command", "who"),
    [
        (on_sale, ReserveSeats(OFFER, CEM, "Cem", 2, "EUR"), "Cem"),
        (sold_out, ExtendReservation(OFFER, BEN), "Ben"),
        (sold_out, ConfirmReservation(OFFER, BEN), "Ben"),
        (sold_out, ReleaseReservation(OFFER, ANN), "Ann"),
        (sold_out, JoinWaitlist(OFFER, CEM, "Cem", 2, "EUR"), "Cem"),
    ],
)
def test_a_command_on_a_reservation_is_answered_with_it(make: Callable[[], Sale], command: Command, who: str) -> None:
    sale = make()
    revision = revision_of(sale, command)
    answer = service.ReserveSeatsResponse.FromString(revision.response)
    assert answer.reservation == read(sale, who)
    assert answer.reservation.participant_id == revision.subject == who
    assert revision.effects is not None
    assert not revision.guarded
    assert who.encode() not in revision.public + revision.private
    assert who.encode() not in dict(revision.columns)["state"]  # type: ignore[operator] # bytes


@pytest.mark.parametrize(
    ("make", "command", "adds"),
    [
        (draft, PUBLISH, True),
        (on_sale, PRICE_ANEW, True),
        (on_sale, RescheduleOffer(OFFER, OTHER), True),
        (on_sale, CANCEL, False),
        (on_sale, CloseSales(OFFER), False),
        (on_sale, ReserveSeats(OFFER, CEM, "Cem", 2, "EUR"), False),
        (sold_out, ReleaseReservation(OFFER, ANN), False),
        (sold_out, EraseReservations(OFFER, "Ann"), False),
    ],
)
def test_an_offer_whose_content_just_fits_into_an_event_can_still_be_sold_and_ended(
    make: Callable[[], Sale], command: Command, *, adds: bool
) -> None:
    assert revision_of(make(), command).adds_content == adds


def test_whoever_leaves_the_waitlist_is_answered_with_the_entry_as_it_is_then() -> None:
    sale = sold_out()
    sale.join("Cem")
    answer = service.LeaveWaitlistResponse.FromString(revision_of(sale, LeaveWaitlist(OFFER, CEM)).response)
    assert answer.reservation == read(sale, "Cem")
    assert answer.reservation.state == reservation_pb2.Reservation.STATE_RELEASED


def test_a_promotion_is_written_beside_the_reservation_that_made_room() -> None:
    sale = sold_out()
    sale.join("Cem", 4)
    revision = revision_of(sale, ReleaseReservation(OFFER, BEN))
    assert revision.effects is not None
    assert revision.effects["changed_reservation_id"] == [BEN, CEM]
    assert revision.effects["changed_details"] == [reservation_details(sale.of(who)) for who in ("Ben", "Cem")]
    assert revision.subject == "Ben"
    assert b"Cem" not in revision.response


def test_a_reservation_whose_name_was_erased_is_answered_without_one() -> None:
    sale = sold_out()
    sale.do(EraseReservations(OFFER, "Ben"))
    revision = revision_of(sale, ConfirmReservation(OFFER, BEN))
    assert service.ConfirmReservationResponse.FromString(revision.response).reservation.participant_id == ""
    assert revision.subject == ""


@pytest.mark.parametrize(
    ("make", "command", "at"),
    [
        (sold_out, ExpireReservation(OFFER, BEN), HOUR),
        (on_sale, CompleteOffer(OFFER), ENDS - NOW),
    ],
)
def test_the_timekeeper_is_not_answered(make: Callable[[], Sale], command: Command, at: timedelta) -> None:
    sale = make()
    revision = revision_of(sale, command, at)
    assert (revision.response, revision.subject) == (b"", "")
    assert ENCODING.response(sale.offer, command) == b""
    assert ENCODING.response(sale.offer, PromoteWaiting(OFFER)) == b""


def test_a_stored_state_is_read_back() -> None:
    sale = sold_out()
    state = revision_of(sale, ConfirmReservation(OFFER, BEN)).columns["state"]
    assert isinstance(state, bytes)
    assert ENCODING.decode(state) == sale.offer
    assert ENCODING.etag(sale.offer) == offer_pb2.Offer.FromString(state).etag


def test_a_new_schedule_is_read_back_from_its_event_and_its_record() -> None:
    sale = on_sale(plan=OTHER)
    revision = revision_of(sale, RescheduleOffer(OFFER, PLAN))
    schedule = to_message(sale.offer).schedule
    told = events_pb2.OfferEvent.FromString(revision.public).offer
    (moved,) = events_pb2.OfferRevisionRecord.FromString(revision.private).changes
    assert moved.moved.schedule == schedule == told.schedule
    assert len(told.previous_dates) == 1
