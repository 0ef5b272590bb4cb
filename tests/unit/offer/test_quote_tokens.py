"""Only the token that was given out stands for a quote."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offer_svc.adapters.quotes import Seal
from offer_svc.domain.quote import Quote
from offer_svc.domain.sales_errors import QuoteInvalid
from tests.unit.offer import requests, stored

SEAL = Seal(b"k" * 32)
TOKEN = SEAL.seal(requests.QUOTE)


def refused(token: str, seal: Seal = SEAL) -> bool:
    """Tell whether a token is refused as no quote."""
    try:
        seal.open(token)
    except QuoteInvalid:
        return True
    return False


@given(stored.quotes)
def test_a_quote_survives_being_sealed(quote: Quote) -> None:
    token = SEAL.seal(quote)
    assert SEAL.open(token) == quote
    assert len(token) <= 4096


def test_a_token_is_text_that_fits_anywhere() -> None:
    assert TOKEN.isascii()
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_longest_tier_name_fits() -> None:
    quote = replace(requests.QUOTE, price=replace(requests.QUOTE.price, tier="\N{GRINNING FACE}" * 100))
    assert len(SEAL.seal(quote)) <= 4096


@given(st.data())
def test_any_other_character_anywhere_is_refused(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(TOKEN) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda character: character != TOKEN[place]))
    assert refused(TOKEN[:place] + other + TOKEN[place + 1 :])


@given(st.text() | st.text("ABCxyz019-_=+/", max_size=200))
def test_any_text_is_refused(text: str) -> None:
    assert refused(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(content: bytes) -> None:
    assert refused(urlsafe_b64encode(content).rstrip(b"=").decode())


@pytest.mark.parametrize(
    "other", [TOKEN + "=", TOKEN + "A", " " + TOKEN, TOKEN + "\n", TOKEN[:-1], TOKEN[4:], TOKEN * 2]
)
def test_a_token_is_that_very_text(other: str) -> None:
    assert refused(other)


def test_every_bit_is_sealed() -> None:
    content = bytearray(urlsafe_b64decode(TOKEN + "=="))
    for place in range(len(content) * 8):
        content[place // 8] ^= 1 << place % 8
        assert refused(urlsafe_b64encode(content).rstrip(b"=").decode())
        content[place // 8] ^= 1 << place % 8
    assert not refused(TOKEN)


def test_another_key_opens_nothing() -> None:
    assert refused(TOKEN, Seal(b"l" * 32))


def test_a_quote_of_another_offer_is_another_token() -> None:
    other = replace(requests.QUOTE, offer_id=uuid4())
    assert SEAL.open(SEAL.seal(other)) == other
    assert SEAL.seal(other) != TOKEN


@pytest.mark.parametrize(
    "content",
    [b"", b"\x01", b"\x02" + b"\0" * 60, b"\x01" + b"\0" * 16 + b"\xff", b"\x01" + b"\0" * 16 + b"\x12\x02\x18\x63"],
)
def test_what_another_version_has_sealed_is_refused(content: bytes) -> None:
    token = urlsafe_b64encode(content + SEAL._sealed(content)).rstrip(b"=").decode()
    with pytest.raises(QuoteInvalid) as caught:
        SEAL.open(token)
    assert caught.value.metadata == {"problem": "it is of another version"}
