"""A refusal as a `google.rpc.Status`: which code it has and which details carry its parts.

The whole answer travels in the trailers, and common clients refuse trailers of more than 8 KiB: lists that would not
fit into `BUDGET` bytes are cut, and a last entry says how many are missing.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, PreconditionFailure, ResourceInfo, RetryInfo
from google.rpc.status_pb2 import Status
from training.errors.v1 import errors_pb2

from chassis.refusal import Refusal, Violation

DOMAIN: Final = "training"
DETAILS_KEY: Final = "grpc-status-details-bin"
BUDGET: Final = 7 * 1024
"""Bytes that a status may take as trailers: the message percent-encoded, the details in base64."""

_LONGEST_MESSAGE: Final = 512
_LONGEST_VALUE: Final = 256
_MOST_METADATA: Final = 12
_PREFIX: Final = "ERROR_REASON_"
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}

CODE_OF_REASON: Final = {
    value.name.removeprefix(_PREFIX): _CODES[value.GetOptions().Extensions[errors_pb2.code]]
    for value in errors_pb2.ErrorReason.DESCRIPTOR.values
    if value.GetOptions().HasExtension(errors_pb2.code)
}
"""The gRPC code of every reason, as the protos say it."""


def code_of(refusal: Refusal) -> grpc.StatusCode:
    """Return the gRPC code of a refusal's reason."""
    return CODE_OF_REASON[refusal.reason]


def to_status(refusal: Refusal) -> Status:
    """Return the refusal as callers receive it."""
    code = code_of(refusal)
    status = Status(code=code.value[0], message=_cut(refusal.message, _LONGEST_MESSAGE))
    kept = list(refusal.metadata.items())[:_MOST_METADATA]
    metadata = {key: _cut(value, _LONGEST_VALUE) for key, value in kept}
    _add(status, ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=metadata))
    if refusal.retry_after is not None:
        retry = RetryInfo()
        retry.retry_delay.FromTimedelta(refusal.retry_after)
        _add(status, retry)
    if code in (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.ALREADY_EXISTS) and "resource_name" in metadata:
        _add(
            status,
            ResourceInfo(
                resource_type=metadata.get("resource_type", ""),
                resource_name=metadata["resource_name"],
                description=status.message,
            ),
        )
    if refusal.violations:
        _add(status, _listing(code, refusal.violations, _room(status)))
    return status


def _listing(code: grpc.StatusCode, violations: Sequence[Violation], room: int) -> Message:
    """Return the detail that lists the violations: fields of a bad request, or preconditions."""
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        fields = [
            BadRequest.FieldViolation(field=each.field, description=_describe(each), reason=_constant(each.rule))
            for each in _shortened(violations)
        ]
        taken = _fitting(fields, room)
        if taken < len(fields):
            fields[taken:] = [BadRequest.FieldViolation(description=_more(len(fields) - taken))]
        return BadRequest(field_violations=fields)
    failures = [
        PreconditionFailure.Violation(type=each.rule, subject=each.field, description=_describe(each))
        for each in _shortened(violations)
    ]
    taken = _fitting(failures, room)
    if taken < len(failures):
        failures[taken:] = [PreconditionFailure.Violation(description=_more(len(failures) - taken))]
    return PreconditionFailure(violations=failures)


def _shortened(violations: Iterable[Violation]) -> Iterable[Violation]:
    """Return the violations with no part too long for a trailer."""
    for each in violations:
        yield Violation(*(_cut(part, _LONGEST_VALUE) for part in (each.field, each.rule, each.found, each.needed)))


def _describe(violation: Violation) -> str:
    """Say what was found and what is needed; a rule that tells no finding speaks for itself."""
    if not violation.found:
        return violation.needed
    return f"found {violation.found}, needed {violation.needed}"


def _constant(rule: str) -> str:
    """Return a rule's name as `FieldViolation.reason` wants it: `string.uuid` is `STRING_UUID`."""
    return re.sub(r"[^A-Z0-9]+", "_", rule.upper()).strip("_")[:63]


def _more(count: int) -> str:
    """Say how many violations are not listed."""
    return f"and {count} more"


def _fitting(entries: Iterable[Message], room: int) -> int:
    """Return how many entries, from the first on, fit into so many bytes."""
    count = 0
    for entry in entries:
        room -= entry.ByteSize() + 3  # its tag and the length, of one or two bytes
        if room < 0:
            break
        count += 1
    return count


def _room(status: Status) -> int:
    """Return the bytes left for one more detail, before base64."""
    message = len(quote(status.message, safe=" "))
    reserve = 160  # the detail's type, its lengths, and the entry that counts what is missing
    return (BUDGET - message) * 3 // 4 - status.ByteSize() - reserve


def _add(status: Status, detail: Message) -> None:
    """Pack one detail."""
    packed = Any()
    packed.Pack(detail)
    status.details.append(packed)


def _cut(text: str, longest: int) -> str:
    """Return the text with at most so many bytes of UTF-8."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= longest:
        return encoded.decode()
    return encoded[: longest - 3].decode(errors="ignore") + "…"
