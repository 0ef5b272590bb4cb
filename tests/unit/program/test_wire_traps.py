"""What the wire can carry and no program can hold becomes InvalidField with its path, and nothing else."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as DecimalMessage
from hypothesis import given
from hypothesis import strategies as st
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from chassis.refusal import InvalidField, Violation
from program_svc.adapters import mapping
from program_svc.adapters.mapping_values import (
    fill_duration,
    fill_time,
    read_decimal,
    read_duration,
    read_id,
    read_time,
)
from program_svc.domain.decide import decide
from program_svc.domain.program import State
from tests.unit.program.samples import NOW, OTHER_ID, PROGRAM_ID, context, program, revised

int64s = st.integers(-(2**63), 2**63 - 1)
int32s = st.integers(-(2**31), 2**31 - 1)


def paths(read: Callable[[], object]) -> list[str]:
    with pytest.raises(InvalidField) as refused:
        read()
    return [found.field for found in refused.value.violations]


def created(content: pb.ProgramContent) -> Callable[[], object]:
    return lambda: mapping.create_program(service.CreateProgramRequest(content=content), PROGRAM_ID)


BAD_DURATIONS = [
    Duration(seconds=2**63 - 1),
    Duration(seconds=-(2**63)),
    Duration(seconds=315_576_000_001),
    Duration(seconds=1, nanos=-1000),
    Duration(seconds=-1, nanos=1000),
    Duration(nanos=1_000_000_000),
    Duration(nanos=-(2**31)),
    Duration(nanos=1),
]
BAD_TIMES = [
    Timestamp(seconds=253_402_300_800),
    Timestamp(seconds=-62_135_596_801),
    Timestamp(seconds=2**63 - 1),
    Timestamp(nanos=-1),
    Timestamp(nanos=1_000_000_000),
    Timestamp(nanos=999),
]


@pytest.mark.parametrize("duration", BAD_DURATIONS)
def test_a_duration_out_of_range_or_of_two_signs_is_an_invalid_field(duration: Duration) -> None:
    content = pb.ProgramContent(agenda=[pb.AgendaModule(), pb.AgendaModule(duration=duration)], total_duration=duration)
    assert paths(created(content)) == ["content.agenda[1].duration", "content.total_duration"]


def test_a_negative_duration_is_an_invalid_field() -> None:
    content = pb.ProgramContent(total_duration=Duration(seconds=-1))
    request = service.CreateProgramRequest(content=content)
    command = mapping.create_program(request, PROGRAM_ID)
    assert paths(lambda: decide(None, command, context())) == ["content.total_duration"]


@pytest.mark.parametrize(
    "value",
    [
        "NaN", "sNaN1", "Infinity", "-inf", "1e999999999", "0e999999999", "1e5", "1_000", "\u0661", "\uff11", "1,5",
        " 1", "1\n", "0x1", ".", "+", "-", "1.2.3", "9" * 19, "1." + "0" * 10, "9" * 100_000,
    ],
)  # fmt: skip
def test_a_decimal_that_is_no_plain_number_is_an_invalid_field(value: str) -> None:
    assert paths(created(pb.ProgramContent(credits=DecimalMessage(value=value)))) == ["content.credits"]


@pytest.mark.parametrize(
    ("value", "number"),
    [("", "0"), ("0", "0"), ("+1.50", "1.50"), (".5", "0.5"), ("7.", "7"), ("-0", "-0"), ("007", "7")],
)
def test_a_plain_decimal_keeps_its_places(value: str, number: str) -> None:
    faults: list[Violation] = []
    assert str(read_decimal(DecimalMessage(value=value), "", faults)) == str(Decimal(number))
    assert faults == []


@pytest.mark.parametrize("level", [-1, 5, 2**31 - 1])
def test_an_undefined_level_is_an_invalid_field(level: int) -> None:
    content = pb.ProgramContent.FromString(b"\x58" + _varint(level))
    assert paths(created(content)) == ["content.level"]


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


BAD_IDS = [
    "x",
    "{01930000-0000-7000-8000-000000000001}",
    "urn:uuid:01930000-0000-7000-8000-000000000001",
    "01930000000070008000000000000001",
    "01930000-0000-7000-8000-00000000000\u0661",
    "01930000-0000-7000-8000-00000000_001",
    "01930000-0000-7000-8000-000000000001\n",
    "0-1930000-0000-7000-8000-00000000001",
]


@pytest.mark.parametrize("text", BAD_IDS)
def test_an_id_in_another_form_is_an_invalid_field(text: str) -> None:
    content = pb.ProgramContent(prerequisites=pb.Prerequisites(program_ids=[str(OTHER_ID), text]))
    assert paths(created(content)) == ["content.prerequisites.program_ids[1]"]
    assert paths(lambda: mapping.submit_program(service.SubmitProgramRequest(program_id=text))) == ["program_id"]
    retire = service.RetireProgramRequest(program_id=text, successor_program_id=text)
    assert paths(lambda: mapping.retire_program(retire)) == ["program_id", "successor_program_id"]


def test_an_id_in_upper_case_is_the_same_id() -> None:
    assert read_id(str(PROGRAM_ID).upper(), "", []) == PROGRAM_ID


def test_every_fault_of_a_request_is_told_at_once() -> None:
    request = service.UpdateProgramRequest(
        program_id="x",
        content=pb.ProgramContent(credits=DecimalMessage(value="NaN"), total_duration=Duration(nanos=-(2**31))),
        update_mask=FieldMask(paths=["nothing"]),
    )
    assert paths(lambda: mapping.update_program(request)) == [
        "program_id",
        "content.total_duration",
        "content.credits",
        "update_mask",
    ]
    row = service.ImportProgramsRequest(program_id="x", content=pb.ProgramContent(credits=DecimalMessage(value="NaN")))
    assert paths(lambda: mapping.import_program(row)) == ["program_id", "content.credits"]


@pytest.mark.parametrize("time", BAD_TIMES)
def test_an_instant_out_of_range_is_an_invalid_field(time: Timestamp) -> None:
    message = mapping.to_message(program(State.RETIRED))
    for changed in (
        message.create_time,
        message.update_time,
        message.live.submit_time,
        message.live.approvals[0].approve_time,
        message.live.release_time,
        message.retirement.retire_time,
    ):
        changed.CopyFrom(time)
    assert paths(lambda: mapping.from_message(message)) == [
        "create_time",
        "update_time",
        "live.submit_time",
        "live.approvals[0].approve_time",
        "live.release_time",
        "retirement.retire_time",
    ]


@pytest.mark.parametrize(
    "etag", ["", "1", "1-", "-1", "1-g", "1-\u0661", "1-2-3", "1-fffffffffffffff", "1--fffffffffffffff"]
)
def test_a_program_with_a_broken_etag_is_an_invalid_field(etag: str) -> None:
    message = mapping.to_message(program(State.DRAFT))
    message.etag = etag
    assert paths(lambda: mapping.from_message(message)) == ["etag"]


def test_an_undefined_state_is_an_invalid_field() -> None:
    message = mapping.to_message(revised(State.RELEASED, State.DRAFT))
    message.working.MergeFromString(b"\x10\x63")
    assert paths(lambda: mapping.from_message(message)) == ["working.state"]


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
