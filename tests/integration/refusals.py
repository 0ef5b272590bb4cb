"""What a refused call tells its caller."""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure
from google.rpc.status_pb2 import Status

from tests.integration.chassis_server import failure, status_of


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal: its code, its reason and its details; `fields` of a bad request, `rules` of broken preconditions."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    fields: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)


async def refused(call: Awaitable[Any]) -> Refused:
    """Return the refusal with which a call ends."""
    error = await failure(call)
    return read(error.code(), status_of(error))


def read(code: grpc.StatusCode, status: Status) -> Refused:
    """Return what a status tells."""
    info, bad, broken = ErrorInfo(), BadRequest(), PreconditionFailure()
    for detail in status.details:
        for message in (info, bad, broken):
            detail.Unpack(message)
    return Refused(
        code,
        info.reason,
        dict(info.metadata),
        [each.field for each in bad.field_violations],
        [each.type for each in broken.violations],
    )
