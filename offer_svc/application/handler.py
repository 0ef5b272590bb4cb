"""How commands on an offer are decided: on its state and its reservations, each on what the one before made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bus.commands.path import Accepted, CommandCall, Unchanged
from chassis.postgres import Connection
from offer_svc.application.affected import Affected
from offer_svc.application.needs import needs_of
from offer_svc.application.ports import BookedResources, Books, Encoder, KnownPrograms
from offer_svc.domain.bookings import Clash, held_by, tolerated
from offer_svc.domain.commands import (
    CancelForRetirement,
    CancelOffer,
    Command,
    CopyOffer,
    CreateOffer,
    ImportOffer,
    PublishOffer,
    RescheduleOffer,
    ReservationCommand,
    ScheduleSessions,
)
from offer_svc.domain.context import Bounds, Context, ProgramFacts, Rules
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.keeping import book_after
from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import NO_RESERVATIONS, Book

Effects = Mapping[str, object]

_SCHEDULING = ScheduleSessions | RescheduleOffer | CopyOffer | ImportOffer


@dataclass(frozen=True, slots=True)
class Opened:
    """An offer with the reservations that a batch of commands needs, both as they are after those before."""

    offer: Offer
    book: Book


class Merge(Protocol):
    """Adds up what several revisions change beside the offer."""

    def __call__(self, effects: Sequence[Effects]) -> Effects:
        """Return the net effects."""
        ...


@dataclass(frozen=True, slots=True)
class OfferHandler:
    """Fills the command path's `Handler`."""

    encoder: Encoder
    programs: KnownPrograms
    booked: BookedResources
    books: Books
    bounds: Bounds
    rules: Rules
    net: Merge

    async def load(
        self, connection: Connection, aggregate_id: UUID, stored: bytes | None, commands: Sequence[Command]
    ) -> Opened | None:
        """Return the offer with what the commands need of its reservations."""
        del aggregate_id
        if stored is None:
            return None
        offer = self.encoder.decode(stored)
        needs = needs_of(commands, offer, self.rules.most_promotions)
        return Opened(offer, await self.books.open(connection, offer, needs) if needs else NO_RESERVATIONS)

    def etag(self, state: Opened) -> str:
        """Return the etag of the offer's definition."""
        return self.encoder.etag(state.offer)

    async def decide(
        self, state: Opened | None, command: Command, call: CommandCall, now: datetime, connection: Connection
    ) -> Accepted[Opened] | Unchanged:
        """Decide one command: its changes, the state after them, and all of it encoded."""
        before, book = (None, NO_RESERVATIONS) if state is None else (state.offer, state.book)
        if isinstance(command, ReservationCommand):  # they depend on nothing else, and many wait for each
            context = Context(now, call.principal, bounds=self.bounds, rules=self.rules, book=book)
        else:
            source = await self._source(connection, command)
            program = await self._program(connection, command, before or source)
            context = Context(now, call.principal, program, self.bounds, self.rules, book, source)
        changes = decide(before, command, context)
        after = apply(before, changes, context)
        clashes = await self._clashes(connection, command, after)
        if not changes:
            reservation = book.get(command.reservation_id) if isinstance(command, ReservationCommand) else None
            response = self.encoder.response(after, command, clashes=clashes, reservation=reservation)
            return Unchanged(response, "" if reservation is None else reservation.participant or "")
        affected = await self._affected(connection, command)
        revision = self.encoder.revision(
            before, after, changes, command, call.principal, clashes=clashes, affected=affected
        )
        return Accepted(after.revision, revision, Opened(after, book_after(changes, context)))

    def merge(self, effects: Sequence[Effects]) -> Effects:
        """Return the net effects of a batch."""
        return self.net(effects)

    async def _source(self, connection: Connection, command: Command) -> Offer | None:
        """Return the offer to copy, if it is there."""
        return await self.books.offer(connection, command.source_offer_id) if isinstance(command, CopyOffer) else None

    async def _program(self, connection: Connection, command: Command, known: Offer | None) -> ProgramFacts | None:
        """Return what is known of the program, where the command depends on it."""
        match command:
            case CreateOffer() | ImportOffer() if known is None:
                return await self.programs.facts(connection, command.definition.program_id)
            case CopyOffer() | PublishOffer() | CancelForRetirement() if known is not None:
                return await self.programs.facts(connection, known.definition.program_id)
            case _:
                return None

    async def _clashes(self, connection: Connection, command: Command, after: Offer) -> Sequence[Clash]:
        """Return the clashes to warn of, where the command sets the schedule. Raises DoubleBooking for forbidden ones.

        Two that decide at once may both see none; the database then refuses the later commit, which decides again.
        """
        if not isinstance(command, _SCHEDULING) or after.booking_mode is None:
            return ()
        wanted = held_by(after)
        if not wanted:
            return ()
        return tolerated(after.booking_mode, await self.booked.clashes(connection, wanted, after.booking_mode))

    async def _affected(self, connection: Connection, command: Command) -> Affected | None:
        """Return who is affected, where the caller is told."""
        if not isinstance(command, CancelOffer):
            return None
        return await self.books.affected(connection, command.offer_id)
