"""Pages of a list: sizes, and opaque tokens bound to what was asked (AIP-158)."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2b
from typing import Final

from google.protobuf.message import Message

from chassis.refusal import Refusal

DEFAULT_PAGE: Final = 50
LARGEST_PAGE: Final = 500
_VERSION: Final = b"\x01"
_BOUND: Final = 8


class PageTokenMalformed(Refusal):
    """The page token can't be read, or belongs to other arguments."""

    reason = "PAGE_TOKEN_MALFORMED"


def page_size(asked: int) -> int:
    """Return how many to list: as many as asked for, 50 when nothing is said, never more than 500."""
    return min(asked, LARGEST_PAGE) if asked > 0 else DEFAULT_PAGE


def arguments(request: Message, *free: str) -> bytes:
    """Return what a token is bound to: the request less the token, the size and what else may change between pages."""
    bound = type(request)()
    bound.CopyFrom(request)
    for name in ("page_token", "page_size", *free):
        bound.ClearField(name)
    return bound.SerializeToString(deterministic=True)


def write_token(place: bytes, bound_to: bytes) -> str:
    """Return the token for the page after a place."""
    return urlsafe_b64encode(_VERSION + _seal(place, bound_to) + place).rstrip(b"=").decode()


def read_token(token: str, bound_to: bytes) -> bytes:
    """Return the place that a token names. Raises PageTokenMalformed."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise PageTokenMalformed("the page token is not base64url text") from error
    place = raw[1 + _BOUND :]
    if raw[:1] != _VERSION or raw[1 : 1 + _BOUND] != _seal(place, bound_to):
        raise PageTokenMalformed("the page token was changed, or belongs to other arguments")
    return place


def _seal(place: bytes, bound_to: bytes) -> bytes:
    """Return a checksum of both; it finds mistakes, it keeps no secret."""
    return blake2b(place, digest_size=_BOUND, key=blake2b(bound_to, digest_size=32).digest()).digest()
