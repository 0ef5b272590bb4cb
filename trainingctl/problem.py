"""Why a call failed, in one line: who was asked, the reason, the message, and the values that belong to the reason."""

from dataclasses import dataclass
from typing import Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from chassis.status import DETAILS_KEY
from trainingctl import exit_codes
from trainingctl.refused import error_info, violations

_NO_ANSWER: Final = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
"""Codes that gRPC gives by itself; with a reason beside them a service gave them."""
_UNKNOWN: Final = "NOT_FOUND"
_NOT_SERVED: Final = "NOT_SERVED_HERE"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is known of a failed call."""

    service: str
    address: str
    code: str
    reason: str
    message: str
    metadata: dict[str, str]
    violations: tuple[dict[str, str], ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the service said this itself."""
        return bool(self.reason) or self.code not in _NO_ANSWER

    @property
    def knows_nothing(self) -> bool:
        """Whether it only says that it has nothing of the kind."""
        return self.code == _UNKNOWN or self.reason == _NOT_SERVED

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with it."""
        return exit_codes.REFUSED if self.answered else exit_codes.NOT_REACHABLE

    @property
    def cause(self) -> str:
        """The reason, the message, and what belongs to them."""
        parts = [f"{key}={value}" for key, value in self.metadata.items()]
        parts += [f"{each.get('field', '')}: {each.get('description', '')}" for each in self.violations]
        told = f"{self.reason or self.code}: {self.message}"
        return " ".join((told + (f" ({', '.join(parts)})" if parts else "")).split())

    def __str__(self) -> str:
        verb = "refused" if self.answered else "does not answer"
        return f"{self.service} at {self.address} {verb}: {self.cause}"

    def record(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "service": self.service,
            "address": self.address,
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
            "metadata": self.metadata,
            "violations": list(self.violations),
        }


class CallFailed(Exception):
    """A call failed with a problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem: Final = problem


def problem_of(service: str, address: str, error: grpc.aio.AioRpcError) -> Problem:
    """Return what an error says, with the service's own details if it gave any."""
    status = Status(code=error.code().value[0], message=error.details() or "")
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                status = Status.FromString(value)
            except DecodeError:
                break
    info = error_info(status)
    return Problem(
        service,
        address,
        _name(error.code()),
        info.reason,
        status.message,
        dict(sorted(info.metadata.items())),
        tuple(violations(status)),
    )


def _name(code: grpc.StatusCode) -> str:
    return str(code.name)
