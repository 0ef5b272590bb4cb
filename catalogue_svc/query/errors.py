"""What the catalogue refuses.

Refusal
├── ResourceNotFound (chassis)    no such program or offer is visible
├── ProjectionBehind (bus)        an offer's program is still to come
├── InvalidField (chassis)        a filter that can't be read
├── PageTokenMalformed            a page token that is not ours, or of other arguments
└── ResumeTokenMalformed          a resume token that is not ours, or of other arguments
"""

from datetime import timedelta
from typing import Final, Self
from uuid import UUID

from bus.freshness.consistency import ProjectionBehind
from bus.lanes import lane_of
from bus.tokens import Position
from chassis.refusal import InvalidField, Refusal, ResourceNotFound, Violation

_RETRY_AFTER: Final = timedelta(milliseconds=200)
_TYPES: Final = {"program": "training.program.v1.Program", "offer": "training.offer.v1.Offer"}


class PageTokenMalformed(Refusal):
    """The page token can't be read, or belongs to other arguments."""

    reason = "PAGE_TOKEN_MALFORMED"

    @classmethod
    def because(cls, problem: str) -> Self:
        """Say what is wrong with it."""
        return cls(f"the page token {problem}")


class ResumeTokenMalformed(Refusal):
    """The resume token can't be read, or belongs to other arguments."""

    reason = "RESUME_TOKEN_MALFORMED"

    @classmethod
    def because(cls, problem: str) -> Self:
        """Say what is wrong with it."""
        return cls(f"the resume token {problem}")


def not_found(kind: str, resource_id: str) -> ResourceNotFound:
    """Return the refusal for an id that nothing visible has; `kind` is `program` or `offer`."""
    named = {"resource_type": _TYPES[kind], "resource_name": resource_id}
    return ResourceNotFound(f"the catalogue has no {kind} {resource_id}", named)


def program_coming(program_id: UUID, reached: Position | None) -> ProjectionBehind:
    """Return the refusal for an offer whose program is still to come, after what is reached of its lane."""
    lane = lane_of(program_id)
    have = 0 if reached is None else reached.lanes.get(lane, 0)
    named = {"source": "program", "lane": str(lane), "have": str(have), "need": str(have + 1)}
    problem = f"program lane {lane}: applied up to {have}, program {program_id} of the offer asked for comes later"
    return ProjectionBehind(problem, named, retry_after=_RETRY_AFTER)


def invalid(path: str, rule: str, found: str, needed: str) -> InvalidField:
    """Return the refusal for one field of a request."""
    return InvalidField(f"fields break their rules: {path}", {}, (Violation(path, rule, found, needed),))
