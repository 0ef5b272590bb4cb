"""What the wire can carry and no program can hold becomes InvalidField with its path, and nothing else."""

from collections.abc import Callable
from random import Random
from typing import Any, Final

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as DecimalMessage
from hypothesis import given, settings
from hypothesis import strategies as st
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1 import review_pb2

from program_svc.adapters import mapping
from program_svc.domain.decide import decide
from program_svc.domain.program import State
from tests.fuzz.generator import Generator
from tests.unit.program.samples import OTHER_ID, PROGRAM_ID, context, program, revised
from tests.unit.program.wire import (
    BAD_IDS,
    BAD_TIMES,
    EVERY_COMMAND,
    EVERY_STATE,
    NAMING_A_PROGRAM,
    added,
    created,
    paths,
    refused_by,
    resolved,
)

BAD_DURATIONS: Final = [
    Duration(seconds=2**63 - 1),
    Duration(seconds=-(2**63)),
    Duration(seconds=315_576_000_001),
    Duration(seconds=1, nanos=-1000),
    Duration(seconds=-1, nanos=1000),
    Duration(nanos=1_000_000_000),
    Duration(nanos=-(2**31)),
    Duration(nanos=1),
]


def creating(content: pb.ProgramContent) -> Callable[[], object]:
    return lambda: created(service.CreateProgramRequest(content=content))


@pytest.mark.parametrize("duration", BAD_DURATIONS)
def test_a_duration_out_of_range_or_of_two_signs_is_an_invalid_field(duration: Duration) -> None:
    content = pb.ProgramContent(agenda=[pb.AgendaModule(), pb.AgendaModule(duration=duration)], total_duration=duration)
    assert paths(creating(content)) == ["content.agenda[1].duration", "content.total_duration"]


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
    assert paths(creating(pb.ProgramContent(credits=DecimalMessage(value=value)))) == ["content.credits"]


@pytest.mark.parametrize("level", [-1, 5, 2**31 - 1])
def test_an_undefined_level_is_an_invalid_field(level: int) -> None:
    content = pb.ProgramContent.FromString(b"\x58" + _varint(level))
    assert paths(creating(content)) == ["content.level"]


def _varint(number: int) -> bytes:
    number &= 2**64 - 1
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def test_every_command_that_can_be_asked_for_has_its_reader() -> None:
    methods = service.DESCRIPTOR.services_by_name["ProgramService"].methods
    asked = {method.input_type.name for method in methods if not method.GetOptions().idempotency_level}
    assert {made.DESCRIPTOR.name for _, made in EVERY_COMMAND} == asked


