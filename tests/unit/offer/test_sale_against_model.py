"""Random sales, judged by a model that shares nothing with the domain but the words."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CloseSales,
    Command,
    ConfirmReservation,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    PromoteWaiting,
    ReleaseReservation,
    ReopenSales,
    ReserveSeats,
    SetCapacity,
    SetPriceList,
)
from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import ApplicablePrice, Money, PriceList, PriceTier
from offer_svc.domain.quote import Quote
from offer_svc.domain.quoting import QuotePrice, quote_price
from offer_svc.domain.reservation import Book, ReservationState
from offer_svc.domain.sales_errors import NoPrice
from offer_svc.domain.schedule import SchedulePlan
from tests.unit.offer.sale import Sale, on_sale
from tests.unit.offer.sale_model import LIVE, MOST_PROMOTIONS, QUOTE, SaleModel
from tests.unit.offer.samples import NOW, OFFER, PROGRAM, single

PLAN = SchedulePlan(sessions=(single("2027-01-13T13:00", "2027-01-13T14:00"),))
PEOPLE = st.sampled_from(["Ann", "Ben", "Cem", "Dea", "Eva", "Fay"])
SEATS = st.integers(1, 3)
ONE: dict[str, Callable[[UUID, UUID], Command]] = {
    "confirm": ConfirmReservation,
    "extend": ExtendReservation,
    "release": ReleaseReservation,
    "leave": LeaveWaitlist,
    "expire": ExpireReservation,
}


def prices(edition: int, early_birds: int, standard: int | None) -> PriceList:
    """Write an edition of the price list; every edition has prices of its own."""
    early = PriceTier("Early bird", Money("EUR", Decimal(100 + edition)), quantity_limit=early_birds)
    return PriceList((early, PriceTier("Standard", Money("EUR", Decimal(10_000 + edition)), quantity_limit=standard)))


def price_of(price: ApplicablePrice) -> tuple[str, int]:
    """Read a tier's name and the edition of the list from a price."""
    return price.tier, int(price.price.amount) - {"Early bird": 100, "Standard": 10_000}[price.tier]


