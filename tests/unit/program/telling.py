"""Whether a message tells everything that a value of the domain says, by the names of their fields alone.

It is the tests' own reading of the messages: it shares nothing with the mapping.
"""

from collections.abc import Collection
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def tells(message: Message, value: object, *, untold: Collection[str] = (), beside: Collection[str] = ()) -> bool:
    """Tell whether the message has each field of the value, and no others.

    `untold` are fields of the value that the message lacks, `beside` those of the message that the value lacks.
    """
    assert is_dataclass(value)
    told = {field.name for field in fields(value)} - set(untold)
    assert told == {field.name for field in message.DESCRIPTOR.fields} - set(beside)
    for name in told:
        assert _told(message, name) == _said(getattr(value, name)), name
    return True


def _told(message: Message, name: str) -> Any:  # noqa: ANN401 - whatever the field holds
    field = message.DESCRIPTOR.fields_by_name[name]
    value = getattr(message, name)
    if field.is_repeated:
        return [_plain(each) for each in value]
    if field.message_type is not None:
        return _plain(value) if message.HasField(name) else ""
    return value


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever the field holds
    """Return a field's value as plain values; times and durations in microseconds."""
    if not isinstance(value, Message):
        return value
    match value.DESCRIPTOR.full_name:
        case "google.protobuf.Timestamp" | "google.protobuf.Duration":
            seconds, nanos = (getattr(value, part) for part in ("seconds", "nanos"))
            return (seconds * 1_000_000_000 + nanos) / 1000 if nanos % 1000 else seconds * 1_000_000 + nanos // 1000
        case "google.type.Decimal":
            return getattr(value, "value")  # noqa: B009 - Message knows no fields
        case _:
            return {field.name: _told(value, field.name) for field in value.DESCRIPTOR.fields}


def _said(value: Any) -> Any:  # noqa: ANN401 - whatever a field holds
    match value:
        case None:
            return ""
        case UUID():
            return str(value)
        case datetime():
            return (value - _EPOCH) // _MICROSECOND
        case timedelta():
            return value // _MICROSECOND
        case Decimal():
            return f"{value:f}"
        case tuple():
            return [_said(each) for each in value]
        case _ if is_dataclass(value):
            return {field.name: _said(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value
