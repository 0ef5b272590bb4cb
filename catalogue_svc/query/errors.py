"""What the catalogue refuses.

Refusal
├── ResourceNotFound (chassis)    no such program or offer is visible
├── InvalidField (chassis)        a filter that can't be read
├── PageTokenMalformed            a page token that is not ours, or of other arguments
└── ResumeTokenMalformed          a resume token that is not ours, or of other arguments
"""

from typing import Final, Self

from chassis.refusal import InvalidField, Refusal, ResourceNotFound, Violation

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


def invalid(path: str, rule: str, found: str, needed: str) -> InvalidField:
    """Return the refusal for one field of a request."""
    return InvalidField(f"fields break their rules: {path}", {}, (Violation(path, rule, found, needed),))
