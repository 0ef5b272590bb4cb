"""Commands from the requests of the program service."""

from uuid import UUID

from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from chassis.refusal import Violation
from program_svc.adapters.mapping_content import read_content
from program_svc.adapters.mapping_values import read_id, read_optional_id, refuse
from program_svc.domain.commands import (
    ApproveProgram,
    CreateProgram,
    ImportProgram,
    ReleaseProgram,
    RetireProgram,
    SubmitProgram,
    UpdateProgram,
    WaiverRequest,
)
from program_svc.domain.content import CONTENT_FIELDS


def create_program(request: service.CreateProgramRequest, program_id: UUID) -> CreateProgram:
    """Read a CreateProgram; the id is the request's or the one made for it."""
    faults: list[Violation] = []
    content = read_content(request.content, "content", faults)
    refuse(faults)
    return CreateProgram(program_id, content, tuple(request.co_authors))


def update_program(request: service.UpdateProgramRequest) -> UpdateProgram:
    """Read an UpdateProgram with its mask resolved: absent or empty means the fields that are set, `*` all of them."""
    faults: list[Violation] = []
    command = UpdateProgram(
        read_id(request.program_id, "program_id", faults),
        read_content(request.content, "content", faults),
        _fields(request, faults),
    )
    refuse(faults)
    return command


def _fields(request: service.UpdateProgramRequest, faults: list[Violation]) -> tuple[str, ...]:
    paths = request.update_mask.paths
    if not paths:
        return tuple(field.name for field, _ in request.content.ListFields())
    faults.extend(
        Violation("update_mask", "field_mask.path", path, "fields of the content, or *")
        for path in paths
        if path != "*" and path not in CONTENT_FIELDS
    )
    return CONTENT_FIELDS if "*" in paths else tuple(name for name in CONTENT_FIELDS if name in paths)


def submit_program(request: service.SubmitProgramRequest) -> SubmitProgram:
    """Read a SubmitProgram."""
    return SubmitProgram(_program_id(request.program_id))


def approve_program(request: service.ApproveProgramRequest) -> ApproveProgram:
    """Read an ApproveProgram."""
    return ApproveProgram(_program_id(request.program_id))


def release_program(request: service.ReleaseProgramRequest) -> ReleaseProgram:
    """Read a ReleaseProgram."""
    waiver = _waiver(request.waiver) if request.HasField("waiver") else None
    return ReleaseProgram(_program_id(request.program_id), waiver)


def retire_program(request: service.RetireProgramRequest, *, successor_released: bool = False) -> RetireProgram:
    """Read a RetireProgram; whether its successor is released is the application's finding."""
    faults: list[Violation] = []
    command = RetireProgram(
        read_id(request.program_id, "program_id", faults),
        request.reason,
        read_optional_id(request.successor_program_id, "successor_program_id", faults),
        successor_released,
    )
    refuse(faults)
    return command


def import_program(request: service.ImportProgramsRequest) -> ImportProgram:
    """Read one row of ImportPrograms."""
    faults: list[Violation] = []
    command = ImportProgram(
        read_id(request.program_id, "program_id", faults),
        read_content(request.content, "content", faults),
        _waiver(request.waiver) if request.HasField("waiver") else None,
    )
    refuse(faults)
    return command


def _program_id(text: str) -> UUID:
    faults: list[Violation] = []
    program_id = read_id(text, "program_id", faults)
    refuse(faults)
    return program_id


def _waiver(message: pb.Waiver) -> WaiverRequest:
    return WaiverRequest(tuple(message.rules), message.reason)
