"""Every state against every command: where it leads, or why it is refused."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import get_args

import pytest

from offer_svc.domain.commands import (
    CancelForRetirement,
    CancelOffer,
    CloseSales,
    Command,
    CompleteOffer,
    ConfirmReservation,
    CopyOffer,
    DecideAtDeadline,
    DeleteOffer,
    EraseReservations,
    ExpireReservation,
    ExtendReservation,
    JoinWaitlist,
    LeaveWaitlist,
    PromoteWaiting,
    ReleaseReservation,
    ReopenSales,
    RescheduleOffer,
    ReserveSeats,
    SetCapacity,
    SetPriceList,
    UpdateOffer,
)
from offer_svc.domain.context import ProgramFacts
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.reservation import ReservationState
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.sale import ENDS, HOUR, MINUTE, Sale, draft, id_of, on_sale
from tests.unit.offer.samples import (
    CANCEL,
    CREATE,
    DEFINITION,
    IMPORT,
    NOW,
    OFFER,
    PLAN,
    PRICES,
    PUBLISH,
    RELEASED,
    RETIRED,
    SCHEDULE,
    WEEKLY,
    in_state,
)

GONE = replace(RETIRED, cancel_offers=True)
SOON = NOW + MINUTE
OTHER = SchedulePlan(weekly_rules=(replace(WEEKLY, traits=replace(WEEKLY.traits, trainer_ids=("t-2",))),))
LATER = SchedulePlan(access_window=Window(NOW))
SOURCE = id_of("source")
CHEAP = replace(PRICES, tiers=(replace(PRICES.tiers[0], quantity_limit=3),))
ANN, BEN = id_of("Ann"), id_of("Ben")
DUE = replace(DEFINITION, decision_deadline=NOW + HOUR)

ABSENT, EXISTS, UNFIT = "RESOURCE_NOT_FOUND", "RESOURCE_EXISTS", "OFFER_STATE"
NOTHING = "nothing"
DRAFT, PUBLISHED, COMPLETED, CANCELLED, DELETED = "DRAFT", "PUBLISHED", "COMPLETED", "CANCELLED", "DELETED"
Before = tuple[Command, ...]


@dataclass(frozen=True)
class Row:
    """A command, and what it does where there is no offer and in each state.

    `before` are the commands after publishing that it needs.
    """

    command: Command
    cells: tuple[str, str, str, str, str, str]
    before: Before = ()
    at: datetime = SOON
    program: ProgramFacts = RELEASED


HOLD: Before = (ReserveSeats(OFFER, ANN, "Ann", 10, "EUR"),)
CONFIRMED: Before = (*HOLD, ConfirmReservation(OFFER, ANN))
LINE: Before = (*HOLD, JoinWaitlist(OFFER, BEN, "Ben", 1, "EUR"))
FREED: Before = (*LINE, ReleaseReservation(OFFER, ANN))
CLOSED: Before = (CloseSales(OFFER),)
MANAGED = (ABSENT, UNFIT, PUBLISHED, UNFIT, UNFIT, ABSENT)
OPEN = (ABSENT, DRAFT, PUBLISHED, UNFIT, UNFIT, ABSENT)
ONLY_DRAFTS = (ABSENT, DRAFT, UNFIT, UNFIT, UNFIT, ABSENT)
NEW = (DRAFT, EXISTS, EXISTS, EXISTS, EXISTS, EXISTS)

ROWS = (
    #                                                    absent  DRAFT  PUBLISHED  COMPLETED  CANCELLED  DELETED
    Row(CREATE, NEW),
    Row(CopyOffer(OFFER, SOURCE, PLAN), NEW),
    Row(IMPORT, (PUBLISHED, EXISTS, NOTHING, NOTHING, NOTHING, EXISTS)),
    Row(UpdateOffer(OFFER, replace(DEFINITION, language_codes=("fr",)), frozenset({"language_codes"})), OPEN),
    Row(SetPriceList(OFFER, CHEAP), OPEN),
    Row(SetCapacity(OFFER, 1, 20), OPEN),
    Row(replace(SCHEDULE, plan=OTHER), ONLY_DRAFTS),
    Row(RescheduleOffer(OFFER, OTHER), MANAGED),
    Row(PUBLISH, (ABSENT, PUBLISHED, UNFIT, UNFIT, UNFIT, ABSENT)),
    Row(CloseSales(OFFER), MANAGED),
    Row(ReopenSales(OFFER), MANAGED, CLOSED),
    Row(CANCEL, (ABSENT, UNFIT, CANCELLED, UNFIT, UNFIT, ABSENT)),
    Row(DeleteOffer(OFFER), (ABSENT, DELETED, UNFIT, UNFIT, UNFIT, ABSENT)),
    Row(ReserveSeats(OFFER, ANN, "Ann", 1, "EUR"), MANAGED),
    Row(ConfirmReservation(OFFER, ANN), MANAGED, HOLD),
    Row(ExtendReservation(OFFER, ANN), MANAGED, HOLD),
    Row(ReleaseReservation(OFFER, ANN), MANAGED, CONFIRMED),
    Row(ExpireReservation(OFFER, ANN), (ABSENT, NOTHING, PUBLISHED, COMPLETED, NOTHING, NOTHING), HOLD, NOW + HOUR),
    Row(JoinWaitlist(OFFER, BEN, "Ben", 1, "EUR"), MANAGED, HOLD),
    Row(LeaveWaitlist(OFFER, BEN), MANAGED, LINE),
    Row(PromoteWaiting(OFFER), (ABSENT, NOTHING, PUBLISHED, NOTHING, NOTHING, NOTHING), FREED),
    Row(DecideAtDeadline(OFFER), (ABSENT, NOTHING, PUBLISHED, NOTHING, NOTHING, NOTHING), (), NOW + HOUR),
    Row(CompleteOffer(OFFER), (ABSENT, NOTHING, COMPLETED, NOTHING, NOTHING, NOTHING), (), ENDS),
    Row(CancelForRetirement(OFFER), (ABSENT, NOTHING, CANCELLED, NOTHING, NOTHING, NOTHING), (), SOON, GONE),
    Row(EraseReservations(OFFER, "Ann"), (ABSENT, NOTHING, PUBLISHED, COMPLETED, CANCELLED, NOTHING), HOLD),
)
STATES: tuple[State | None, ...] = (None, *State)
PAIRS = [
    pytest.param(row, state, expected, id=f"{state.name if state else 'ABSENT'}-{type(row.command).__name__}")
    for row in ROWS
    for state, expected in zip(STATES, row.cells, strict=True)
]


def in_the_state(state: State | None, row: Row) -> Sale:
    """Return an offer in a state, with the reservations that the row's command is about."""
    if state is None:
        return Sale()
    if state in {State.DRAFT, State.DELETED}:
        sale = draft(DUE)
        sale.do(*([DeleteOffer(OFFER)] if state is State.DELETED else []))
        return sale
    definition = DUE if isinstance(row.command, DecideAtDeadline) else DEFINITION
    sale = on_sale(definition)
    if row.before is FREED:  # the line was left to the timekeeper
        sale.context = replace(sale.context, rules=replace(sale.context.rules, most_promotions=0))
    sale.do(*row.before)
    sale.context = replace(sale.context, rules=Sale().context.rules)
    if state is State.CANCELLED:
        sale.do(CancelOffer(OFFER, "why"))
    if state is State.COMPLETED:
        sale.now = ENDS
        sale.do(CompleteOffer(OFFER))
    return sale


