"""Whether a call ended as it is documented: OK, or a refusal with a reason whose code is the one it came with."""

from typing import Final

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from training.errors.v1 import errors_pb2

_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_NEVER: Final = frozenset({grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DEADLINE_EXCEEDED})
_LEAKS: Final = ("Traceback", "Exception", "Error(", "asyncpg", "sqlalchemy", "/site-packages/", ".py")
_DETAILS: Final = "grpc-status-details-bin"


def _documented() -> dict[str, grpc.StatusCode]:
    """Return the code of each reason, as the protos tell."""
    values = errors_pb2.ErrorReason.DESCRIPTOR.values
    return {
        value.name.removeprefix("ERROR_REASON_"): _CODES[value.GetOptions().Extensions[errors_pb2.code]]
        for value in values
        if value.number
    }


REASONS: Final = _documented()


def of_error(error: grpc.aio.AioRpcError, *, oversized: bool) -> str | None:
    """Return what is wrong with the way in which a call failed, if anything."""
    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and oversized:
        return None  # gRPC's own refusal of a message or of metadata that is too large
    given = dict(error.trailing_metadata() or ()).get(_DETAILS)
    if not isinstance(given, bytes):
        return f"{error.code().name} without details: {error.details()}"
    return of_status(error.code(), Status.FromString(given))


def of_status(code: grpc.StatusCode, status: Status) -> str | None:
    """Return what is wrong with a refusal, if anything."""
    info = ErrorInfo()
    found = [info for detail in status.details if detail.Unpack(info)]
    if not found or info.domain != "training":
        return f"{code.name} without a reason: {status.message}"
    if code in _NEVER:
        return f"{code.name} {info.reason}: {status.message}"
    if REASONS.get(info.reason) is not code:
        return f"{info.reason} came with {code.name}"
    leaked = [leak for leak in _LEAKS if leak in status.message]
    return f"the message tells of the inside: {status.message}" if leaked else None


def of_response(response: Message) -> tuple[str, str | None]:
    """Return what to count a response as, and what is wrong with it: a result of a row carries its own refusal."""
    if "error" not in response.DESCRIPTOR.fields_by_name or not response.HasField("error"):
        return "OK", None
    status: Status = response.error  # type: ignore[attr-defined]
    code = _CODES[status.code]
    return f"row {code.name}", of_status(code, status)
