"""A row that was not imported, and why: the service's answer, or what could not even be sent."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import grpc
from google.protobuf.json_format import MessageToDict
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure
from google.rpc.status_pb2 import Status

UNREADABLE: Final = "UNREADABLE"
"""The reason of a row that is no JSON object, or has a field or value that the message does not know."""
TOO_LARGE: Final = "TOO_LARGE"
"""The reason of a row that is larger than a service takes."""

_CODES: Final = {code.value[0]: code.name for code in grpc.StatusCode}


@dataclass(frozen=True, slots=True)
class Origin:
    """The line on which a row stands, from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One row that was not imported; the fields are those of the report."""

    origin: Origin
    row_id: str
    code: str
    reason: str
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    violations: tuple[dict[str, str], ...] = ()

    def record(self) -> dict[str, object]:
        """Return the row as one object of the report."""
        return {
            "file": self.origin.file,
            "line": self.origin.line,
            "row_id": self.row_id,
            "code": self.code,
            "reason": self.reason,
            "message": self.message,
            "metadata": self.metadata,
            "violations": list(self.violations),
        }


def unreadable(origin: Origin, problem: str, row_id: str = "") -> RefusedRow:
    """Return the refusal of a row that can't be read."""
    return RefusedRow(origin, row_id, "INVALID_ARGUMENT", UNREADABLE, problem)


def too_large(origin: Origin, size: int, limit: int, row_id: str = "") -> RefusedRow:
    """Return the refusal of a row that is larger than a service takes; in bytes."""
    metadata = {"size": str(size), "limit": str(limit)}
    return RefusedRow(origin, row_id, "INVALID_ARGUMENT", TOO_LARGE, f"more than {limit} bytes", metadata)


def refused(origin: Origin, row_id: str, status: Status) -> RefusedRow:
    """Return the refusal that a service answered."""
    info = error_info(status)
    return RefusedRow(
        origin,
        row_id,
        _CODES.get(status.code, str(status.code)),
        info.reason,
        status.message,
        dict(sorted(info.metadata.items())),
        tuple(violations(status)),
    )


def error_info(status: Status) -> ErrorInfo:
    """Return the reason and its metadata; empty if the status has none."""
    info = ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            break
    return info


def violations(status: Status) -> Iterator[dict[str, str]]:
    """List what broke which rule where; fields keep the names that the details have."""
    for detail in status.details:
        bad, failure = BadRequest(), PreconditionFailure()
        if detail.Unpack(bad):
            yield from map(MessageToDict, bad.field_violations)
        elif detail.Unpack(failure):
            for violation in failure.violations:
                yield {
                    "field": violation.subject,
                    "rule": violation.type,
                    "description": violation.description,
                }
