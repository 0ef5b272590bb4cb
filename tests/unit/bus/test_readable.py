"""A parked event's body is told as far as it can be read, whatever it is."""

import json
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from training.offer.v1.events_pb2 import OfferEvent
from training.program.v1.events_pb2 import ProgramEvent

from bus.operations.readable import MOST_CHARACTERS, readable


def event(**fields: Any) -> ProgramEvent:  # noqa: ANN401 - fields of a program, by name
    body = ProgramEvent()
    body.program.program_id = "019a0000-0000-7000-8000-000000000001"
    body.program.revision = 7
    for name, value in fields.items():
        setattr(body.program, name, value)
    return body


def told(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(readable(ProgramEvent, data))
    return found


def test_a_body_that_decodes_is_told_in_full() -> None:
    assert told(event().SerializeToString())["program"]["revision"] == "7"


def test_a_body_that_was_cut_is_told_up_to_the_cut() -> None:
    found = told(event(version=300).SerializeToString()[:-1])
    assert "@problem" in found
    assert found["program"]["program_id"] == "019a0000-0000-7000-8000-000000000001"
    assert "ends within a number" in found["program"]["@problem"]


def test_what_is_wrong_within_a_part_does_not_hide_the_others() -> None:
    field = ProgramEvent.DESCRIPTOR.fields_by_name["program"]
    broken = event().program.SerializeToString() + b"\xff"
    body = bytes([field.number << 3 | 2]) + bytes([len(broken)]) + broken + b"\x9a\x3f\x02ok"
    found = told(body)
    assert found["program"]["program_id"] == "019a0000-0000-7000-8000-000000000001"
    assert "@problem" in found["program"]
    assert found["field 1011"] == "b2s="


def test_a_value_that_json_can_not_tell_leaves_the_rest_to_be_told() -> None:
    body = event()
    body.program.update_time.CopyFrom(Timestamp(seconds=2**60))
    found = told(body.SerializeToString())
    assert found["program"]["program_id"]
    assert found["program"]["update_time"] == {"seconds": 2**60}


def test_no_body_at_all_is_an_empty_object() -> None:
    assert told(b"") == {}


def test_a_large_body_is_told_up_to_a_bound() -> None:
    text = readable(ProgramEvent, b"\x9a\x3f\x00" * 400_000 + b"\xff")
    assert len(text) < 2 * MOST_CHARACTERS
    assert "more than is told" in text


@given(st.binary(max_size=200))
def test_whatever_the_bytes_are_json_comes_of_them(data: bytes) -> None:
    json.loads(readable(OfferEvent, data))
    json.loads(readable(ProgramEvent, b"\x0a" + bytes([len(data)]) + data if len(data) < 128 else data))
