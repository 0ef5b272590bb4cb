"""What a decision may know besides the offer and the command."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID

from offer_svc.domain.offer import Offer
from offer_svc.domain.reservation import NO_RESERVATIONS, Book


class ProgramState(IntEnum):
    """The states of a program that reach other services; a number that has no name here is UNKNOWN."""

    UNKNOWN = 0
    RELEASED = 5
    RETIRED = 6

    @classmethod
    def _missing_(cls, value: object) -> "ProgramState | None":
        return cls.UNKNOWN if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """A program as the service's replica knows it; `cancel_offers` says that its retirement ends its offers."""

    program_id: UUID
    state: ProgramState
    revision: int
    cancel_offers: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """The configured bounds of a schedule."""

    maximum_sessions: int = 500
    longest_session: timedelta = timedelta(hours=24)
    longest_rule: timedelta = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Rules:
    """The configured bounds of selling: how long things hold, and how many at a time."""

    quote: timedelta = timedelta(minutes=10)
    hold: timedelta = timedelta(minutes=10)
    longest_hold: timedelta = timedelta(minutes=60)
    promotion_hold: timedelta = timedelta(hours=24)
    leave_window: timedelta = timedelta(days=14)
    most_promotions: int = 100
    most_former_dates: int = 20


@dataclass(frozen=True, slots=True)
class Context:
    """The moment, the actor, what the command depends on besides the offer, and the bounds.

    `now` is aware UTC in microseconds. `book` has the reservations that the command needs, `source` the offer to copy.
    """

    now: datetime
    principal: str
    program: ProgramFacts | None = None
    bounds: Bounds = Bounds()
    rules: Rules = Rules()
    book: Book = NO_RESERVATIONS
    source: Offer | None = None
