"""Random messages from descriptors, and valid ones with something changed."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz import hostile

_DEEPEST: Final = 12
_VALUES_AT_MOST: Final = 4000
_MANY: Final = (0, 0, 1, 1, 2, 3, 8, 65, 501)
_SECONDS: Final = (0, 0, 1, -1, 1_900_000_000, 253_402_300_799, 253_402_300_800, -62_135_596_801, 2**63 - 1, -(2**63))
_NANOS: Final = (0, 0, 1, 999_999_999, 10**9, -1, 2**31 - 1)
_BYTES_KIND: Final = FieldDescriptor.TYPE_BYTES


class Generator:
    """Makes requests from a source of chance; `known` texts and `tokens` mean something to the services."""

    def __init__(self, chance: Random, known: list[str], tokens: list[str]) -> None:
        self._chance = chance
        self._known = known
        self._tokens = tokens
        self._left = _VALUES_AT_MOST

    def message(self, made: type[Message]) -> Message:
        """Return a message in which every field has a value or has none, by chance."""
        message = made()
        self._fill(message, 0, self._chance.choice((0.2, 0.5, 0.9)))
        return message

    def mutated(self, valid: Message) -> Message:
        """Return a valid message with up to three of its values changed, anywhere in it."""
        message = type(valid)()
        message.CopyFrom(valid)
        for _ in range(self._chance.randint(1, 3)):
            places = list(_places(message))
            if not places:
                break
            holder, field = self._chance.choice(places)
            if self._chance.random() < 0.25:
                holder.ClearField(field.name)
            else:
                self._set(holder, field, 0, 0.6)
        return message

    def _fill(self, message: Message, depth: int, density: float) -> None:
        for field in _fields(message):
            if self._chance.random() < density:
                self._set(message, field, depth, density)

    def _set(self, message: Message, field: FieldDescriptor, depth: int, density: float) -> None:
        if field.is_repeated:
            self._set_many(message, field, depth, density)
        elif field.message_type is not None:
            inner = getattr(message, field.name)
            inner.SetInParent()
            self._compose(inner, field, depth, density)
        else:
            setattr(message, field.name, self._value(field))

    def _set_many(self, message: Message, field: FieldDescriptor, depth: int, density: float) -> None:
        values, count = getattr(message, field.name), self._chance.choice(_MANY)
        message.ClearField(field.name)
        if _is_map(field):
            return
        for _ in range(count if depth < 2 else min(count, 3)):
            if self._left <= 0:
                return
            if field.message_type is None:
                values.append(self._value(field))
            else:
                self._compose(values.add(), field, depth, density)

    def _compose(self, inner: Message, field: FieldDescriptor, depth: int, density: float) -> None:
        if {"seconds", "nanos"} == set(inner.DESCRIPTOR.fields_by_name):
            # A wait is a promise of the caller's to be patient: those that are legal are short here.
            waits = field.name == "max_wait"
            inner.seconds = self._chance.choice((0, 0, -1, 31, 2**63 - 1) if waits else _SECONDS)  # type: ignore[attr-defined]
            inner.nanos = self._chance.choice((1, 10**7, -1, 10**9) if waits else _NANOS)  # type: ignore[attr-defined]
        elif depth < _DEEPEST and self._left > 0:
            self._fill(inner, depth + 1, density)

    def _value(self, field: FieldDescriptor) -> Any:  # noqa: ANN401 - whatever the field holds
        self._left -= 1
        kind = field.cpp_type
        if kind == FieldDescriptor.CPPTYPE_STRING:
            if field.type == _BYTES_KIND:
                return self._chance.randbytes(self._chance.choice((0, 1, 16, 17, 300)))
            if "token" in field.name or field.name == "etag":
                return hostile.token(self._chance, self._tokens)
            value = hostile.text(self._chance, self._known)
            self._left -= len(value) // 500
            return value
        if kind == FieldDescriptor.CPPTYPE_BOOL:
            return self._chance.random() < 0.3
        if kind == FieldDescriptor.CPPTYPE_ENUM:
            numbers = [value.number for value in field.enum_type.values] if field.enum_type else [0]
            return self._chance.choice((*numbers, *numbers, -1, max(numbers) + 1, 2**31 - 1, -(2**31)))
        if kind in {FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT}:
            return hostile.real(self._chance)
        return hostile.number(self._chance, kind)


def _places(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    """Return every field of the message and of the messages set in it."""
    for field in _fields(message):
        yield message, field
    for field, value in message.ListFields():
        if field.message_type is None or _is_map(field):
            continue
        for inner in value if field.is_repeated else (value,):
            yield from _places(inner)


def _fields(message: Message) -> list[FieldDescriptor]:
    """Return the fields of a message's type, whose stubs know of two classes for them."""
    fields: list[Any] = list(message.DESCRIPTOR.fields)
    return fields


def _is_map(field: FieldDescriptor) -> bool:
    kind: Descriptor | None = field.message_type
    return kind is not None and kind.GetOptions().map_entry
