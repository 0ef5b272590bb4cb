"""Texts that no database keeps are found wherever they stand in a message."""

import pytest
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from training.offer.v1 import offer_pb2, offer_service_pb2
from training.ops.v1.journal_service_pb2 import LaneHead

from chassis.refusal import InvalidField
from chassis.texts import texts_with_nul
from chassis.validation import check


def test_a_nul_is_found_in_fields_lists_and_nested_messages() -> None:
    tiers = [offer_pb2.PriceTier(name="Standard"), offer_pb2.PriceTier(name="\0", code="a\0b")]
    request = offer_service_pb2.SetPriceListRequest(etag="\0", price_list=offer_pb2.PriceList(tiers=tiers))
    assert texts_with_nul(request) == ("etag", "price_list.tiers[1].name", "price_list.tiers[1].code")


def test_a_nul_is_found_in_the_keys_and_values_of_a_map() -> None:
    message = Struct()
    message["a\0"] = "b"
    message["c"] = ["d", "e\0"]
    found = {'fields["a\0"]', 'fields["c"].list_value.values[1].string_value'}
    assert set(texts_with_nul(message)) == found


@pytest.mark.parametrize(
    "message",
    [
        offer_service_pb2.SetPriceListRequest(price_list=offer_pb2.PriceList()),
        offer_pb2.PriceTier(name="zero", quantity_limit=0),
        LaneHead(lane=3, event_id=bytes(16)),
    ],
)
def test_zero_bytes_that_are_no_text_are_no_fault(message: Message) -> None:
    assert b"\0" in message.SerializeToString()
    assert texts_with_nul(message) == ()


def test_a_request_with_a_nul_is_invalid_with_all_that_is_wrong() -> None:
    with pytest.raises(InvalidField) as caught:
        check(offer_service_pb2.ListOffersRequest(page_size=-1, page_token="a\0"))
    assert {violation.field for violation in caught.value.violations} == {"page_size", "page_token"}
