"""What the use cases of offers need from outside: encoding, programs, bookings, reservations."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from bus.commands.path import Revision
from chassis.postgres import Connection
from offer_svc.application.affected import Affected
from offer_svc.application.needs import Needs
from offer_svc.domain.bookings import Booking, Clash
from offer_svc.domain.changes import Change
from offer_svc.domain.commands import Command
from offer_svc.domain.context import ProgramFacts
from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import Book, Reservation
from offer_svc.domain.schedule import BookingMode


class Encoder(Protocol):
    """Writes offers and what happens to them as messages, and reads them back."""

    def decode(self, state: bytes) -> Offer:
        """Return the offer from its stored message."""
        ...

    def etag(self, state: Offer) -> str:
        """Return the etag of the offer's definition."""
        ...

    def revision(
        self,
        before: Offer | None,
        after: Offer,
        changes: tuple[Change, ...],
        command: Command,
        actor: str,
        *,
        clashes: Sequence[Clash] = (),
        affected: Affected | None = None,
    ) -> Revision:
        """Encode one revision: the new state and its rows, the event, the private record, the response."""
        ...

    def response(
        self,
        offer: Offer,
        command: Command,
        *,
        clashes: Sequence[Clash] = (),
        reservation: Reservation | None = None,
    ) -> bytes:
        """Encode the response to a command that changed nothing."""
        ...


class KnownPrograms(Protocol):
    """The programs as this service's replica knows them."""

    async def facts(self, connection: Connection, program_id: UUID) -> ProgramFacts | None:
        """Return what is known of a program as it is decided; a guarded commit makes sure that it still holds."""
        ...


class BookedResources(Protocol):
    """What the rooms and trainers are booked for."""

    async def clashes(self, connection: Connection, wanted: Sequence[Booking], mode: BookingMode) -> Sequence[Clash]:
        """Return where other offers have booked what is wanted, by resource and time.

        Bookings that forbid clash with each other only; those that warn are told of all.
        """
        ...


class Books(Protocol):
    """The reservations of offers; they change in the revisions of their offer only."""

    async def open(self, connection: Connection, offer: Offer, needs: Needs) -> Book:
        """Return the reservations that commands need, as they are at the offer's revision.

        Where the offer has another revision by now, it fails as a commit does that others overtook.
        """
        ...

    async def affected(self, connection: Connection, offer_id: UUID) -> Affected:
        """Return the live reservations of an offer."""
        ...

    async def offer(self, connection: Connection, offer_id: UUID) -> Offer | None:
        """Return another offer, as it stands."""
        ...
