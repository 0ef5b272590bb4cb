"""The RPCs that write, release and retire programs."""

from typing import Any, TypeAlias
from uuid import UUID

import grpc.aio
from training.program.v1 import program_service_pb2 as pb
from training.program.v1.program_service_pb2_grpc import ProgramServiceServicer
from uuid_utils.compat import uuid7

from bus.commands.calls import CommandRequest, command_call, response_bytes
from chassis.wire import Serialized
from program_svc.adapters import mapping
from program_svc.application.commands import Programs
from program_svc.domain.commands import Command

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only


class AuthoringRpcs(ProgramServiceServicer):
    """Answers the commands of authors and publishers."""

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    async def CreateProgram(self, request: pb.CreateProgramRequest, context: _Context) -> Serialized:
        """Create a program."""
        program_id = UUID(request.program_id) if request.program_id else uuid7()
        return await self._execute(mapping.create_program(request, program_id), request)

    async def UpdateProgram(self, request: pb.UpdateProgramRequest, context: _Context) -> Serialized:
        """Change the working version's content."""
        return await self._execute(mapping.update_program(request), request, request.etag)

    async def ReviseProgram(self, request: pb.ReviseProgramRequest, context: _Context) -> Serialized:
        """Begin the next working version."""
        return await self._execute(mapping.revise_program(request), request, request.etag)

    async def DeleteProgram(self, request: pb.DeleteProgramRequest, context: _Context) -> Serialized:
        """Delete a program that was never released."""
        return await self._execute(mapping.delete_program(request), request, request.etag)

    async def ReleaseProgram(self, request: pb.ReleaseProgramRequest, context: _Context) -> Serialized:
        """Make the approved working version the live one, now or at a time."""
        return await self._execute(mapping.release_program(request), request, request.etag)

    async def CancelScheduledRelease(self, request: pb.CancelScheduledReleaseRequest, context: _Context) -> Serialized:
        """Call the scheduled release off."""
        return await self._execute(mapping.cancel_scheduled_release(request), request, request.etag)

    async def RetireProgram(self, request: pb.RetireProgramRequest, context: _Context) -> Serialized:
        """Retire the live version, now or at a time."""
        return await self._execute(mapping.retire_program(request), request, request.etag)

    async def _execute(self, command: Command, request: CommandRequest, etag: str = "") -> bytes:
        return response_bytes(await self._programs.execute(command, command_call(request, etag)))
