"""How changes make the next book of reservations."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from offer_svc.domain.changes import Change, OfferCalledOff, OfferEnded, ParticipantErased, ReservationChange
from offer_svc.domain.context import Context
from offer_svc.domain.reservation import Book, Reservation, ReservationState

CALLED_OFF: Final = {
    ReservationState.WAITING: ReservationState.RELEASED,
    ReservationState.HELD: ReservationState.RELEASED,
    ReservationState.CONFIRMED: ReservationState.CANCELLED,
}
"""What becomes of the reservations of an offer that is called off."""

ENDED: Final = {ReservationState.WAITING: ReservationState.RELEASED}
"""What becomes of the reservations of an offer that is completed; holds run out in their own time."""


def book_after(changes: tuple[Change, ...], context: Context) -> Book:
    """Return the context's book after the changes of one command: the next one of a batch is decided on it."""
    book = context.book
    changed = [reservation for change in changes for reservation in _changed(book, change, context.now)]
    return book.with_all(changed) if changed else book


def _changed(book: Book, change: Change, now: datetime) -> list[Reservation]:
    if isinstance(change, ReservationChange):
        return [change.reservation]
    match change:
        case OfferCalledOff():
            return _ended(book, CALLED_OFF, now)
        case OfferEnded():
            return _ended(book, ENDED, now)
        case ParticipantErased():
            found = map(book.get, change.reservation_ids)
            return [replace(reservation, participant=None, update_time=now) for reservation in found if reservation]
        case _:
            return []


def _ended(book: Book, becomes: Mapping[ReservationState, ReservationState], now: datetime) -> list[Reservation]:
    return [
        replace(reservation, state=becomes[reservation.state], update_time=now, expire_time=None)
        for reservation in book.by_id.values()
        if reservation.state in becomes
    ]
