"""What a read store makes of one source's events: the part of a projector that is a service's own."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from bus.audit.listed import Listed
from bus.event import Event
from chassis.postgres import Connection

Row = TypeVar("Row")


class Undecodable(Exception):
    """An event whose body can't be read or does not fit its headers."""


class Projection(Protocol[Row]):
    """What a read store makes of one source's events."""

    @property
    def listed(self) -> Listed:
        """What is there, told so that it can be compared with the source."""
        ...

    def row(self, event: Event) -> Row | None:
        """Return what is to be written for an event, None for nothing. Pure; what it raises is the event's fault."""
        ...

    async def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write rows, set-based; of one id's rows, the stored one too, that of the highest revision stands."""
        ...

    async def delete(self, connection: Connection, ids: Sequence[UUID]) -> None:
        """Delete all that is there of these aggregates, recorded like every change that readers see."""
        ...

    async def columns(self, connection: Connection, aggregate_id: UUID) -> Mapping[str, str]:
        """Return what is there of one aggregate, as text by column; nothing when it is not there."""
        ...
