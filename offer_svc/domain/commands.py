"""What can be asked of an offer: by managers, by sales, and by the timekeeper when its time has come."""

from dataclasses import dataclass
from uuid import UUID

from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.quote import Quote
from offer_svc.domain.schedule import SchedulePlan


@dataclass(frozen=True, slots=True)
class CreateOffer:
    """Create a draft."""

    offer_id: UUID
    definition: OfferDefinition


@dataclass(frozen=True, slots=True)
class CopyOffer:
    """Create a draft with another offer's definition and prices, on new dates."""

    offer_id: UUID
    source_offer_id: UUID
    plan: SchedulePlan


@dataclass(frozen=True, slots=True)
class ImportOffer:
    """Create, schedule, price and publish in one revision an offer that is live elsewhere."""

    offer_id: UUID
    definition: OfferDefinition
    plan: SchedulePlan
    price_list: PriceList


@dataclass(frozen=True, slots=True)
class UpdateOffer:
    """Change the fields named, by their names in `OfferDefinition`, to their values in the definition given."""

    offer_id: UUID
    definition: OfferDefinition
    fields: frozenset[str]


@dataclass(frozen=True, slots=True)
class SetPriceList:
    """Set the whole price list of a draft or published offer."""

    offer_id: UUID
    price_list: PriceList


@dataclass(frozen=True, slots=True)
class ScheduleSessions:
    """Set the whole schedule of a draft."""

    offer_id: UUID
    plan: SchedulePlan


@dataclass(frozen=True, slots=True)
class RescheduleOffer:
    """Give a published offer other dates."""

    offer_id: UUID
    plan: SchedulePlan


@dataclass(frozen=True, slots=True)
class SetCapacity:
    """Set the number of seats and the minimum of a draft or published offer; None leaves one as it is."""

    offer_id: UUID
    minimum: int | None = None
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class PublishOffer:
    """Make a complete draft visible."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class CloseSales:
    """End the sale of a published offer."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class ReopenSales:
    """Sell a published offer again."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class CancelOffer:
    """Call a published offer off."""

    offer_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class DeleteOffer:
    """Delete a draft."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class ReserveSeats:
    """Hold seats in a participant's name, at the price quoted or the one that applies in the currency."""

    offer_id: UUID
    reservation_id: UUID
    participant: str
    seats: int
    currency: str = ""
    code: str = ""
    quote: Quote | None = None


@dataclass(frozen=True, slots=True)
class ExtendReservation:
    """Hold seats longer."""

    offer_id: UUID
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class ConfirmReservation:
    """Confirm held seats."""

    offer_id: UUID
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseReservation:
    """Give held or confirmed seats back."""

    offer_id: UUID
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class JoinWaitlist:
    """Put a participant on the waitlist."""

    offer_id: UUID
    reservation_id: UUID
    participant: str
    seats: int
    currency: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class LeaveWaitlist:
    """Take a participant off the waitlist."""

    offer_id: UUID
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class ExpireReservation:
    """Free the seats of a hold that was not confirmed in time."""

    offer_id: UUID
    reservation_id: UUID


@dataclass(frozen=True, slots=True)
class PromoteWaiting:
    """Give free seats to those who wait, where an earlier revision left some to be given."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class DecideAtDeadline:
    """Compare the seats confirmed with the minimum, at the decision deadline."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class CompleteOffer:
    """Complete an offer whose last session has ended."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class CancelForRetirement:
    """Call a published offer off if its program was retired together with its offers."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class EraseReservations:
    """Erase a participant's name from the reservations of an offer."""

    offer_id: UUID
    participant: str


ReservationCommand = (
    ReserveSeats
    | ExtendReservation
    | ConfirmReservation
    | ReleaseReservation
    | JoinWaitlist
    | LeaveWaitlist
    | ExpireReservation
)
"""The commands on one reservation, which many callers send at once."""

Command = (
    CreateOffer
    | CopyOffer
    | ImportOffer
    | UpdateOffer
    | SetPriceList
    | ScheduleSessions
    | RescheduleOffer
    | SetCapacity
    | PublishOffer
    | CloseSales
    | ReopenSales
    | CancelOffer
    | DeleteOffer
    | ReservationCommand
    | PromoteWaiting
    | DecideAtDeadline
    | CompleteOffer
    | CancelForRetirement
    | EraseReservations
)
