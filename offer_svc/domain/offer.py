"""The aggregate: one dated run of a released program."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from offer_svc.domain.availability import Capacity
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import BookingMode, Schedule
from offer_svc.domain.seats import UNRESERVED, Seats
from offer_svc.domain.window import ALWAYS, Window


class State(IntEnum):
    """The states of an offer; a DELETED one keeps its id from being used again and is otherwise not there."""

    DRAFT = 1
    PUBLISHED = 2
    COMPLETED = 3
    CANCELLED = 4
    DELETED = 5


@dataclass(frozen=True, slots=True)
class OfferDefinition:
    """What an offer is, apart from its schedule and its prices.

    At the decision deadline an offer below its minimum is at risk, or cancelled if `cancel_below_minimum`. A waitlist
    without a limit is None; a limit of zero is no waitlist.
    """

    program_id: UUID
    capacity: Capacity = Capacity()  # noqa: RUF009 - frozen, so sharing one is safe
    sales_window: Window = ALWAYS
    language_codes: tuple[str, ...] = ()
    decision_deadline: datetime | None = None
    cancel_below_minimum: bool = False
    waitlist_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The end of an offer before its time; the reason is never published."""

    reason: str
    cancel_time: datetime


@dataclass(frozen=True, slots=True)
class FormerDates:
    """When the offer would have started and ended before it was rescheduled."""

    start_time: datetime | None
    end_time: datetime | None
    reschedule_time: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer after its latest revision.

    `definition_revision` and `definition_time` are those of the latest revision by which a manager changed it; those of
    reservations and of the timekeeper do not count. `public_revision` and `public_time` are those of the latest one
    that changed what readers see: 0 and None before it is published. `booking_mode` is there when the schedule is.
    `decide_time` says when the decision deadline was decided. Until `leave_until`, holders may leave though the offer
    may have begun.
    """

    offer_id: UUID
    definition: OfferDefinition
    state: State
    revision: int
    definition_revision: int
    definition_time: datetime
    create_time: datetime
    update_time: datetime
    schedule: Schedule | None = None
    booking_mode: BookingMode | None = None
    price_list: PriceList | None = None
    publish_time: datetime | None = None
    cancellation: Cancellation | None = None
    seats: Seats = UNRESERVED
    sales_closed: bool = False
    at_risk: bool = False
    decide_time: datetime | None = None
    previous_dates: tuple[FormerDates, ...] = ()
    leave_until: datetime | None = None
    complete_time: datetime | None = None
    source_offer_id: UUID | None = None
    public_revision: int = 0
    public_time: datetime | None = None

    @property
    def seats_taken(self) -> int:
        """Return how many seats nobody else can have: never more than the capacity, at any revision."""
        return self.definition.capacity.opening_balance + self.seats.held + self.seats.confirmed

    @property
    def seats_left(self) -> int:
        """Return how many seats are free."""
        return self.definition.capacity.maximum - self.seats_taken

    @property
    def is_below_minimum(self) -> bool:
        """Tell whether fewer take part for certain than the minimum."""
        capacity = self.definition.capacity
        return capacity.opening_balance + self.seats.confirmed < capacity.minimum

    @property
    def waitlist_open(self) -> bool:
        """Tell whether the waitlist takes another entry."""
        limit = self.definition.waitlist_limit
        return limit is None or self.seats.waiting < limit

    def counted(self, revision: int, update_time: datetime, seats: Seats, *, is_public: bool) -> "Offer":
        """Return the revision in which nothing but the counts of seats is new; if it `is_public`, readers see it.

        Written out, since every reservation of a hot offer comes by here: `dataclasses.replace` takes thrice as long.
        """
        return Offer(
            offer_id=self.offer_id,
            definition=self.definition,
            state=self.state,
            revision=revision,
            definition_revision=self.definition_revision,
            definition_time=self.definition_time,
            create_time=self.create_time,
            update_time=update_time,
            schedule=self.schedule,
            booking_mode=self.booking_mode,
            price_list=self.price_list,
            publish_time=self.publish_time,
            cancellation=self.cancellation,
            seats=seats,
            sales_closed=self.sales_closed,
            at_risk=self.at_risk,
            decide_time=self.decide_time,
            previous_dates=self.previous_dates,
            leave_until=self.leave_until,
            complete_time=self.complete_time,
            source_offer_id=self.source_offer_id,
            public_revision=revision if is_public else self.public_revision,
            public_time=update_time if is_public else self.public_time,
        )
