"""The pure base of every error that a caller is told: what was refused, and why.

Domains raise it without knowing gRPC; `chassis.errors` turns it into a `google.rpc.Status`. The canonical code belongs
to the reason (`training.errors.v1.ErrorReason`), so nothing here names one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: where, which, what was found and what is needed."""

    field: str
    rule: str
    found: str
    needed: str


@dataclass(eq=False)
class Refusal(Exception):
    """A call that was understood and not carried out; nothing was written.

    Subclasses name their `reason`, a value of `ErrorReason` without its prefix.
    """

    reason: ClassVar[str]

    message: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    retry_after: timedelta | None = None

    def __str__(self) -> str:
        """Say it as the caller reads it."""
        return self.message


class InvalidField(Refusal):
    """Fields break their rules; every one is listed."""

    reason = "INVALID_FIELD"


class ResourceNotFound(Refusal):
    """There is no such resource; metadata: `resource_type`, `resource_name`."""

    reason = "RESOURCE_NOT_FOUND"


class ResourceExists(Refusal):
    """The id given is taken; metadata: `resource_type`, `resource_name`."""

    reason = "RESOURCE_EXISTS"
