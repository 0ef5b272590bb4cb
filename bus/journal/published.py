"""What is published of an aggregate: which revision it was, in which event, and the state that readers see.

The aggregate's row names the first two, written by the commit that publishes. The state is made again of the stored one
at any time: so a copy can be made without the journal, however much of that has been trimmed.
"""

from typing import Any, Final, Protocol
from uuid import UUID

from sqlalchemy import BigInteger, Column, Uuid

PUBLIC_REVISION: Final = "public_revision"
"""The column of the last revision that published something; NULL before the first."""
PUBLIC_EVENT: Final = "public_event_id"
"""The column of that revision's event."""
PUBLISHED_COLUMNS: Final = (PUBLIC_REVISION, PUBLIC_EVENT)
"""The columns of an aggregate's table that publishes; one that has none keeps its aggregates to itself."""


class Published(Protocol):
    """Tells what a service has published of its aggregates."""

    def body_of(self, state: bytes, revision: int) -> bytes:
        """Return the body of an event that carries the public state and no change.

        `state` is the aggregate as it is stored after any later revision, `revision` the last one that published
        something. The state in the body is, byte for byte, the one in the body of that revision's event.
        """
        ...


def published_columns() -> tuple[Column[Any], Column[Any]]:
    """Declare the columns in an aggregate's table."""
    return Column(PUBLIC_REVISION, BigInteger), Column(PUBLIC_EVENT, Uuid)


def published_by(revision: int, event_id: UUID, public: bytes) -> dict[str, object]:
    """Return the columns' parameters for a revision: those of one that publishes nothing leave them as they are."""
    return {PUBLIC_REVISION: revision, PUBLIC_EVENT: event_id} if public else dict.fromkeys(PUBLISHED_COLUMNS)
