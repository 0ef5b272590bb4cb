"""What authors, reviewers and publishers read: views of the command database, apart from the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from chassis.listing import Listed, Place
from program_svc.domain.program import State


@dataclass(frozen=True, slots=True)
class ProgramFilter:
    """Which programs; empty means all."""

    states: tuple[State, ...] = ()
    author: str = ""


class ProgramViews(Protocol):
    """The reads of the service."""

    async def get(self, program_id: UUID) -> bytes:
        """Return a program's stored message. Raises ResourceNotFound."""
        ...

    async def list(self, chosen: ProgramFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the programs after a place, latest change first."""
        ...
