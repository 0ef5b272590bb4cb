"""Messages as plain facts, so that nothing that is set in one escapes a comparison."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

Fact: TypeAlias = str | int | float | bool | bytes | datetime
Facts: TypeAlias = dict[str, Fact]
"""What is set, by path: `offer.schedule.sessions[0].local_start`. Enums are by name, times aware and in UTC."""


def facts_of(message: Message) -> Facts:
    """Return every field that is set, those of nested messages included; a nested message without any is `{}`."""
    return dict(_facts("", message))


def differences(expected: Mapping[str, Fact], found: Mapping[str, Fact]) -> Iterator[str]:
    """Say in which facts two things differ, in the order of their paths."""
    for path in sorted(expected.keys() | found.keys()):
        wanted, given = expected.get(path, "nothing"), found.get(path, "nothing")
        if wanted != given or type(wanted) is not type(given):
            yield f"{path}: expected {wanted!r}, found {given!r}"


def _facts(prefix: str, message: Message) -> Iterator[tuple[str, Fact]]:
    for field, value in message.ListFields():
        path = f"{prefix}{field.name}"
        if field.is_repeated:
            for index, element in enumerate(value):
                yield from _values(f"{path}[{index}]", field, element)
        else:
            yield from _values(path, field, value)


def _values(path: str, field: FieldDescriptor, value: object) -> Iterator[tuple[str, Fact]]:
    if isinstance(value, Timestamp):
        yield path, value.ToDatetime(UTC)
    elif isinstance(value, Message):
        nested = tuple(_facts(f"{path}.", value))
        yield from nested or ((path, "{}"),)
    elif field.enum_type is not None and isinstance(value, int):
        named = field.enum_type.values_by_number.get(value)
        yield path, value if named is None else named.name
    elif isinstance(value, str | int | float | bytes):
        yield path, value
    else:
        raise TypeError(f"{path} is a {type(value).__name__}, which no field of a message is")
