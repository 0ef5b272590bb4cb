"""From the request of a command to its `CommandCall`, and from its outcome to the response's bytes."""

from hashlib import sha256
from typing import Protocol
from uuid import UUID

from bus.commands.handling import CommandCall, Outcome
from chassis.call import current_call
from chassis.wire import field


class CommandRequest(Protocol):
    """The envelope that every command's request has."""

    request_id: str
    validate_only: bool

    def SerializeToString(self, *, deterministic: bool = ...) -> bytes:  # noqa: N802 - protobuf's name
        """Serialize the request."""
        ...


def command_call(request: CommandRequest, etag: str = "") -> CommandCall:
    """Return who calls and what the envelope says. A dry run stores no response and so needs no request id."""
    call = current_call()
    stored = bool(request.request_id) and not request.validate_only
    request_id = UUID(request.request_id) if stored else None
    request.request_id = ""  # one id can be written in several ways; the fingerprint is of the rest
    return CommandCall(
        call.principal.name,
        call.method,
        call.traceparent,
        request_id=request_id,
        fingerprint=sha256(request.SerializeToString(deterministic=True)).digest() if stored else b"",
        etag=etag,
        validate_only=request.validate_only,
    )


def row_call(*, validate_only: bool) -> CommandCall:
    """Return who calls for one row of an import; its id makes repeating it harmless, so no response is stored."""
    call = current_call()
    return CommandCall(call.principal.name, call.method, call.traceparent, validate_only=validate_only)


def response_bytes(outcome: Outcome) -> bytes:
    """Return the response with its token, which every command's response has as its field 2."""
    return outcome.response + field(2, outcome.token.encode()) if outcome.token else outcome.response
