"""An offer on sale: commands done to it one after the other, with the reservations that they make."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from chassis.refusal import Refusal
from offer_svc.domain.changes import Change
from offer_svc.domain.commands import (
    Command,
    ConfirmReservation,
    CreateOffer,
    JoinWaitlist,
    PublishOffer,
    ReserveSeats,
    ScheduleSessions,
    SetPriceList,
)
from offer_svc.domain.context import Context
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.keeping import book_after
from offer_svc.domain.offer import Offer, OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.reservation import NO_RESERVATIONS, Book, Reservation, ReservationState
from offer_svc.domain.schedule import SchedulePlan
from tests.unit.offer.samples import CONTEXT, DEFINITION, NOW, OFFER, PLAN, PRICES

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STARTS = datetime(2027, 3, 2, 15, tzinfo=UTC)
"""When the sample plan's first session starts."""
ENDS = datetime(2027, 3, 30, 15, 30, tzinfo=UTC)
"""When its last one ends."""


@dataclass
class Sale:
    """An offer and its reservations; `now` is the time of the next command."""

    state: Offer | None = None
    book: Book = NO_RESERVATIONS
    now: datetime = NOW
    context: Context = field(default=CONTEXT)

    @property
    def offer(self) -> Offer:
        """Return the offer, which is there."""
        assert self.state is not None
        return self.state

    @property
    def left(self) -> int:
        """Return how many seats are free."""
        return self.offer.seats_left

    @property
    def taken(self) -> tuple[int, int, int]:
        """Return the seats held and confirmed, and the entries that wait."""
        seats = self.offer.seats
        return seats.held, seats.confirmed, seats.waiting

    def do(self, *commands: Command) -> tuple[Change, ...]:
        """Carry commands out; return the changes of the last."""
        changes: tuple[Change, ...] = ()
        for command in commands:
            context = self.at_this_moment()
            changes = decide(self.state, command, context)
            if changes:
                self.state = apply(self.state, changes, context)
                self.book = book_after(changes, context)
                assert self.offer.seats_taken <= self.offer.definition.capacity.maximum
        return changes

    def refusal(self, command: Command) -> Refusal:
        """Return why a command is refused."""
        with pytest.raises(Refusal) as caught:
            decide(self.state, command, self.at_this_moment())
        return caught.value

    def outcome(self, command: Command) -> str:
        """Carry a command out: `done`, `nothing`, or the reason of its refusal."""
        try:
            return "done" if self.do(command) else "nothing"
        except Refusal as refusal:
            return refusal.reason

    def at_this_moment(self) -> Context:
        """Return the context of a command."""
        return replace(self.context, now=self.now, book=self.book)

    def reserve(self, participant: str, seats: int = 1, currency: str = "EUR") -> Reservation:
        """Reserve seats in somebody's name."""
        self.do(ReserveSeats(OFFER, id_of(participant), participant, seats, currency))
        return self.of(participant)

    def confirm(self, participant: str, seats: int = 1) -> Reservation:
        """Reserve seats and confirm them."""
        self.reserve(participant, seats)
        self.do(ConfirmReservation(OFFER, id_of(participant)))
        return self.of(participant)

    def join(self, participant: str, seats: int = 1) -> Reservation:
        """Put somebody on the waitlist."""
        self.do(JoinWaitlist(OFFER, id_of(participant), participant, seats, "EUR"))
        return self.of(participant)

    def of(self, participant: str) -> Reservation:
        """Return somebody's reservation."""
        found = self.book.get(id_of(participant))
        assert found is not None
        return found

    def states(self, *participants: str) -> list[ReservationState]:
        """Return the states of reservations."""
        return [self.of(participant).state for participant in participants]


def id_of(participant: str) -> UUID:
    """Return the id of a participant's reservation in these tests."""
    return UUID(bytes=participant.encode().rjust(16, b"\0")[-16:])


def draft(definition: OfferDefinition = DEFINITION, plan: SchedulePlan = PLAN, prices: PriceList = PRICES) -> Sale:
    """Return a complete draft."""
    sale = Sale()
    sale.do(CreateOffer(OFFER, definition), ScheduleSessions(OFFER, plan), SetPriceList(OFFER, prices))
    return sale


def on_sale(definition: OfferDefinition = DEFINITION, plan: SchedulePlan = PLAN, prices: PriceList = PRICES) -> Sale:
    """Return a published offer; the sample one has ten seats left of twelve, and a minimum of four."""
    sale = draft(definition, plan, prices)
    sale.do(PublishOffer(OFFER))
    return sale


def sold_out(definition: OfferDefinition = DEFINITION) -> Sale:
    """Return an offer whose last seats `Ann` has confirmed, six of them, and `Ben` holds: four."""
    sale = on_sale(definition)
    sale.confirm("Ann", 6)
    sale.reserve("Ben", 4)
    return sale
