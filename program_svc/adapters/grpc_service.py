"""`ProgramService`: from each RPC to its use case and back. Rules are in the domain, ways in the application."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc.aio
from training.program.v1 import program_service_pb2 as pb
from training.program.v1.program_pb2 import Program
from training.program.v1.program_service_pb2_grpc import ProgramServiceServicer
from training.type.v1.vocabulary_pb2 import VIEW_FULL
from uuid_utils.compat import uuid7

from bus.calls import CommandRequest, command_call, response_bytes, row_call
from chassis.bulk import answer_rows
from chassis.listing import page_of
from chassis.refusal import Refusal
from chassis.status import to_status
from chassis.wire import Serialized, field
from program_svc.adapters import mapping
from program_svc.application.commands import Programs
from program_svc.application.views import ProgramFilter, ProgramViews
from program_svc.domain.commands import Command
from program_svc.domain.program import State

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
_LONG_FIELDS: Final = (
    "description",
    "agenda",
    "plan",
    "learning_outcomes",
    "audience",
    "prerequisites",
    "localizations",
)


class ProgramService(ProgramServiceServicer):
    """Answers with serialized messages, put together from stored bytes."""

    def __init__(self, programs: Programs, views: ProgramViews) -> None:
        self._programs = programs
        self._views = views

    async def CreateProgram(self, request: pb.CreateProgramRequest, context: _Context) -> Serialized:
        """Create a program."""
        program_id = UUID(request.program_id) if request.program_id else uuid7()
        return await self._execute(mapping.create_program(request, program_id), request)

    async def UpdateProgram(self, request: pb.UpdateProgramRequest, context: _Context) -> Serialized:
        """Change the working version's content."""
        return await self._execute(mapping.update_program(request), request, request.etag)

    async def SubmitProgram(self, request: pb.SubmitProgramRequest, context: _Context) -> Serialized:
        """Submit the working version for review."""
        return await self._execute(mapping.submit_program(request), request, request.etag)

    async def ApproveProgram(self, request: pb.ApproveProgramRequest, context: _Context) -> Serialized:
        """Approve the working version."""
        return await self._execute(mapping.approve_program(request), request, request.etag)

    async def ReleaseProgram(self, request: pb.ReleaseProgramRequest, context: _Context) -> Serialized:
        """Make the approved working version the live one."""
        return await self._execute(mapping.release_program(request), request, request.etag)

    async def RetireProgram(self, request: pb.RetireProgramRequest, context: _Context) -> Serialized:
        """Retire the live version."""
        return await self._execute(mapping.retire_program(request), request, request.etag)

    async def GetProgram(self, request: pb.GetProgramRequest, context: _Context) -> Serialized:
        """Return one program."""
        return field(1, await self._views.get(UUID(request.program_id)))

    async def ListPrograms(self, request: pb.ListProgramsRequest, context: _Context) -> pb.ListProgramsResponse:
        """List programs, latest change first."""
        chosen = ProgramFilter(tuple(State(state) for state in request.states if state), request.author)
        page = await page_of(request, request.page_size, request.page_token, partial(self._views.list, chosen))
        programs = [_seen(message, request.view) for message in page.messages]
        return pb.ListProgramsResponse(programs=programs, next_page_token=page.next_token)

    async def ImportPrograms(self, requests: AsyncIterator[pb.ImportProgramsRequest], context: _Context) -> None:  # type: ignore[override] # a coroutine that writes, as grpc.aio has it
        """Import programs that are live elsewhere."""
        await answer_rows(requests, context, self._import, _refused)

    async def _import(self, row: pb.ImportProgramsRequest) -> pb.ImportProgramsResponse:
        command = mapping.import_program(row)
        outcome = await self._programs.execute(command, row_call(validate_only=row.validate_only))
        made = pb.ImportProgramsResponse
        return made(
            row_id=row.row_id,
            outcome=made.OUTCOME_IMPORTED if outcome.changed else made.OUTCOME_UNCHANGED,
            consistency_token=outcome.token,
        )

    async def _execute(self, command: Command, request: CommandRequest, etag: str = "") -> bytes:
        return response_bytes(await self._programs.execute(command, command_call(request, etag)))


def _refused(row: pb.ImportProgramsRequest, refusal: Refusal) -> pb.ImportProgramsResponse:
    return pb.ImportProgramsResponse(
        row_id=row.row_id, outcome=pb.ImportProgramsResponse.OUTCOME_REFUSED, error=to_status(refusal)
    )


def _seen(message: bytes, view: int) -> Program:
    """Return a program as a view shows it."""
    program = Program.FromString(message)
    if view != VIEW_FULL:
        for version in (program.working, program.live):
            for name in _LONG_FIELDS if version.HasField("content") else ():
                version.content.ClearField(name)
    return program
