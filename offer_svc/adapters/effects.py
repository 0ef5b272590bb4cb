"""What the commit of an offer writes and locks beside the offer: bookings, reservations, the program it depends on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import CTE, Select, Uuid, bindparam, select
from typing_extensions import override

from bus.commands.commit import AggregateTable
from offer_svc.adapters.booking_rows import SAME_BOOKINGS, booking_parameters, write_bookings
from offer_svc.adapters.numbers import number
from offer_svc.adapters.reservation_rows import (
    NONE_ENDED,
    SAME_RESERVATIONS,
    ReservationRows,
    ending,
    erasing,
    write_reservations,
)
from offer_svc.adapters.tables import KNOWN_PROGRAM, OFFER
from offer_svc.domain.changes import (
    Change,
    HoldExpired,
    HoldExtended,
    OfferCalledOff,
    OfferDeleted,
    OfferEnded,
    OfferMoved,
    ParticipantErased,
    SeatsConfirmed,
    SeatsHeld,
    SeatsReleased,
    SessionsScheduled,
    WaitlistJoined,
    WaitlistLeft,
    WaitlistPromoted,
)
from offer_svc.domain.context import ProgramState
from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import Reservation

Effects = Mapping[str, object]
Details = Callable[[Reservation], bytes]

_NOTHING: Final[Effects] = {**SAME_BOOKINGS, **SAME_RESERVATIONS, **NONE_ENDED}


class RowEffects(Mapping[str, object]):
    """The parameters of a commit for what changes beside the offer, written when they are asked for.

    Those of a single revision in a batch never are: `merge_effects` takes its rows.
    """

    __slots__ = ("_parameters", "rest", "rows")

    def __init__(self, rows: ReservationRows, rest: Effects) -> None:
        self.rows = rows
        self.rest = rest
        self._parameters: Effects | None = None

    @override
    def __getitem__(self, name: str) -> object:
        return self._written()[name]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._written())

    @override
    def __len__(self) -> int:
        return len(self._written())

    def _written(self) -> Effects:
        if self._parameters is None:
            self._parameters = {**_NOTHING, **self.rows.parameters(), **self.rest}
        return self._parameters


def row_effects(before: Offer | None, after: Offer, changes: Sequence[Change], details: Details) -> Effects | None:
    """Return the parameters of what a revision changes beside the offer; None if that is nothing.

    `details` gives a reservation's bytes as they are stored.
    """
    rows, others = ReservationRows(), dict[str, object]()
    reserved = False
    for change in changes:
        match change:
            case SeatsHeld() | WaitlistJoined():
                rows.make(change.reservation, details(change.reservation))
                reserved = True
            case SessionsScheduled() | OfferMoved() | OfferDeleted():
                others |= booking_parameters(before, after)
            case OfferCalledOff():
                others |= {**booking_parameters(before, after), **ending(change, after.update_time)}
            case OfferEnded():
                others |= ending(change, after.update_time)
            case ParticipantErased():
                others |= erasing(change)
            case (
                HoldExtended()
                | SeatsConfirmed()
                | SeatsReleased()
                | HoldExpired()
                | WaitlistLeft()
                | WaitlistPromoted()
            ):
                rows.change(change.reservation, details(change.reservation))
                reserved = True
            case _:
                pass
    return RowEffects(rows, others) if reserved or others else None


def merge_effects(effects: Sequence[Effects]) -> Effects:
    """Return the net effects of several revisions; of bookings, ends and erasures the last one's."""
    rows, rest = ReservationRows(), dict[str, object]()
    for each in effects:
        if not isinstance(each, RowEffects):
            raise TypeError("these are not the effects of an offer's revision")
        rows.add(each.rows)
        rest |= each.rest
    return RowEffects(rows, rest)


def _rows(aggregate: CTE) -> Sequence[CTE]:
    """Write the bookings, then the reservations."""
    bookings = write_bookings(aggregate)
    return *bookings, *write_reservations(aggregate, bookings[-1])


def _released() -> Select[Any]:
    """Find the offer's program released, and hold off its retirement until the commit is done."""
    program = KNOWN_PROGRAM
    return (
        select(program.c.program_id)
        .where(
            program.c.program_id == bindparam("program_id", type_=Uuid()),
            program.c.state == number(ProgramState.RELEASED),
        )
        .with_for_update(read=True)
    )


OFFERS: Final = AggregateTable(OFFER, "offer_id", effects=_rows, guard=_released())
