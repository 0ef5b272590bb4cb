"""What training managers and sales read: views of the command database, apart from the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.listing import Listed, Place
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.reservation import ReservationState


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers; empty means all. The start is at or after the one bound and before the other."""

    states: tuple[State, ...] = ()
    program_id: UUID | None = None
    trainer_id: str | None = None
    starts_from: datetime | None = None
    starts_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReservationFilter:
    """Which reservations: those of an offer or those of a participant, in some states; no states means all."""

    offer_id: UUID | None = None
    participant: str | None = None
    states: tuple[ReservationState, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """An entry of the waitlist: its number and its stored message."""

    wait_number: int
    message: bytes


class OfferViews(Protocol):
    """The offers as they stand. A deleted one is not there."""

    async def get(self, offer_id: UUID) -> bytes:
        """Return an offer's stored message. Raises ResourceNotFound."""
        ...

    async def get_all(self, offer_ids: Sequence[UUID]) -> Sequence[bytes]:
        """Return the stored messages in this order. Raises ResourceNotFound, which names all that are not there."""
        ...

    async def list(self, chosen: OfferFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the offers after a place, latest change first."""
        ...

    async def at_present(self, offer_id: UUID) -> tuple[Offer | None, datetime]:
        """Return an offer as it stands, if there is one, and the database's time."""
        ...


class ReservationViews(Protocol):
    """The reservations as they stand, with their participants."""

    async def get(self, reservation_id: UUID) -> bytes:
        """Return a reservation's message. Raises ResourceNotFound."""
        ...

    async def list(self, chosen: ReservationFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the reservations after a place, the latest first by the time when they were made."""
        ...

    async def waiting(self, offer_id: UUID, after: int, most: int) -> Sequence[Waiting]:
        """Return who waits for seats of an offer behind a number, in the order in which they get them."""
        ...
