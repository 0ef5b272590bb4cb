"""Who is affected when an offer is called off."""

from dataclasses import dataclass
from typing import Final

from offer_svc.domain.reservation import Reservation

MOST_LISTED: Final = 1000
"""How many reservations are listed at most; the first ones made."""


@dataclass(frozen=True, slots=True)
class Affected:
    """The live reservations of an offer as they were before: the first `MOST_LISTED`, and how many there were."""

    reservations: tuple[Reservation, ...] = ()
    cancelled: int = 0
    released: int = 0
    left_waitlist: int = 0
