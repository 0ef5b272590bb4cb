"""Who takes part in an offer and who waits for a seat, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Seats:
    """The counts that reservations change; apart from the offer's definition, since they change so much more often.

    `waiting` counts entries, everything else seats. `sold_per_tier` has the tiers of which some are held or confirmed,
    and must not be changed. `promotion_pending` says that free seats are still to be given to those who wait.
    """

    held: int = 0
    confirmed: int = 0
    waiting: int = 0
    sold_per_tier: Mapping[str, int] = field(default_factory=dict, hash=False)
    next_wait_number: int = 1
    promotion_pending: bool = False

    @property
    def reserved(self) -> int:
        """Return how many seats are held or confirmed."""
        return self.held + self.confirmed


UNRESERVED = Seats()
