"""What callers are told when a call is refused: the process's own refusals, and every refusal as a `google.rpc.Status`.

    Refusal                      chassis.refusal: the base of each service's tree
    ├── InvalidField             chassis.refusal
    ├── ResourceNotFound         chassis.refusal
    ├── ResourceExists           chassis.refusal
    ├── Unauthenticated          no credential, or one that can't be read
    ├── RoleMissing              none of the roles that the method needs
    ├── TooManyCalls             too many calls or streams at once
    ├── Draining                 the process is ending
    ├── DeadlineExceeded         the deadline passed in the service
    ├── DatabaseUnavailable      the service can't reach its own database
    └── InternalError            a fault of the service: only the correlation id is told

The gRPC code of a reason stands in the protos, as an option of the reason's enum value.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final, Never, Self

import grpc

from chassis.refusal import Refusal
from chassis.status import DETAILS_KEY, code_of, to_status

__all__ = [
    "DatabaseUnavailable",
    "DeadlineExceeded",
    "Draining",
    "InternalError",
    "RoleMissing",
    "TooManyCalls",
    "Unauthenticated",
    "abort",
    "code_of",
    "to_status",
]

SOON: Final = timedelta(seconds=1)
"""When to come back to a process that is too busy, ending, or without its database."""


class Unauthenticated(Refusal):
    """There is no credential, or it can't be read."""

    reason = "UNAUTHENTICATED"

    @classmethod
    def because(cls, problem: str) -> Self:
        """Say what is wrong with the credential, without repeating it."""
        return cls(f"the caller is not known: {problem}")


class RoleMissing(Refusal):
    """The caller has none of the roles that the method needs."""

    reason = "ROLE_MISSING"

    @classmethod
    def calling(cls, method: str, roles: Iterable[str]) -> Self:
        """Name the method and its roles."""
        needed = ",".join(sorted(roles))
        return cls(f"{method} needs one of the roles: {needed}", {"method": method, "roles": needed})


class TooManyCalls(Refusal):
    """Too many calls of one kind are under way."""

    reason = "TOO_MANY_CALLS"

    @classmethod
    def of(cls, kind: str, limit: int) -> Self:
        """Name the kind of calls and its limit."""
        return cls(f"{limit} {kind} are under way, which is the limit", {"limit": str(limit)}, (), SOON)


class Draining(Refusal):
    """The process is ending; another one answers."""

    reason = "DRAINING"

    def __init__(self) -> None:
        super().__init__("the process is shutting down", {}, (), SOON)


class DeadlineExceeded(Refusal):
    """The call's deadline passed in the service."""

    reason = "DEADLINE_EXCEEDED"

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Tell the deadline that the service had set."""
        return cls(f"the call took longer than the {seconds:g} s it may take here", {"seconds": f"{seconds:g}"})


class DatabaseUnavailable(Refusal):
    """The service can't reach its own database now."""

    reason = "DATABASE_UNAVAILABLE"

    def __init__(self) -> None:
        super().__init__("the service can't reach its database", {}, (), SOON)


class InternalError(Refusal):
    """The service failed; the log tells more under the correlation id."""

    reason = "INTERNAL"

    @classmethod
    def under(cls, correlation_id: str) -> Self:
        """Tell the correlation id and nothing else."""
        return cls("internal error; the correlation id finds it in the log", {"correlation_id": correlation_id})


async def abort(context: "grpc.aio.ServicerContext[Any, Any]", refusal: Refusal) -> Never:
    """End the call with the refusal's status; raises `grpc.aio.AbortError`, as gRPC wants it."""
    status = to_status(refusal)
    await context.abort(code_of(refusal), status.message, ((DETAILS_KEY, status.SerializeToString()),))
