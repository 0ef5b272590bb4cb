"""What the wire can carry and no program can hold, and everything that reads it."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1 import review_pb2

from chassis.refusal import InvalidField
from program_svc.adapters import mapping
from tests.unit.program.samples import OTHER_ID, PROGRAM_ID

Reader: TypeAlias = tuple[Callable[[Any], object], type[Message]]

BAD_TIMES: Final = [
    Timestamp(seconds=253_402_300_800),
    Timestamp(seconds=-62_135_596_801),
    Timestamp(seconds=2**63 - 1),
    Timestamp(nanos=-1),
    Timestamp(nanos=1_000_000_000),
    Timestamp(nanos=999),
]
BAD_IDS: Final = [
    "x",
    "{01930000-0000-7000-8000-000000000001}",
    "urn:uuid:01930000-0000-7000-8000-000000000001",
    "01930000000070008000000000000001",
    "01930000-0000-7000-8000-00000000000\u0661",
    "01930000-0000-7000-8000-00000000_001",
    "01930000-0000-7000-8000-000000000001\n",
    "0-1930000-0000-7000-8000-00000000001",
]


def paths(read: Callable[[], object]) -> list[str]:
    """Return the paths of the fields for which something can't be read."""
    with pytest.raises(InvalidField) as refused:
        read()
    return [found.field for found in refused.value.violations]


def refused_by(read: Callable[[], object]) -> list[InvalidField]:
    """Return the refusal with which something can't be read, if it can't; any other exception fails the test."""
    try:
        read()
    except InvalidField as refusal:
        return [refusal]
    return []


def created(request: service.CreateProgramRequest) -> object:
    """Read a CreateProgram."""
    return mapping.create_program(request, PROGRAM_ID)


def added(request: service.AddReviewCommentRequest) -> object:
    """Read an AddReviewComment."""
    return mapping.add_review_comment(request, OTHER_ID, as_reviewer=True)


def resolved(request: service.ResolveReviewCommentRequest) -> object:
    """Read a ResolveReviewComment."""
    return mapping.resolve_review_comment(request, as_reviewer=True)


NAMING_A_PROGRAM: Final[list[Reader]] = [
    (mapping.update_program, service.UpdateProgramRequest),
    (mapping.submit_program, service.SubmitProgramRequest),
    (mapping.withdraw_program, service.WithdrawProgramRequest),
    (mapping.assign_reviewer, service.AssignReviewerRequest),
    (added, service.AddReviewCommentRequest),
    (mapping.request_changes, service.RequestChangesRequest),
    (mapping.approve_program, service.ApproveProgramRequest),
    (mapping.reject_program, service.RejectProgramRequest),
    (mapping.release_program, service.ReleaseProgramRequest),
    (mapping.cancel_scheduled_release, service.CancelScheduledReleaseRequest),
    (mapping.revise_program, service.ReviseProgramRequest),
    (mapping.retire_program, service.RetireProgramRequest),
    (mapping.delete_program, service.DeleteProgramRequest),
    (mapping.import_program, service.ImportProgramsRequest),
]
EVERY_COMMAND: Final[list[Reader]] = [
    *NAMING_A_PROGRAM,
    (created, service.CreateProgramRequest),
    (resolved, service.ResolveReviewCommentRequest),
    (mapping.register_reviewer, service.RegisterReviewerRequest),
    (mapping.update_reviewer, service.UpdateReviewerRequest),
    (mapping.remove_reviewer, service.RemoveReviewerRequest),
]
EVERY_STATE: Final[list[Reader]] = [
    (mapping.from_message, pb.Program),
    (mapping.read_version, pb.ProgramVersion),
    (mapping.from_reviewer_message, review_pb2.Reviewer),
    (mapping.read_comment, review_pb2.ReviewComment),
]
