"""The aggregate: one dated run of a released program."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from offer_svc.domain.availability import Capacity
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import BookingMode, Schedule
from offer_svc.domain.window import ALWAYS, Window


class State(IntEnum):
    """The states of an offer."""

    DRAFT = 1
    PUBLISHED = 2
    COMPLETED = 3
    CANCELLED = 4


@dataclass(frozen=True, slots=True)
class OfferDefinition:
    """What an offer is, apart from its schedule and its prices."""

    program_id: UUID
    capacity: Capacity = Capacity()  # noqa: RUF009 - frozen, so sharing one is safe
    sales_window: Window = ALWAYS
    language_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancellation:
    """The end of an offer before its time; the reason is never published."""

    reason: str
    cancel_time: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer after its latest revision.

    `definition_revision` and `definition_time` are those of the latest revision that changed more than reservations.
    `booking_mode` is there when the schedule is.
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

    @property
    def seats_taken(self) -> int:
        """Return how many seats nobody else can have."""
        return self.definition.capacity.opening_balance
