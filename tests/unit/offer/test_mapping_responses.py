"""What commands on offers are answered, and what is left of an answer when a name is forgotten."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from training.offer.v1 import offer_service_pb2 as service

from offer_svc.adapters.encoding import erased_in, without_participant
from offer_svc.adapters.mapping import to_message
from offer_svc.application.affected import Affected
from offer_svc.domain.commands import (
    CancelOffer,
    CloseSales,
    Command,
    CopyOffer,
    DeleteOffer,
    EraseReservations,
    ExtendReservation,
    RescheduleOffer,
    ReserveSeats,
)
from offer_svc.domain.reservation import Reservation, ReservationState
from tests.unit.offer.revisions import ANN, BEN, CEM, CLASH, ENCODING, OTHER, read, revision_of
from tests.unit.offer.sale import Sale, draft, on_sale, sold_out
from tests.unit.offer.samples import (
    CANCEL,
    CREATE,
    IMPORT,
    OFFER,
    PLAN,
    SCHEDULE,
)


@pytest.mark.parametrize(
    ("make", "command"),
    [
        (Sale, CREATE),
        (lambda: draft(plan=OTHER), SCHEDULE),
        (draft, DeleteOffer(OFFER)),
        (on_sale, CloseSales(OFFER)),
    ],
)
def test_a_command_on_an_offer_is_answered_with_the_offer(make: Callable[[], Sale], command: Command) -> None:
    sale = make()
    revision = revision_of(sale, command)
    assert service.CreateOfferResponse.FromString(revision.response).offer == to_message(sale.offer)
    assert revision.response == ENCODING.response(sale.offer, command)
    assert revision.guarded == (command is CREATE)
    assert (revision.effects is None) == (command in (CREATE, CloseSales(OFFER)))


@pytest.mark.parametrize(
    ("make", "command"),
    [
        (lambda: draft(plan=OTHER), SCHEDULE),
        (lambda: on_sale(plan=OTHER), RescheduleOffer(OFFER, PLAN)),
        (Sale, CopyOffer(ANN, OFFER, PLAN)),
    ],
)
def test_whoever_sets_dates_is_warned_of_clashes(make: Callable[[], Sale], command: Command) -> None:
    sale = make()
    sale.context = replace(sale.context, source=on_sale().offer)
    answer = service.ScheduleSessionsResponse.FromString(revision_of(sale, command, clashes=[CLASH]).response)
    assert answer.offer == to_message(sale.offer)
    assert [clash.resource for clash in answer.clashes] == ["trainer:t-1"]


def test_an_import_is_answered_with_its_clashes() -> None:
    sale = Sale()
    revision = revision_of(sale, IMPORT, clashes=[CLASH])
    answer = service.ImportOffersResponse.FromString(revision.response)
    assert [clash.offer_id for clash in answer.clashes] == [str(CLASH.offer_id)]
    assert revision.guarded
    assert ENCODING.response(sale.offer, IMPORT) == b""


def test_whoever_calls_an_offer_off_is_told_of_all_it_affects_without_names() -> None:
    sale = sold_out()
    sale.join("Cem")
    were: tuple[Reservation, ...] = tuple(sale.of(who) for who in ("Ann", "Ben", "Cem"))
    revision = revision_of(sale, CANCEL, affected=Affected(were, 1, 1, 1))
    answer = service.CancelOfferResponse.FromString(revision.response)
    assert answer.offer == to_message(sale.offer)
    assert (answer.cancelled, answer.released, answer.left_waitlist) == (1, 1, 1)
    assert list(answer.reservations) == [read(sale, who, named=False) for who in ("Ann", "Ben", "Cem")]
    assert sale.states("Ann", "Ben", "Cem") == [
        ReservationState.CANCELLED,
        ReservationState.RELEASED,
        ReservationState.RELEASED,
    ]
    assert revision.subject == ""
    for who in (b"Ann", b"Ben", b"Cem"):
        assert who not in revision.response


def test_an_offer_without_reservations_affects_nobody() -> None:
    answer = service.CancelOfferResponse.FromString(revision_of(on_sale(), CancelOffer(OFFER, "why")).response)
    assert (len(answer.reservations), answer.cancelled) == (0, 0)


def test_an_erasure_says_how_many_reservations_it_found() -> None:
    sale = sold_out()
    revision = revision_of(sale, EraseReservations(OFFER, "Ann"))
    assert erased_in(revision.response) == 1
    assert revision.subject == ""
    assert revision.effects is not None
    assert revision.effects["erased_ids"] == [ANN]
    assert ENCODING.response(sale.offer, EraseReservations(OFFER, "Ann")) == b""
    assert erased_in(b"") == 0


def test_nothing_to_do_is_answered_with_what_is_there() -> None:
    sale = sold_out()
    sale.do(ExtendReservation(OFFER, BEN))
    answer = ENCODING.response(sale.offer, ExtendReservation(OFFER, BEN), reservation=sale.of("Ben"))
    assert service.ExtendReservationResponse.FromString(answer).reservation == read(sale, "Ben")


@pytest.mark.parametrize("method", ["ReserveSeats", "ConfirmReservation", "JoinWaitlist"])
def test_a_name_is_taken_out_of_a_stored_response(method: str) -> None:
    sale = on_sale()
    response = revision_of(sale, ReserveSeats(OFFER, CEM, "participant-4711", 1, "EUR")).response
    redacted = without_participant(f"/training.offer.v1.OfferService/{method}", response)
    assert b"4711" in response
    assert b"4711" not in redacted
    assert service.ReserveSeatsResponse.FromString(redacted).reservation == read(sale, "Cem", named=False)
    assert without_participant(f"/training.offer.v1.OfferService/{method}", redacted) == redacted


def test_other_responses_have_no_names_to_take_out() -> None:
    assert without_participant("/training.offer.v1.OfferService/CancelOffer", b"anything") == b"anything"
