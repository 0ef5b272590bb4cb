"""A Protobuf message as text for people, as far as it can be read.

What decodes is told in proto3 JSON. Of what does not, each field that can be read is told by itself, down to the place
where nothing can be made of the bytes; that place is named under `@problem`. The text is bounded.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import Error, MessageToDict
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass

MOST_CHARACTERS: Final = 1024**2
_MOST_BYTES: Final = 256
_AROUND: Final = 40
"""Characters that a value takes beside its own: its name, its place."""
_DEEPEST: Final = 12
_MOST_VARINT: Final = 10
_PROBLEM: Final = "@problem"

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS: Final = {_FIXED64: 8, _FIXED32: 4}


class _Unreadable(Exception):
    """Nothing can be made of the bytes from here on."""


def readable(kind: type[Message], data: bytes) -> str:
    """Return a message of a kind as JSON, as far as it can be read."""
    try:
        whole = _text(_whole(kind, data))
    except (DecodeError, Error, ValueError, RecursionError):
        whole = None
    if whole is not None and len(whole) <= MOST_CHARACTERS:
        return whole
    return _text(_Reading().message(kind, data, 0))


def _whole(kind: type[Message], data: bytes) -> dict[str, Any]:
    return MessageToDict(kind.FromString(data), preserving_proto_field_name=True)


def _text(told: object) -> str:
    return json.dumps(told, ensure_ascii=False, indent=2)


class _Reading:
    """One reading; it counts how much it may still tell."""

    def __init__(self) -> None:
        self._left = MOST_CHARACTERS

    def message(self, kind: type[Message], data: bytes, depth: int) -> dict[str, object]:
        """Tell the fields of a message one by one; of a field that repeats, as a list."""
        values: dict[str, list[object]] = {}
        problem, at = "", 0
        try:
            for number, wire, value, end in _fields(data):
                field: Any = kind.DESCRIPTOR.fields_by_number.get(number)
                name = f"field {number}" if field is None else field.name
                values.setdefault(name, []).append(self._value(field, wire, value, depth))
                at = end
        except _Unreadable as error:
            problem = f"after byte {at}: {error}"
        told: dict[str, object] = {name: each[0] if len(each) == 1 else each for name, each in values.items()}
        return told | {_PROBLEM: problem} if problem else told

    def _value(self, field: FieldDescriptor | None, wire: int, value: int | bytes, depth: int) -> object:
        """Tell one value: as its type says where the bytes are of it, else as it stands there."""
        if isinstance(value, int):
            return self._counted(_number(field, value) if wire == _VARINT else value)
        if field is not None and field.message_type is not None:
            return self._inner(GetMessageClass(field.message_type), value, depth + 1)
        is_text = field is not None and field.type == FieldDescriptor.TYPE_STRING
        cut = value[:_MOST_BYTES]
        text = cut.decode("utf-8", "replace") if is_text else b64encode(cut).decode()
        return self._counted(text if len(cut) == len(value) else f"{text}…")

    def _inner(self, kind: type[Message], value: bytes, depth: int) -> object:
        if len(value) < self._left:
            with suppress(DecodeError, Error, ValueError, RecursionError):
                return self._counted(_whole(kind, value))
        return self.message(kind, value, depth) if depth < _DEEPEST else "too deep to be told"

    def _counted(self, value: object) -> object:
        size = len(_text(value)) + _AROUND
        if size > self._left:
            raise _Unreadable("there is more than is told here")
        self._left -= size
        return value


def _fields(data: bytes) -> Iterator[tuple[int, int, int | bytes, int]]:
    """Return number, wire type and value of each field, and where it ends."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        value: int | bytes
        if wire == _VARINT:
            value, at = _varint(data, at)
        elif wire in _WIDTHS:
            value, at = _taken(data, at, _WIDTHS[wire])
            value = int.from_bytes(value, "little")
        elif wire == _BYTES:
            size, at = _varint(data, at)
            if size > len(data) - at:
                yield number, wire, data[at:], at  # what is there of it
            value, at = _taken(data, at, size)
        else:
            raise _Unreadable(f"no field begins with {tag}")
        if not number:
            raise _Unreadable("no field has the number 0")
        yield number, wire, value, at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = 0
    for place in range(_MOST_VARINT):
        if at + place >= len(data):
            raise _Unreadable("it ends within a number")
        number |= (data[at + place] & 0x7F) << (7 * place)
        if data[at + place] < 0x80:  # noqa: PLR2004 - the highest bit says that the number goes on
            return number, at + place + 1
    raise _Unreadable("a number is too long")


def _taken(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(data):
        raise _Unreadable(f"{size} bytes should follow, {len(data) - at} are there")
    return data[at : at + size], at + size


def _number(field: FieldDescriptor | None, value: int) -> object:
    if field is None:
        return value
    if field.type == FieldDescriptor.TYPE_BOOL:
        return bool(value)
    if field.enum_type is not None:
        named = field.enum_type.values_by_number.get(value)
        return value if named is None else named.name
    signed = field.type in {FieldDescriptor.TYPE_INT32, FieldDescriptor.TYPE_INT64}
    return value - 2**64 if signed and value >= 2**63 else value
