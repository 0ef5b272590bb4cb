"""What training managers and sales read: views of the command database, apart from the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chassis.listing import Listed, Place
from offer_svc.domain.offer import State


@dataclass(frozen=True, slots=True)
class OfferFilter:
    """Which offers; empty means all."""

    states: tuple[State, ...] = ()
    program_id: UUID | None = None


class OfferViews(Protocol):
    """The reads of the service."""

    async def get(self, offer_id: UUID) -> bytes:
        """Return an offer's stored message. Raises ResourceNotFound."""
        ...

    async def list(self, chosen: OfferFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the offers after a place, latest change first."""
        ...
