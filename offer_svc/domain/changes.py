"""What can happen to an offer.

Those of one reservation carry it as it is afterwards, so that nobody has to fold them to know what to write.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from offer_svc.domain.availability import Capacity
from offer_svc.domain.offer import Cancellation, FormerDates, OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.reservation import Reservation, ReservationState
from offer_svc.domain.schedule import BookingMode, Schedule


@dataclass(frozen=True, slots=True)
class OfferCreated:
    """The offer was created, perhaps as a copy of another."""

    offer_id: UUID
    definition: OfferDefinition
    source_offer_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DefinitionChanged:
    """The fields named of the definition were changed; the definition is the whole of it afterwards."""

    definition: OfferDefinition
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PriceListSet:
    """The price list was set."""

    price_list: PriceList


@dataclass(frozen=True, slots=True)
class SessionsScheduled:
    """The schedule was set."""

    schedule: Schedule
    booking_mode: BookingMode


@dataclass(frozen=True, slots=True)
class OfferMoved:
    """The published offer was given other dates; until `leave_until`, holders may leave."""

    schedule: Schedule
    booking_mode: BookingMode
    former_dates: FormerDates
    leave_until: datetime


@dataclass(frozen=True, slots=True)
class CapacitySet:
    """The number of seats and the minimum were set."""

    capacity: Capacity


@dataclass(frozen=True, slots=True)
class OfferMadePublic:
    """The offer was published."""


@dataclass(frozen=True, slots=True)
class SalesClosed:
    """Sales were closed."""


@dataclass(frozen=True, slots=True)
class SalesReopened:
    """Sales were reopened."""


@dataclass(frozen=True, slots=True)
class OfferCalledOff:
    """The offer was called off; every hold and entry of the waitlist was released, every confirmed seat cancelled."""

    cancellation: Cancellation


@dataclass(frozen=True, slots=True)
class OfferDeleted:
    """The draft was deleted."""


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """The offer was completed; every entry of the waitlist was released."""


@dataclass(frozen=True, slots=True)
class MinimumDecided:
    """The seats confirmed were compared with the minimum, at the decision deadline."""

    at_risk: bool


@dataclass(frozen=True, slots=True)
class SeatsHeld:
    """Seats were reserved."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class HoldExtended:
    """A hold was extended."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class SeatsConfirmed:
    """Held seats were confirmed."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class SeatsReleased:
    """Seats were given back that had been HELD or CONFIRMED."""

    reservation: Reservation
    was: ReservationState


@dataclass(frozen=True, slots=True)
class HoldExpired:
    """A hold was not confirmed in time."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class WaitlistJoined:
    """An entry was added to the waitlist."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class WaitlistLeft:
    """An entry was taken off the waitlist."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class WaitlistPromoted:
    """An entry of the waitlist was given its seats, as a hold."""

    reservation: Reservation


@dataclass(frozen=True, slots=True)
class PromotionPending:
    """Seats were left to be given to those who wait, or were no longer."""

    pending: bool


@dataclass(frozen=True, slots=True)
class ParticipantErased:
    """A participant's name was erased from these reservations."""

    reservation_ids: tuple[UUID, ...]


ReservationChange = (
    SeatsHeld
    | HoldExtended
    | SeatsConfirmed
    | SeatsReleased
    | HoldExpired
    | WaitlistJoined
    | WaitlistLeft
    | WaitlistPromoted
)
"""The changes of one reservation."""

OfferChange = (
    OfferCreated
    | DefinitionChanged
    | PriceListSet
    | SessionsScheduled
    | OfferMoved
    | CapacitySet
    | OfferMadePublic
    | SalesClosed
    | SalesReopened
    | OfferCalledOff
    | OfferDeleted
    | OfferEnded
    | MinimumDecided
    | PromotionPending
    | ParticipantErased
)
"""The changes of the offer as a whole."""

Change = ReservationChange | OfferChange
