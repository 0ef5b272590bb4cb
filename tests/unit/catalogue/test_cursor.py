"""Page and resume tokens go on at their place, for the request they were made for, and for nothing else."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from uuid import UUID
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.catalogue.v1.catalogue_service_pb2 import ListOffersRequest, OfferFilter, StreamOffersRequest
from training.type.v1.consistency_pb2 import Consistency, FullyConsistent

from catalogue_svc.query.cursor import Cursor, MalformedCursor, Place, decode, digest, encode

REQUEST = ListOffersRequest(filter=OfferFilter(min_free_seats=3), language_codes=["de"])
FREE = ("page_size", "page_token", "consistency")
ARGUMENTS = digest(REQUEST, *FREE)

places = st.builds(Place, st.datetimes(timezones=st.just(UTC)), st.uuids())
cursors = st.builds(Cursor, places, st.integers(0, 2**63 - 1))


@given(cursors)
def test_a_token_is_read_back_as_its_place(cursor: Cursor) -> None:
    assert decode(encode(cursor, ARGUMENTS), ARGUMENTS) == cursor


@given(cursors, st.data())
def test_a_token_changed_anywhere_is_refused(cursor: Cursor, data: st.DataObject) -> None:
    token = encode(cursor, ARGUMENTS)
    raw = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedCursor):
        decode(urlsafe_b64encode(bytes(raw)).decode(), ARGUMENTS)


@given(st.text(max_size=80))
def test_a_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(MalformedCursor):
        decode(text, ARGUMENTS)


def test_a_well_formed_token_of_an_impossible_time_is_refused() -> None:
    token = encode(Cursor(Place(datetime(2027, 1, 1, tzinfo=UTC), UUID(int=1))), ARGUMENTS)
    payload = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4))[:-4])
    payload[13:21] = (2**63 - 1).to_bytes(8)
    with pytest.raises(MalformedCursor):
        decode(sealed(payload), ARGUMENTS)


@pytest.mark.parametrize("count", [2**63, 2**64 - 1])
def test_a_well_formed_token_of_an_impossible_count_is_refused(count: int) -> None:
    token = encode(Cursor(Place(datetime(2027, 1, 1, tzinfo=UTC), UUID(int=1))), ARGUMENTS)
    payload = bytearray(urlsafe_b64decode(token + "=" * (-len(token) % 4))[:-4])
    payload[37:45] = count.to_bytes(8)
    with pytest.raises(MalformedCursor):
        decode(sealed(payload), ARGUMENTS)


def sealed(payload: bytearray) -> str:
    """Make a token of a payload, as anybody can: its checksum is no secret."""
    return urlsafe_b64encode(bytes(payload) + crc32(bytes(payload)).to_bytes(4)).rstrip(b"=").decode()


def test_a_token_of_other_arguments_is_refused() -> None:
    other = ListOffersRequest()
    other.CopyFrom(REQUEST)
    other.filter.include_ended = True
    token = encode(Cursor(Place(datetime(2027, 1, 1, tzinfo=UTC), UUID(int=1))), ARGUMENTS)
    with pytest.raises(MalformedCursor):
        decode(token, digest(other, *FREE))


def test_page_size_token_and_consistency_may_change_between_pages() -> None:
    other = ListOffersRequest(page_size=7, page_token="x", consistency=Consistency(fully_consistent=FullyConsistent()))
    other.filter.CopyFrom(REQUEST.filter)
    other.language_codes.extend(REQUEST.language_codes)
    assert digest(other, *FREE) == ARGUMENTS
    assert other.page_size == 7


def test_requests_of_different_methods_do_not_share_tokens_unless_they_ask_the_same() -> None:
    assert digest(StreamOffersRequest(limit=3)) != digest(StreamOffersRequest(limit=4))
