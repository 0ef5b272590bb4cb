"""People: a participant's name is erased, and the counts are kept."""

from dataclasses import replace

from offer_svc.domain.changes import ParticipantErased
from offer_svc.domain.commands import (
    CancelOffer,
    ConfirmReservation,
    EraseReservations,
    ReleaseReservation,
    ReserveSeats,
)
from offer_svc.domain.reservation import ReservationState
from tests.unit.offer.sale import MINUTE, id_of, on_sale, sold_out
from tests.unit.offer.samples import OFFER

ANN, BEN, CEM = id_of("Ann"), id_of("Ben"), id_of("Cem")


def test_erasing_clears_the_name_from_every_reservation_and_keeps_the_counts() -> None:
    sale = on_sale()
    sale.reserve("Ann", 2)
    sale.do(ReleaseReservation(OFFER, ANN), ReserveSeats(OFFER, BEN, "Ann", 3, "EUR"))
    sale.reserve("Cem")
    sale.now += MINUTE
    before = sale.offer
    assert sale.do(EraseReservations(OFFER, "Ann")) == (ParticipantErased((ANN, BEN)),)
    assert [sale.of(name).participant for name in ("Ann", "Ben", "Cem")] == [None, None, "Cem"]
    assert sale.of("Ben").update_time == sale.now
    assert (sale.offer.seats, sale.offer.revision) == (before.seats, before.revision + 1)
    assert sale.offer.definition_revision == before.definition_revision


def test_erasing_again_finds_nothing() -> None:
    sale = sold_out()
    sale.do(EraseReservations(OFFER, "Ann"))
    assert sale.do(EraseReservations(OFFER, "Ann")) == ()
    assert sale.do(EraseReservations(OFFER, "Nobody")) == ()


def test_a_nameless_reservation_goes_on() -> None:
    sale = sold_out()
    sale.join("Cem", 4)
    for name in ("Ben", "Cem"):
        sale.do(EraseReservations(OFFER, name))
    assert sale.book.live_of("Cem") is None
    sale.do(ReleaseReservation(OFFER, BEN), ConfirmReservation(OFFER, CEM))
    assert (sale.of("Cem").participant, sale.taken) == (None, (0, 10, 0))
    sale.do(CancelOffer(OFFER, "why"))
    assert sale.states("Ann", "Cem") == [ReservationState.CANCELLED] * 2


def test_other_offers_reservations_in_the_book_are_not_this_ones() -> None:
    sale = sold_out()
    sale.book = sale.book.with_all([replace(sale.of("Ann"), offer_id=CEM)])
    assert sale.do(EraseReservations(OFFER, "Ann")) == ()
