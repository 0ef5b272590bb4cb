"""What authors, reviewers and publishers read: views of the command database, apart from the commands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.listing import Listed, Place
from program_svc.domain.compare import Difference
from program_svc.domain.program import State

Numbered = tuple[int, bytes]
"""A message with the number by which it is listed."""


@dataclass(frozen=True, slots=True)
class ProgramFilter:
    """Which programs; empty means all. Times are from (inclusive) and until (exclusive)."""

    states: tuple[State, ...] = ()
    author: str = ""
    reviewer: str = ""
    category: str = ""
    text: str = ""
    updated_from: datetime | None = None
    updated_until: datetime | None = None
    awaiting_assignment: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two versions, by their numbers."""

    before: int
    after: int
    differences: tuple[Difference, ...]


class ProgramViews(Protocol):
    """The reads of programs. A deleted one is not found."""

    async def get(self, program_id: UUID) -> bytes:
        """Return a program's stored message. Raises ResourceNotFound."""
        ...

    async def get_all(self, program_ids: Sequence[UUID]) -> Sequence[bytes]:
        """Return programs' stored messages in this order. Raises ResourceNotFound, which names all that are missing."""
        ...

    async def list(self, chosen: ProgramFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the programs after a place, latest change first."""
        ...


class VersionViews(Protocol):
    """The reads of programs' versions and histories. Raise ResourceNotFound as those of programs."""

    async def list(self, program_id: UUID, before: int | None, most: int) -> Sequence[Numbered]:
        """Return the versions with smaller numbers, latest first."""
        ...

    async def compare(self, program_id: UUID, before: int, after: int) -> Comparison:
        """Return what differs between two versions; 0 stands for the live one, and for the working one.

        Raises ResourceNotFound also where there is no such version.
        """
        ...

    async def history(self, program_id: UUID, before: int | None, most: int, *, full: bool) -> Sequence[Numbered]:
        """Return the history's entries of earlier revisions, latest first; unless in full, without contents."""
        ...


class ReviewViews(Protocol):
    """The reads of comments and reviewers."""

    async def comments(
        self, program_id: UUID, after: Place | None, most: int, *, version: int, open_only: bool
    ) -> Sequence[tuple[Place, bytes]]:
        """Return the comments on a version (0: on all) after a place, oldest first. Raises ResourceNotFound."""
        ...

    async def reviewers(self, after: str | None, most: int) -> Sequence[tuple[str, bytes]]:
        """Return the registered reviewers after a name, by name, with their load."""
        ...
