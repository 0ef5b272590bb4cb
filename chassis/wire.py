"""Putting serialized messages together without parsing them: in Protobuf, concatenation is merge."""

from typing import Any, Final, TypeAlias

Serialized: TypeAlias = Any  # the generated types know no bytes; the server's serializer does
"""A response that its handler has put together itself, as bytes."""

_SEVEN_BITS: Final = 0x7F
_MORE: Final = 0x80
_SHORT: Final = tuple(bytes((value,)) for value in range(_MORE))


def varint(value: int) -> bytes:
    """Return a non-negative number as a base-128 varint."""
    if value <= _SEVEN_BITS:
        return _SHORT[value]
    encoded = bytearray()
    while value > _SEVEN_BITS:
        encoded.append(value & _SEVEN_BITS | _MORE)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number: int, payload: bytes) -> bytes:
    """Return a message, string or bytes field with its tag and length."""
    return varint(number << 3 | 2) + varint(len(payload)) + payload
