"""Putting serialized messages together without parsing them: in Protobuf, concatenation is merge."""

from typing import Any, Final, TypeAlias

Serialized: TypeAlias = Any  # the generated types know no bytes; the server's serializer does
"""A response that its handler has put together itself, as bytes."""

# Nearly all numbers take one byte or two; a stream writes several for each of its entries.
_LAST: Final = tuple(bytes((value,)) for value in range(0x80))
_MORE: Final = tuple(bytes((value | 0x80,)) for value in range(0x80))


def varint(value: int) -> bytes:
    """Return a non-negative number as a base-128 varint."""
    if value < 0x80:  # noqa: PLR2004 - seven bits
        return _LAST[value]
    if value < 0x4000:  # noqa: PLR2004 - twice seven bits
        return _MORE[value & 0x7F] + _LAST[value >> 7]
    return _MORE[value & 0x7F] + varint(value >> 7)


_TAGS: Final = tuple(varint(number << 3 | 2) for number in range(64))


def field(number: int, payload: bytes) -> bytes:
    """Return a message, string or bytes field with its tag and length."""
    tag = _TAGS[number] if number < len(_TAGS) else varint(number << 3 | 2)
    return tag + varint(len(payload)) + payload
