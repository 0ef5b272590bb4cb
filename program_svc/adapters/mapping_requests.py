"""Commands from the requests to write, release and retire a program."""

from uuid import UUID

from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service

from chassis.refusal import Violation
from program_svc.adapters.mapping_content import read_content
from program_svc.adapters.mapping_values import read_id, read_mask, read_optional_id, read_time, refuse, the_id
from program_svc.domain.commands import (
    CancelScheduledRelease,
    CreateProgram,
    DeleteProgram,
    ImportProgram,
    ReleaseProgram,
    RetireProgram,
    ReviseProgram,
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
    given = [field.name for field, _ in request.content.ListFields()]
    command = UpdateProgram(
        read_id(request.program_id, "program_id", faults),
        read_content(request.content, "content", faults),
        read_mask(request.update_mask, CONTENT_FIELDS, given, faults),
    )
    refuse(faults)
    return command


def revise_program(request: service.ReviseProgramRequest) -> ReviseProgram:
    """Read a ReviseProgram."""
    return ReviseProgram(the_id(request.program_id, "program_id"))


def delete_program(request: service.DeleteProgramRequest) -> DeleteProgram:
    """Read a DeleteProgram."""
    return DeleteProgram(the_id(request.program_id, "program_id"))


def release_program(request: service.ReleaseProgramRequest) -> ReleaseProgram:
    """Read a ReleaseProgram; without a time it means now."""
    faults: list[Violation] = []
    command = ReleaseProgram(
        read_id(request.program_id, "program_id", faults),
        _waiver(request.waiver) if request.HasField("waiver") else None,
        read_time(request.release_time, "release_time", faults) if request.HasField("release_time") else None,
    )
    refuse(faults)
    return command


def cancel_scheduled_release(request: service.CancelScheduledReleaseRequest) -> CancelScheduledRelease:
    """Read a CancelScheduledRelease."""
    return CancelScheduledRelease(the_id(request.program_id, "program_id"))


def retire_program(request: service.RetireProgramRequest) -> RetireProgram:
    """Read a RetireProgram; without a time it means now. Whether its successor is released, the application finds."""
    faults: list[Violation] = []
    command = RetireProgram(
        program_id=read_id(request.program_id, "program_id", faults),
        reason=request.reason,
        successor_program_id=read_optional_id(request.successor_program_id, "successor_program_id", faults),
        effective_time=(
            read_time(request.effective_time, "effective_time", faults) if request.HasField("effective_time") else None
        ),
        cancel_offers=request.cancel_offers,
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
        request.author,
        tuple(request.co_authors),
    )
    refuse(faults)
    return command


def _waiver(message: pb.Waiver) -> WaiverRequest:
    return WaiverRequest(tuple(message.rules), message.reason)
