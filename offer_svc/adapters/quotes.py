"""Quotes as tokens: sealed, so that a price that comes back is one that this service has promised.

A token is the base64url text of one byte for the layout, the offer's id, the quote, and an HMAC-SHA256 of all that.
Everything else is no quote, whatever it is; so is a token whose text is not the very one that was given out.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from uuid import UUID

from google.protobuf.message import DecodeError
from training.offer.v1 import reservation_pb2 as pb

from chassis.refusal import InvalidField
from offer_svc.adapters.mapping_reservations import quote_from, quote_message
from offer_svc.domain.quote import Quote
from offer_svc.domain.sales_errors import QuoteInvalid

_LAYOUT: Final = b"\x01"
_ID_SIZE: Final = 16
_SEAL_SIZE: Final = 32
_CONTEXT: Final = b"training.offer.v1.Quote\0"
"""What the key seals besides the token's own bytes: nothing else that it may ever seal is a quote."""


class Seal:
    """Makes tokens of quotes and reads them back; who has not the key can do neither."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, quote: Quote) -> str:
        """Return the token of a quote."""
        content = _LAYOUT + quote.offer_id.bytes + quote_message(quote, "").SerializeToString()
        return _text(content + self._sealed(content))

    def open(self, token: str) -> Quote:
        """Return the quote of a token; it may have expired. Raises QuoteInvalid."""
        try:
            sealed = urlsafe_b64decode(token.encode("ascii") + b"==")
        except ValueError:
            raise QuoteInvalid("it is no quote of this service") from None
        content, seal = sealed[:-_SEAL_SIZE], sealed[-_SEAL_SIZE:]
        if not hmac.compare_digest(seal, self._sealed(content)) or _text(sealed) != token:
            raise QuoteInvalid("it is no quote of this service")
        return _opened(content)

    def _sealed(self, content: bytes) -> bytes:
        return hmac.digest(self._key, _CONTEXT + content, "sha256")


def _opened(content: bytes) -> Quote:
    """Read what this service has written, perhaps a version of it that wrote otherwise."""
    offer_id = content[len(_LAYOUT) : len(_LAYOUT) + _ID_SIZE]
    try:
        if content.startswith(_LAYOUT):
            message = pb.Quote.FromString(content[len(_LAYOUT) + _ID_SIZE :])
            return quote_from(message, UUID(bytes=offer_id))
    except (DecodeError, InvalidField, ValueError):
        pass
    raise QuoteInvalid("it is of another version")


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode("ascii")
