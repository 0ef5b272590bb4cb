"""The reviewer: a principal to whom reviews are assigned."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID, uuid5


class ReviewerState(IntEnum):
    """Whether reviews are assigned to a reviewer."""

    UNSPECIFIED = 0
    REGISTERED = 1
    REMOVED = 2


@dataclass(frozen=True, slots=True)
class Reviewer:
    """The aggregate: what a reviewer knows, and how much they take at once.

    `create_time` is of the first registration, `register_time` of the last one. How many reviews are open is not the
    reviewer's: it is counted as programs are assigned.
    """

    principal: str
    revision: int
    definition_revision: int
    definition_time: datetime
    create_time: datetime
    update_time: datetime
    state: ReviewerState
    register_time: datetime
    categories: tuple[str, ...]
    max_open_reviews: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered reviewer as assignment sees them, with their load."""

    principal: str
    categories: tuple[str, ...]
    open_reviews: int
    max_open_reviews: int
    register_time: datetime

    @property
    def is_free(self) -> bool:
        """Tell whether they take another review."""
        return self.open_reviews < self.max_open_reviews


def reviewer_id(namespace: UUID, principal: str) -> UUID:
    """Return the id under which a reviewer is kept: always the same for the same principal.

    The id is seen where events are. The namespace is a secret, so that nobody there can tell whose it is.
    """
    return uuid5(namespace, principal)
