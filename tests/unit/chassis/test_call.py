import re

import pytest

from chassis.call import Call, continue_trace, current_call, find_call
from chassis.drain import Drain
from chassis.principal import Metadata, Principal

TRACE = "0af7651916cd43dd8448eb211c80319c"
INCOMING = f"00-{TRACE}-b7ad6b7169203331-01"


def call(metadata: Metadata) -> Call:
    return Call("/a.B/C", Principal("alice", frozenset()), metadata, deadline=None, drain=Drain())


def test_a_trace_goes_on_with_a_span_of_its_own() -> None:
    outgoing = continue_trace(INCOMING)
    assert re.fullmatch(f"00-{TRACE}-[0-9a-f]{{16}}-01", outgoing)
    assert outgoing != INCOMING


def test_a_later_version_of_traceparent_is_read_as_far_as_it_is_known() -> None:
    assert continue_trace(f"01-{TRACE}-b7ad6b7169203331-01-more")[3:35] == TRACE


@pytest.mark.parametrize(
    "incoming",
    [
        None,
        "",
        b"bytes",
        INCOMING + "-more",
        INCOMING.upper(),
        f"ff-{TRACE}-b7ad6b7169203331-01",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-{TRACE}-{'0' * 16}-01",
    ],
)
def test_a_missing_or_malformed_trace_begins_anew(incoming: str | bytes | None) -> None:
    outgoing = continue_trace(incoming)
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", outgoing)
    assert outgoing[3:35] != TRACE


def test_the_callers_correlation_id_is_kept() -> None:
    assert call({"x-correlation-id": "order-7"}).correlation_id == "order-7"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "line\nbreak", b"bytes"])
def test_without_a_usable_correlation_id_the_trace_gives_one(given: str | bytes) -> None:
    assert call({"x-correlation-id": given, "traceparent": INCOMING}).correlation_id == TRACE


def test_a_call_is_told_the_same_ids_each_time() -> None:
    one = call({})
    assert one.traceparent == one.traceparent
    assert one.correlation_id == one.traceparent[3:35]


def test_there_is_no_call_outside_of_one() -> None:
    assert find_call() is None
    with pytest.raises(LookupError):
        current_call()
