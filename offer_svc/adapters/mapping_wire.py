"""Fields written as bytes, without a message around them: reservations come by hundreds a second.

What is written is what a message would be: a field that is zero or empty is left out. In Protobuf, concatenation is
merge, as long as a repeated field is wholly in one part.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from chassis.wire import field, varint
from offer_svc.adapters.mapping_values import instant_message

_VARINT_TAGS: Final = tuple(varint(number << 3) for number in range(64))


def number_field(number: int, value: int) -> bytes:
    """Write a number that is not negative, a flag or an enum's value."""
    return _VARINT_TAGS[number] + varint(value) if value else b""


def text_field(number: int, text: str) -> bytes:
    """Write a text."""
    return field(number, text.encode()) if text else b""


@lru_cache(maxsize=1024)
def id_field(number: int, identity: UUID) -> bytes:
    """Write an id; those of a revision are written more than once."""
    return field(number, str(identity).encode())


@lru_cache(maxsize=4096)
def instant_field(number: int, instant: datetime) -> bytes:
    """Write an instant; those of one batch are few, and written once."""
    return field(number, instant_message(instant).SerializeToString())
