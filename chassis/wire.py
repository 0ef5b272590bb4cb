"""Putting serialized messages together without parsing them: in Protobuf, concatenation is merge."""

from typing import Any, TypeAlias

Serialized: TypeAlias = Any  # the generated types know no bytes; the server's serializer does
"""A response that its handler has put together itself, as bytes."""


def varint(value: int) -> bytes:
    """Return a non-negative number as a base-128 varint."""
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - seven bits a byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number: int, payload: bytes) -> bytes:
    """Return a message, string or bytes field with its tag and length."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload
