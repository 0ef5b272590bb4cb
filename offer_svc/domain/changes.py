"""What can happen to an offer."""

from dataclasses import dataclass
from uuid import UUID

from offer_svc.domain.offer import Cancellation, OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import BookingMode, Schedule


@dataclass(frozen=True, slots=True)
class OfferCreated:
    """The offer was created."""

    offer_id: UUID
    definition: OfferDefinition


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
class OfferMadePublic:
    """The offer was published."""


@dataclass(frozen=True, slots=True)
class OfferCalledOff:
    """The offer was called off."""

    cancellation: Cancellation


Change = OfferCreated | PriceListSet | SessionsScheduled | OfferMadePublic | OfferCalledOff
