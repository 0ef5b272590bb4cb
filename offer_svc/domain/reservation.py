"""Seats in one participant's name, and what was loaded of an offer's reservations."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from offer_svc.domain.pricing import ApplicablePrice


class ReservationState(IntEnum):
    """The states of a reservation."""

    WAITING = 1
    HELD = 2
    CONFIRMED = 3
    RELEASED = 4
    EXPIRED = 5
    CANCELLED = 6


LIVE = frozenset({ReservationState.WAITING, ReservationState.HELD, ReservationState.CONFIRMED})
"""A participant has at most one reservation of an offer in one of these."""


@dataclass(frozen=True, slots=True)
class Reservation:
    """One or more seats in one participant's name, or the wish for them.

    `participant` is None once it was erased. `expire_time` is there while HELD and once EXPIRED, `hold_time` (when the
    hold began) as soon as it was ever held. `wait_number` is zero unless it was ever on the waitlist.
    """

    reservation_id: UUID
    offer_id: UUID
    participant: str | None
    state: ReservationState
    seats: int
    price: ApplicablePrice
    create_time: datetime
    update_time: datetime
    hold_time: datetime | None = None
    expire_time: datetime | None = None
    confirm_time: datetime | None = None
    wait_number: int = 0

    @property
    def is_live(self) -> bool:
        """Tell whether it is waiting, held or confirmed."""
        return self.state in LIVE

    def has_run_out(self, now: datetime) -> bool:
        """Tell whether it is a hold that was not confirmed in time, and has still its seats."""
        return self.state is ReservationState.HELD and self.expire_time is not None and self.expire_time <= now


@dataclass(frozen=True, slots=True)
class Book:
    """The reservations of an offer that were loaded for some commands: not changed, but followed by others.

    It has all that the commands name, the live ones of the participants they name, and, in their order, the first of
    those who wait; `has_more_waiting` says that others wait behind them who were not loaded.
    """

    by_id: dict[UUID, Reservation]
    live: dict[str, UUID]
    waiting: dict[UUID, None]
    has_more_waiting: bool = False

    @classmethod
    def of(
        cls, reservations: Iterable[Reservation], *, waiting: Sequence[Reservation] = (), has_more_waiting: bool = False
    ) -> "Book":
        """Open a book of what was loaded; `waiting` are the first of those who wait, by their number."""
        known = {reservation.reservation_id: reservation for reservation in (*reservations, *waiting)}
        return cls(
            known,
            {r.participant: r.reservation_id for r in known.values() if r.participant is not None and r.is_live},
            dict.fromkeys(reservation.reservation_id for reservation in waiting),
            has_more_waiting,
        )

    def get(self, reservation_id: UUID) -> Reservation | None:
        """Return a reservation by its id."""
        return self.by_id.get(reservation_id)

    def live_of(self, participant: str) -> Reservation | None:
        """Return the live reservation of a participant."""
        reservation_id = self.live.get(participant)
        return None if reservation_id is None else self.by_id[reservation_id]

    def of_participant(self, participant: str) -> Sequence[Reservation]:
        """Return all that was loaded of a participant, live or not."""
        return [reservation for reservation in self.by_id.values() if reservation.participant == participant]

    def in_line(self) -> Iterator[Reservation]:
        """Return those who wait, as far as loaded, in the order in which they get seats."""
        return map(self.by_id.__getitem__, self.waiting)

    def with_all(self, changed: Iterable[Reservation]) -> "Book":
        """Return the book after some reservations were made or changed, in this order."""
        after = Book(self.by_id.copy(), self.live.copy(), self.waiting.copy(), self.has_more_waiting)
        for reservation in changed:
            after._note(reservation)
        return after

    def _note(self, reservation: Reservation) -> None:
        """Write a reservation into a new book."""
        reservation_id = reservation.reservation_id
        before = self.by_id.get(reservation_id)
        self.by_id[reservation_id] = reservation
        if reservation.state is not ReservationState.WAITING:
            self.waiting.pop(reservation_id, None)
        elif before is None and not self.has_more_waiting:  # otherwise its place is behind others, who are not here
            self.waiting[reservation_id] = None
        if (
            before is not None
            and before.participant is not None
            and self.live.get(before.participant) == reservation_id
        ):
            del self.live[before.participant]
        if reservation.participant is not None and reservation.is_live:
            self.live[reservation.participant] = reservation_id


NO_RESERVATIONS = Book.of(())
