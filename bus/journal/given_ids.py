"""Ids as requests of the journal give them: in 16 bytes, or not at all."""

from typing import Final
from uuid import UUID

from chassis.refusal import InvalidField, Violation

_BYTES: Final = 16


def given_id(field: str, given: bytes) -> UUID | None:
    """Return the id that a field gives; None when it is empty. Raises InvalidField for what is no id."""
    if not given:
        return None
    if len(given) != _BYTES:
        found = Violation(field, "bytes.len", f"{len(given)} bytes", f"{_BYTES} bytes, or none")
        raise InvalidField(f"fields break their rules: {field}", violations=(found,))
    return UUID(bytes=given)
