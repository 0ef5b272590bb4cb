"""A price promised for a time."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from offer_svc.domain.pricing import ApplicablePrice


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of so many seats of an offer, promised until, and without, the time when it expires."""

    offer_id: UUID
    seats: int
    price: ApplicablePrice
    expire_time: datetime