@pytest.mark.parametrize(("read", "made"), [*EVERY_COMMAND, *EVERY_STATE])
@given(chance=st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_any_message_is_read_or_an_invalid_field(
    read: Callable[[Any], object], made: type[Message], chance: Random
) -> None:
    message = Generator(chance, [str(PROGRAM_ID)], []).message(made)
    refusals = refused_by(lambda: read(made.FromString(message.SerializeToString())))
    assert all(refusal.violations for refusal in refusals)


@pytest.mark.parametrize(("read", "made"), NAMING_A_PROGRAM)
@pytest.mark.parametrize("text", BAD_IDS)
def test_a_program_named_in_another_form_is_an_invalid_field(
    read: Callable[[Any], object], made: type[Message], text: str
) -> None:
    assert paths(lambda: read(made(program_id=text))) == ["program_id"]


@pytest.mark.parametrize("text", BAD_IDS)
def test_an_id_in_another_form_is_an_invalid_field(text: str) -> None:
    content = pb.ProgramContent(prerequisites=pb.Prerequisites(program_ids=[str(OTHER_ID), text]))
    assert paths(creating(content)) == ["content.prerequisites.program_ids[1]"]
    retire = service.RetireProgramRequest(program_id=text, successor_program_id=text)
    assert paths(lambda: mapping.retire_program(retire)) == ["program_id", "successor_program_id"]
    add = service.AddReviewCommentRequest(program_id=text, parent_comment_id=text)
    assert paths(lambda: added(add)) == ["program_id", "parent_comment_id"]
    resolve = service.ResolveReviewCommentRequest(program_id=text, comment_id=text)
    assert paths(lambda: resolved(resolve)) == ["program_id", "comment_id"]
    comment = review_pb2.ReviewComment(comment_id=text, program_id=text, parent_comment_id=text)
    assert paths(lambda: mapping.read_comment(comment)) == ["comment_id", "program_id", "parent_comment_id"]


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
def test_a_time_to_act_at_out_of_range_is_an_invalid_field(time: Timestamp) -> None:
    release = service.ReleaseProgramRequest(program_id="x", release_time=time)
    assert paths(lambda: mapping.release_program(release)) == ["program_id", "release_time"]
    retire = service.RetireProgramRequest(program_id="x", reason="old", effective_time=time)
    assert paths(lambda: mapping.retire_program(retire)) == ["program_id", "effective_time"]


@pytest.mark.parametrize("time", BAD_TIMES)
def test_an_instant_out_of_range_in_what_is_stored_is_an_invalid_field(time: Timestamp) -> None:
    version = pb.ProgramVersion(
        submit_time=time,
        approvals=[pb.Approval(approve_time=time)],
        release_time=time,
        release_failure=pb.ReleaseFailure(fail_time=time),
        assignments=[pb.Assignment(), pb.Assignment(assign_time=time)],
        waiting_since=time,
        rejection=pb.Rejection(reject_time=time),
        change_request=pb.ChangeRequest(request_time=time),
    )
    of_version = [
        "submit_time",
        "approvals[0].approve_time",
        "release_time",
        "release_failure.fail_time",
        "assignments[1].assign_time",
        "waiting_since",
        "rejection.reject_time",
        "change_request.request_time",
    ]
    assert paths(lambda: mapping.read_version(version)) == [f"version.{path}" for path in of_version]
    message = mapping.to_message(program(State.RETIRED))
    for changed in (
        message.create_time,
        message.update_time,
        message.retirement.retire_time,
        message.pending_retirement.retire_time,
        message.public_time,
    ):
        changed.CopyFrom(time)
    message.live.CopyFrom(version)
    assert paths(lambda: mapping.from_message(message)) == [
        "create_time",
        "update_time",
        *(f"live.{path}" for path in of_version),
        "retirement.retire_time",
        "pending_retirement.retire_time",
        "public_time",
    ]
    comment = review_pb2.ReviewComment(
        comment_id=str(OTHER_ID), program_id=str(PROGRAM_ID), create_time=time, resolve_time=time
    )
    assert paths(lambda: mapping.read_comment(comment)) == ["create_time", "resolve_time"]
    reviewer = review_pb2.Reviewer(etag="1-1", create_time=time, update_time=time, register_time=time)
    assert paths(lambda: mapping.from_reviewer_message(reviewer)) == ["create_time", "update_time", "register_time"]


@pytest.mark.parametrize(
    "etag", ["", "1", "1-", "-1", "1-g", "1-\u0661", "1-2-3", "1-fffffffffffffff", "1--fffffffffffffff"]
)
def test_a_program_with_a_broken_etag_is_an_invalid_field(etag: str) -> None:
    message = mapping.to_message(program(State.DRAFT))
    message.etag = etag
    assert paths(lambda: mapping.from_message(message)) == ["etag"]
    assert paths(lambda: mapping.from_reviewer_message(review_pb2.Reviewer(etag=etag))) == ["etag"]


def test_an_undefined_state_is_an_invalid_field() -> None:
    message = mapping.to_message(revised(State.RELEASED, State.DRAFT))
    message.working.MergeFromString(b"\x10\x63")
    assert paths(lambda: mapping.from_message(message)) == ["working.state"]
    assert paths(lambda: mapping.read_version(message.working)) == ["version.state"]
    reviewer = review_pb2.Reviewer(etag="1-1")
    reviewer.MergeFromString(b"\x30\x63")
    assert paths(lambda: mapping.from_reviewer_message(reviewer)) == ["state"]
