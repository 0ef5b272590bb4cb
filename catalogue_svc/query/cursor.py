"""Page tokens and resume tokens: where to go on, for exactly the request that they were made for.

A token is the base64url form of a version byte, a digest of the request's arguments, the place, and a CRC-32.
"""

import binascii
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID
from zlib import crc32

from google.protobuf.message import Message

_VERSION: Final = b"\x01"
_DIGEST_BYTES: Final = 12
_FORM: Final = struct.Struct(">q16sQ")  # start in microseconds, id, entries before
_BYTES: Final = len(_VERSION) + _DIGEST_BYTES + _FORM.size + 4
_MOST_GIVEN: Final = 2**63 - 1  # more than any list has; what a stream adds to it still fits the form
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class MalformedCursor(Exception):
    """A token that `encode` did not make, or made for other arguments; its text goes on a sentence about the token."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the order of a list: after the entry with this start (programs have none) and id."""

    start: datetime
    id: UUID


BEGINNING: Final = Place(_EPOCH, UUID(int=0))
"""What programs have in place of a start, and the place that nothing is before."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on, and how many entries were given before."""

    after: Place
    given: int = 0


def digest(request: Message, *free: str) -> bytes:
    """Return what binds a token to a request, whose fields named `free` may change from call to call."""
    bound = type(request)()
    bound.CopyFrom(request)
    for name in free:
        bound.ClearField(name)
    return blake2b(bound.SerializeToString(deterministic=True), digest_size=_DIGEST_BYTES, person=b"catalogue").digest()


def encode(cursor: Cursor, arguments: bytes) -> str:
    """Return the token of a place, bound to a digest of the arguments."""
    start = (cursor.after.start - _EPOCH) // _MICROSECOND
    payload = _VERSION + arguments + _FORM.pack(start, cursor.after.id.bytes, cursor.given)
    return urlsafe_b64encode(payload + crc32(payload).to_bytes(4)).rstrip(b"=").decode()


def decode(token: str, arguments: bytes) -> Cursor:
    """Return the place that a token stands for. Raises MalformedCursor."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise MalformedCursor("is not base64url text") from error
    payload, checksum = raw[:-4], raw[-4:]
    if len(raw) != _BYTES or payload[:1] != _VERSION or crc32(payload).to_bytes(4) != checksum:
        raise MalformedCursor("was cut or changed, or is of another version")
    if payload[1 : 1 + _DIGEST_BYTES] != arguments:
        raise MalformedCursor("belongs to a request with other arguments")
    start, identifier, given = _FORM.unpack(payload[1 + _DIGEST_BYTES :])
    if given > _MOST_GIVEN:
        raise MalformedCursor("names a place after more entries than there can be")
    try:
        return Cursor(Place(_EPOCH + start * _MICROSECOND, UUID(bytes=identifier)), given)
    except OverflowError as error:
        raise MalformedCursor("names a time that there is not") from error
