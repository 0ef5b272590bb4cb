"""The one way of every command on an offer: decide on the present state, fold the changes, write one revision."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from bus.commands import Accepted, CommandCall, CommandPath, Outcome, Revision, Unchanged
from chassis.postgres import Connection
from offer_svc.domain.bookings import Booking, Clash, held_by, tolerated
from offer_svc.domain.changes import Change
from offer_svc.domain.commands import Command, CreateOffer, ImportOffer, PublishOffer, ScheduleSessions
from offer_svc.domain.context import Bounds, Context, ProgramFacts
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.offer import Offer
from offer_svc.domain.schedule import BookingMode


class Encoder(Protocol):
    """Writes offers and what happens to them as messages."""

    def revision(
        self,
        before: Offer | None,
        after: Offer,
        changes: tuple[Change, ...],
        command: Command,
        actor: str,
        *,
        clashes: Sequence[Clash],
    ) -> Revision:
        """Encode one revision: the new state, its bookings, the event, the private record, the response."""
        ...

    def response(self, offer: Offer, command: Command, clashes: Sequence[Clash]) -> bytes:
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


class Offers:
    """Executes commands on offers."""

    def __init__(
        self,
        path: CommandPath[Offer],
        encoder: Encoder,
        programs: KnownPrograms,
        booked: BookedResources,
        bounds: Bounds,
    ) -> None:
        self._path = path
        self._encoder = encoder
        self._programs = programs
        self._booked = booked
        self._bounds = bounds

    async def execute(self, command: Command, call: CommandCall) -> Outcome:
        """Carry a command out. Raises the refusals of the domain and those of the command path."""

        async def propose(state: Offer | None, now: datetime, connection: Connection) -> Accepted[Offer] | Unchanged:
            program = await self._program(connection, command, state)
            context = Context(now, call.principal, program, self._bounds)
            changes = decide(state, command, context)
            after = apply(state, changes, context)
            clashes = await self._clashes(connection, command, after)
            if not changes:
                return Unchanged(self._encoder.response(after, command, clashes))
            revision = self._encoder.revision(state, after, changes, command, call.principal, clashes=clashes)
            return Accepted(after.revision, revision)

        return await self._path.execute(call, command.offer_id, propose)

    async def _program(self, connection: Connection, command: Command, state: Offer | None) -> ProgramFacts | None:
        """Return what is known of the program, where the command depends on it."""
        match command:
            case CreateOffer() | ImportOffer() if state is None:
                return await self._programs.facts(connection, command.definition.program_id)
            case PublishOffer() if state is not None:
                return await self._programs.facts(connection, state.definition.program_id)
            case _:
                return None

    async def _clashes(self, connection: Connection, command: Command, after: Offer) -> Sequence[Clash]:
        """Return the clashes to warn of, where the command sets the schedule. Raises DoubleBooking for forbidden ones.

        Two that decide at once may both see none; the database then refuses the later commit, which decides again.
        """
        wanted = held_by(after)
        if not wanted or after.booking_mode is None or not isinstance(command, ScheduleSessions | ImportOffer):
            return ()
        return tolerated(after.booking_mode, await self._booked.clashes(connection, wanted, after.booking_mode))
