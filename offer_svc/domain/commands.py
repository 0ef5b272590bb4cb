"""What can be asked of an offer."""

from dataclasses import dataclass
from uuid import UUID

from offer_svc.domain.offer import OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import SchedulePlan


@dataclass(frozen=True, slots=True)
class CreateOffer:
    """Create a draft."""

    offer_id: UUID
    definition: OfferDefinition


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
class PublishOffer:
    """Make a complete draft visible."""

    offer_id: UUID


@dataclass(frozen=True, slots=True)
class CancelOffer:
    """Call a published offer off."""

    offer_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ImportOffer:
    """Create, schedule, price and publish in one revision an offer that is live elsewhere."""

    offer_id: UUID
    definition: OfferDefinition
    plan: SchedulePlan
    price_list: PriceList


Command = CreateOffer | SetPriceList | ScheduleSessions | PublishOffer | CancelOffer | ImportOffer
