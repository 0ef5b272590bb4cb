"""An event travels in CloudEvents headers and comes back as it was."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.event import EPOCH_STARTED, Event, MalformedEvent, headers, lane_named, parse, received
from bus.lanes import LANES, lane_of
from bus.source import Source

PROGRAM = Source("program")
events = st.builds(
    Event,
    epoch=st.uuids(),
    lane=st.integers(0, 15),
    seq=st.integers(1, 2**63 - 1),
    event_id=st.uuids(),
    previous=st.none() | st.uuids(),
    aggregate_id=st.uuids(),
    revision=st.integers(1, 2**63 - 1),
    type=st.sampled_from(["training.program.v1.ProgramReleased", "training.program.v1.Advanced"]),
    time=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
    traceparent=st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    body=st.binary(max_size=50),
)
SOME = Event(
    UUID(int=1), 3, 7, UUID(int=2), UUID(int=3), UUID(int=4), 5, "t", datetime(2026, 1, 1, tzinfo=UTC), "", b"body"
)


@given(events)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert parse(headers(event, PROGRAM), event.body) == event


def test_the_headers_are_those_of_cloudevents() -> None:
    given_headers = headers(SOME, PROGRAM)
    assert given_headers["ce-specversion"] == "1.0"
    assert given_headers["ce-source"] == "/training/program"
    assert given_headers["ce-subject"] == str(SOME.aggregate_id)
    assert given_headers["ce-previous"] == str(SOME.previous)


def test_no_headers_make_no_event() -> None:
    with pytest.raises(MalformedEvent):
        parse(None, b"")


@pytest.mark.parametrize(
    "name", ["ce-epoch", "ce-lane", "ce-seq", "ce-id", "ce-previous", "ce-subject", "ce-revision", "ce-type", "ce-time"]
)
@pytest.mark.parametrize("value", [None, "nonsense"])
def test_a_missing_or_odd_header_is_told(name: str, value: str | None) -> None:
    given_headers = headers(SOME, PROGRAM)
    if value is None:
        del given_headers[name]
    else:
        given_headers[name] = value
    if name == "ce-type" and value is not None:
        assert parse(given_headers, b"").type == value  # the type is only a label
        return
    with pytest.raises(MalformedEvent):
        parse(given_headers, b"")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce-lane", "16"),
        ("ce-lane", "-1"),
        ("ce-seq", "0"),
        ("ce-revision", "0"),
        ("ce-seq", str(2**63)),
        ("ce-revision", str(2**63)),
        ("ce-time", "0001-01-01T00:00:00+14:00"),
    ],
)
def test_numbers_out_of_bounds_make_no_event(name: str, value: str) -> None:
    with pytest.raises(MalformedEvent):
        parse(headers(SOME, PROGRAM) | {name: value}, b"")


def test_an_event_stands_on_the_subject_of_its_aggregate() -> None:
    event = replace(SOME, lane=lane_of(SOME.aggregate_id))
    subject = PROGRAM.subject(event.lane, event.aggregate_id)
    assert received(subject, headers(event, PROGRAM), event.body, PROGRAM) == event
    for wrong in (
        subject + ".x",
        PROGRAM.subject((event.lane + 1) % 16, event.aggregate_id),
        "training.v1.program.99.x",
    ):
        with pytest.raises(MalformedEvent):
            received(wrong, headers(event, PROGRAM), event.body, PROGRAM)
    other = replace(event, lane=(event.lane + 1) % 16)
    with pytest.raises(MalformedEvent):
        received(PROGRAM.subject(other.lane, other.aggregate_id), headers(other, PROGRAM), event.body, PROGRAM)


@pytest.mark.parametrize("lane", range(LANES))
def test_every_lane_begins_an_epoch_on_a_subject_of_its_own(lane: int) -> None:
    begun = replace(SOME, lane=lane, aggregate_id=SOME.epoch, revision=lane + 1, type=EPOCH_STARTED)
    assert begun.starts_epoch
    assert PROGRAM.subject_of(begun) == f"training.v1.program.{lane}.epoch"
    assert lane_named(PROGRAM.subject_of(begun)) == lane
    assert received(PROGRAM.subject_of(begun), headers(begun, PROGRAM), begun.body, PROGRAM) == begun


@pytest.mark.parametrize(
    ("change", "lane"),
    [
        ({"aggregate_id": UUID(int=9)}, 3),
        ({"revision": 3}, 3),
        ({"type": "training.program.v1.ProgramReleased"}, 3),
        ({}, 4),
    ],
)
def test_what_begins_no_epoch_has_no_place_there(change: dict[str, object], lane: int) -> None:
    begun = replace(SOME, lane=3, aggregate_id=SOME.epoch, revision=4, type=EPOCH_STARTED)
    event = replace(begun, **change)  # type: ignore[arg-type] # fields by their names
    with pytest.raises(MalformedEvent):
        received(PROGRAM.epoch_subject(lane), headers(event, PROGRAM), b"", PROGRAM)


def test_the_beginning_of_an_epoch_has_no_place_among_aggregates() -> None:
    lane = lane_of(SOME.epoch)
    begun = replace(SOME, lane=lane, aggregate_id=SOME.epoch, revision=lane + 1, type=EPOCH_STARTED)
    with pytest.raises(MalformedEvent):
        received(PROGRAM.subject(lane, SOME.epoch), headers(begun, PROGRAM), b"", PROGRAM)


@pytest.mark.parametrize(
    ("subject", "lane"),
    [
        ("training.v1.program.3.x", 3),
        ("training.v1.program.99.x", None),
        ("training.v1.program.x", None),
        ("training", None),
        ("training.v1.program.٣.x", None),
    ],
)
def test_a_subject_names_a_lane_or_none(subject: str, lane: int | None) -> None:
    assert lane_named(subject) == lane