def outcome(state: State | None, row: Row) -> str:
    """Carry a row's command out in a state: the state it leads to, nothing to do, or the reason of its refusal."""
    sale = in_the_state(state, row)
    sale.now = max(sale.now, row.at)
    sale.context = replace(sale.context, program=row.program, source=source())
    found = sale.outcome(row.command)
    return sale.offer.state.name if found == "done" else found


def source() -> Offer:
    """Return an offer to copy."""
    return replace(in_state(State.CANCELLED), offer_id=SOURCE)


@pytest.mark.parametrize(("row", "state", "expected"), PAIRS)
def test_a_state_allows_a_command_or_refuses_it_with_its_reason(row: Row, state: State | None, expected: str) -> None:
    assert outcome(state, row) == expected


def test_the_table_is_whole() -> None:
    assert {type(row.command) for row in ROWS} == set(get_args(Command))


@pytest.mark.parametrize("state", [State.PUBLISHED, State.COMPLETED, State.CANCELLED])
def test_a_refusal_by_state_names_the_state_and_the_command(state: State) -> None:
    sale = Sale(in_state(state))
    assert sale.refusal(PUBLISH).metadata == {"state": state.name, "command": "PublishOffer"}


@pytest.mark.parametrize("sale", [Sale(), Sale(in_state(State.DELETED))])
def test_a_refusal_of_an_unknown_offer_names_it(sale: Sale) -> None:
    found = sale.refusal(PUBLISH)
    assert found.metadata == {"resource_type": "training.offer.v1.Offer", "resource_name": str(OFFER)}


# A reservation's states against the commands on it.
RESERVATIONS: dict[type[Command], dict[ReservationState, str]] = {
    ConfirmReservation: {ReservationState.HELD: "CONFIRMED", ReservationState.EXPIRED: "HOLD_EXPIRED"},
    ExtendReservation: {ReservationState.HELD: "HELD", ReservationState.EXPIRED: "HOLD_EXPIRED"},
    ReleaseReservation: {ReservationState.HELD: "RELEASED", ReservationState.CONFIRMED: "RELEASED"},
    LeaveWaitlist: {ReservationState.WAITING: "RELEASED"},
}


@pytest.mark.parametrize("command", [ConfirmReservation, ExtendReservation, ReleaseReservation, LeaveWaitlist])
@pytest.mark.parametrize("state", ReservationState)
def test_a_reservation_allows_a_command_or_refuses_it_by_its_state(
    command: type[ConfirmReservation | ExtendReservation | ReleaseReservation | LeaveWaitlist], state: ReservationState
) -> None:
    sale = on_sale()
    reservation = sale.reserve("Ann")
    sale.book = sale.book.with_all([replace(reservation, state=state)])
    sale.now += 5 * MINUTE
    found = sale.outcome(command(OFFER, ANN))
    expected = RESERVATIONS[command].get(state, "RESERVATION_STATE")
    assert (sale.of("Ann").state.name if found == "done" else found) == expected
    if found == "RESERVATION_STATE":
        assert sale.refusal(command(OFFER, ANN)).metadata == {"state": state.name, "command": command.__name__}
