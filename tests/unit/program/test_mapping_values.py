from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as DecimalMessage
from hypothesis import given
from hypothesis import strategies as st

from chassis.refusal import Violation
from program_svc.adapters.mapping_values import (
    fill_duration,
    fill_time,
    read_decimal,
    read_duration,
    read_id,
    read_time,
)
from tests.unit.program.samples import NOW, PROGRAM_ID

int64s = st.integers(-(2**63), 2**63 - 1)
int32s = st.integers(-(2**31), 2**31 - 1)


@pytest.mark.parametrize(
    ("value", "number"),
    [("", "0"), ("0", "0"), ("+1.50", "1.50"), (".5", "0.5"), ("7.", "7"), ("-0", "-0"), ("007", "7")],
)
def test_a_plain_decimal_keeps_its_places(value: str, number: str) -> None:
    faults: list[Violation] = []
    assert str(read_decimal(DecimalMessage(value=value), "", faults)) == str(Decimal(number))
    assert faults == []


def test_an_id_in_upper_case_is_the_same_id() -> None:
    assert read_id(str(PROGRAM_ID).upper(), "", []) == PROGRAM_ID


@given(int64s, int32s)
def test_any_instant_on_the_wire_is_read_exactly_or_refused(seconds: int, nanos: int) -> None:
    faults: list[Violation] = []
    given_ = Timestamp(seconds=seconds, nanos=nanos)
    read = read_time(given_, "at", faults)
    written = Timestamp()
    fill_time(written, read)
    assert (written == given_) is not bool(faults)


@given(int64s, int32s)
def test_any_duration_on_the_wire_is_read_exactly_or_refused(seconds: int, nanos: int) -> None:
    faults: list[Violation] = []
    given_ = Duration(seconds=seconds, nanos=nanos)
    read = read_duration(given_, "for", faults)
    written = Duration()
    fill_duration(written, read)
    assert (written == given_) is not bool(faults)


@given(st.timedeltas(min_value=timedelta(days=-3_650_000), max_value=timedelta(days=3_650_000)))
def test_any_duration_survives_the_wire(duration: timedelta) -> None:
    message, faults = Duration(), list[Violation]()
    fill_duration(message, duration)
    assert (read_duration(message, "", faults), faults) == (duration, [])


@pytest.mark.parametrize("instant", [datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC), NOW])
def test_the_first_and_the_last_instant_survive_the_wire(instant: datetime) -> None:
    message, faults = Timestamp(), list[Violation]()
    fill_time(message, instant)
    assert (read_time(message, "", faults), faults) == (instant, [])


@given(st.text(max_size=12))
def test_any_text_is_a_decimal_or_refused(text: str) -> None:
    faults: list[Violation] = []
    assert read_decimal(DecimalMessage(value=text), "", faults).is_finite()