class Selling(RuleBasedStateMachine):
    """Sells one offer to a few people, and forgets now and then who waits beyond the first."""

    @initialize(
        maximum=st.integers(1, 8),
        before=st.integers(0, 1),
        early=st.integers(1, 4),
        standard=st.none() | st.integers(1, 4),
        limit=st.sampled_from([None, None, None, 0, 1, 3]),
    )
    def publish(self, maximum: int, before: int, early: int, standard: int | None, limit: int | None) -> None:
        """Put the offer on sale."""
        self.model = SaleModel(maximum, before, early, standard, limit)
        definition = OfferDefinition(PROGRAM, Capacity(0, maximum, before), waitlist_limit=limit)
        self.sale: Sale = on_sale(definition, PLAN, prices(0, early, standard))
        self.sale.context = replace(
            self.sale.context, rules=replace(self.sale.context.rules, most_promotions=MOST_PROMOTIONS)
        )
        self.quotes: list[Quote] = []
        self.given = 0

    @rule(who=PEOPLE, seats=SEATS)
    def reserve(self, who: str, seats: int) -> None:
        """Reserve at the applicable price."""
        key = self.new_key()
        self.run(ReserveSeats(OFFER, UUID(int=key), who, seats, "EUR"), self.model.reserve(key, who, seats))

    @rule(seats=SEATS)
    def quote(self, seats: int) -> None:
        """Ask for a price."""
        question, tier = QuotePrice(OFFER, seats, "EUR"), self.model.tier_for(seats)
        if tier is None:
            with pytest.raises(NoPrice):
                quote_price(self.sale.state, question, self.sale.at_this_moment())
            return
        quote = quote_price(self.sale.state, question, self.sale.at_this_moment())
        assert price_of(quote.price) == (tier, self.model.edition)
        assert quote.expire_time == self.sale.now + timedelta(minutes=QUOTE)
        self.quotes.append(quote)

    @precondition(lambda self: self.quotes)
    @rule(who=PEOPLE, which=st.integers(0, 9))
    def reserve_as_quoted(self, who: str, which: int) -> None:
        """Reserve at a quoted price, which is honoured whatever the list says since."""
        key, quote = self.new_key(), self.quotes[-1 - which % len(self.quotes)]
        expires = (quote.expire_time - NOW) // timedelta(minutes=1)
        expected = self.model.reserve(key, who, quote.seats, (price_of(quote.price), expires))
        self.run(ReserveSeats(OFFER, UUID(int=key), who, quote.seats, quote=quote), expected)

    @rule(who=PEOPLE, seats=SEATS)
    def join(self, who: str, seats: int) -> None:
        """Join the line."""
        key = self.new_key()
        self.run(JoinWaitlist(OFFER, UUID(int=key), who, seats, "EUR"), self.model.join(key, who, seats))

    @rule(people=st.lists(PEOPLE, min_size=2, max_size=6, unique=True), seats=SEATS)
    def rush(self, people: list[str], seats: int) -> None:
        """Let everybody try to reserve, and those who get nothing join the line."""
        for who in people:
            self.reserve(who, seats)
            if not self.model.has_live(who):
                self.join(who, seats)

    @precondition(lambda self: self.given)
    @rule(kind=st.sampled_from([*ONE, "confirm", "release", "release"]), back=st.integers(0, 9))
    def change(self, kind: str, back: int) -> None:
        """Do something to a reservation, if the refused requests left one of that number."""
        keys = list(self.model.rows) or [self.given]
        key = keys[-1 - back % len(keys)]
        self.run(ONE[kind](OFFER, UUID(int=key)), self.model.change(kind, key))

    @precondition(lambda self: self.model.seats("HELD"))
    @rule(minutes=st.integers(-1, 1))
    def expire(self, minutes: int) -> None:
        """Wait until about the time when the first hold expires, and see whether it does."""
        key, hold = min(
            ((key, row) for key, row in self.model.rows.items() if row.state == "HELD"),
            key=lambda pair: pair[1].expires,
        )
        self.wait(max(0, hold.expires + minutes - self.model.now))
        self.run(ExpireReservation(OFFER, UUID(int=key)), self.model.change("expire", key))

    @rule(more=st.sampled_from([-2, 1, 3]))
    def resize(self, more: int) -> None:
        """Set the number of seats."""
        maximum = max(1, self.model.maximum + more)
        self.run(SetCapacity(OFFER, 0, maximum), self.model.resize(maximum))

    @rule(
        kind=st.sampled_from(["reprice", "reprice", "close or reopen", "reopen", "erase"]),
        early=st.integers(1, 4),
        standard=st.none() | st.integers(1, 4),
        who=PEOPLE,
    )
    def manage(self, kind: str, early: int, standard: int | None, who: str) -> None:
        """Do what managers do now and then."""
        if kind == "reprice":
            self.model.edition += 1
            self.model.early_birds, self.model.standard = early, standard
            self.run(SetPriceList(OFFER, prices(self.model.edition, early, standard)), "done")
        elif kind == "erase":
            named = [row for row in self.model.rows.values() if row.who == who]
            for row in named:
                row.who = None
            self.run(EraseReservations(OFFER, who), "done" if named else "nothing")
        elif self.model.closed or kind == "reopen":
            self.run(ReopenSales(OFFER), self.model.reopen())
        else:
            self.run(CloseSales(OFFER), "done")
            self.model.closed = True

    @precondition(lambda self: self.model.pending)
    @rule()
    def promote(self) -> None:
        """Let the timekeeper go on with the line."""
        self.load_again(MOST_PROMOTIONS + 1)
        self.run(PromoteWaiting(OFFER), self.model.promote_rest())

    @rule(minutes=st.sampled_from([0, 1, 3, 7, 60, 12 * 60]))
    def wait(self, minutes: int) -> None:
        """Let time pass."""
        self.model.now += minutes
        self.sale.now += timedelta(minutes=minutes)

    @precondition(lambda self: len(self.model.line) > 1)
    @rule(most=st.integers(0, 3))
    def load_again(self, most: int) -> None:
        """Load the reservations anew: of those who wait, only the first can be promoted; the others by their name."""
        known = self.sale.book.by_id.values()
        waiting = sorted((r for r in known if r.state is ReservationState.WAITING), key=lambda r: r.wait_number)
        has_more = len(waiting) > most
        self.sale.book = Book.of(known, waiting=waiting[:most], has_more_waiting=has_more)
        self.model.hidden = {key for key, _ in self.model.line[most:]}

    def new_key(self) -> int:
        """Return the number of a new reservation."""
        self.given += 1
        return self.given

    def run(self, command: Command, expected: str) -> None:
        """Carry a command out and compare what became of it."""
        before = self.sale.offer
        assert self.sale.outcome(command) == expected
        assert self.sale.offer.revision == before.revision + (expected == "done")
        assert expected == "done" or self.sale.offer is before

    @invariant()
    def no_seat_is_sold_twice_and_none_is_lost(self) -> None:
        """Compare the counts with the model's and with the reservations."""
        seats, model = self.sale.offer.seats, self.model
        assert self.sale.offer.seats_taken <= self.sale.offer.definition.capacity.maximum
        assert (seats.held, seats.confirmed) == (model.seats("HELD"), model.seats("CONFIRMED"))
        assert (seats.waiting, seats.next_wait_number) == (len(model.line), model.joined + 1)
        assert (self.sale.left, seats.promotion_pending) == (model.left, model.pending)
        sold: Counter[str] = Counter()
        for reservation in self.sale.book.by_id.values():
            if reservation.state in {ReservationState.HELD, ReservationState.CONFIRMED}:
                sold[reservation.price.tier] += reservation.seats
        assert seats.sold_per_tier == sold

    @invariant()
    def every_reservation_is_as_the_model_has_it(self) -> None:
        """Compare the reservations, one by one."""
        found = {
            reservation_id.int: (r.participant, r.state.name, r.seats, price_of(r.price), r.wait_number)
            for reservation_id, r in self.sale.book.by_id.items()
        }
        assert found == {key: (r.who, r.state, r.seats, r.price, r.number) for key, r in self.model.rows.items()}

    @invariant()
    def nobody_has_two_live_reservations(self) -> None:
        """Count the live reservations of each participant."""
        live = Counter(row.who for row in self.model.rows.values() if row.state in LIVE and row.who)
        assert not live or max(live.values()) == 1
        assert {name: self.sale.book.by_id[key].participant for name, key in self.sale.book.live.items()} == {
            name: name for name in live
        }


Selling.TestCase.settings = settings(max_examples=60, stateful_step_count=50)
TestAnySaleGoesAsTheModelSays = Selling.TestCase
