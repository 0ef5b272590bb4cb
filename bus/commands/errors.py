"""What the command path itself refuses.

Refusal                 chassis.refusal
├── EtagMismatch        the etag given is not the present one
├── Conflict            other writers were faster, every time
├── RequestIdReused     the request id was used before with another body
└── ResourceTooLarge    the public state would be larger than an event may be
"""

from typing import Final, Self
from uuid import UUID

from chassis.refusal import Refusal

MAX_PUBLIC_BYTES: Final = 512 * 1024
"""How large content may make the body of an event: one that the broker refuses would stop its lane for ever."""
HEADROOM_BYTES: Final = 64 * 1024
"""How much larger the body may be after a revision that adds no content."""


class EtagMismatch(Refusal):
    """The etag given is not the present one; metadata: `have`, `given`."""

    reason = "ETAG_MISMATCH"

    @classmethod
    def of(cls, have: str, given: str) -> Self:
        """Tell both."""
        return cls("the resource has changed; read it again", {"have": have, "given": given})


class Conflict(Refusal):
    """Other writers were faster, every time; the call may be repeated."""

    reason = "CONFLICT"

    def __init__(self) -> None:
        super().__init__("other writers were faster, every time; repeat the call")


class RequestIdReused(Refusal):
    """The request id was used before with another body; metadata: `request_id`."""

    reason = "REQUEST_ID_REUSED"

    @classmethod
    def naming(cls, request_id: UUID | None) -> Self:
        """Tell the id."""
        return cls("the request id was used before with another body", {"request_id": str(request_id)})


class ResourceTooLarge(Refusal):
    """The public state would be larger than an event may be; metadata: `size`, `limit`."""

    reason = "RESOURCE_TOO_LARGE"

    @classmethod
    def of(cls, size: int, limit: int) -> Self:
        """Tell the size and the limit, in bytes."""
        metadata = {"size": str(size), "limit": str(limit)}
        return cls("the public state would be larger than an event may be", metadata)
