"""The RPCs of reviews: the way through review, assignments, comments, and the registry of reviewers."""

from typing import Any, TypeAlias
from uuid import UUID

import grpc.aio
from training.program.v1 import program_service_pb2 as pb
from training.program.v1.program_service_pb2_grpc import ProgramServiceServicer
from uuid_utils.compat import uuid7

from bus.commands.calls import CommandRequest, command_call, response_bytes
from chassis.call import current_call
from chassis.principal import Role
from chassis.wire import Serialized
from program_svc.adapters import mapping
from program_svc.application.commands import Programs
from program_svc.application.registry import Reviewers
from program_svc.domain.commands import Command, ReviewerCommand

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only


class ReviewRpcs(ProgramServiceServicer):
    """Answers the commands on reviews and reviewers."""

    def __init__(self, programs: Programs, reviewers: Reviewers) -> None:
        self._reviewed = programs
        self._reviewers = reviewers

    async def SubmitProgram(self, request: pb.SubmitProgramRequest, context: _Context) -> Serialized:
        """Submit the working version for review."""
        return await self._review(mapping.submit_program(request), request, request.etag)

    async def WithdrawProgram(self, request: pb.WithdrawProgramRequest, context: _Context) -> Serialized:
        """Take the working version back from review."""
        return await self._review(mapping.withdraw_program(request), request, request.etag)

    async def AssignReviewer(self, request: pb.AssignReviewerRequest, context: _Context) -> Serialized:
        """Assign reviewers to the working version."""
        return await self._review(mapping.assign_reviewer(request), request, request.etag)

    async def AddReviewComment(self, request: pb.AddReviewCommentRequest, context: _Context) -> Serialized:
        """Comment on a field of the working version."""
        comment_id = UUID(request.comment_id) if request.comment_id else uuid7()
        command = mapping.add_review_comment(request, comment_id, as_reviewer=_is_reviewer())
        return await self._review(command, request, request.etag)

    async def ResolveReviewComment(self, request: pb.ResolveReviewCommentRequest, context: _Context) -> Serialized:
        """Resolve a comment on the working version."""
        command = mapping.resolve_review_comment(request, as_reviewer=_is_reviewer())
        return await self._review(command, request, request.etag)

    async def RequestChanges(self, request: pb.RequestChangesRequest, context: _Context) -> Serialized:
        """Send the working version back from review."""
        return await self._review(mapping.request_changes(request), request, request.etag)

    async def ApproveProgram(self, request: pb.ApproveProgramRequest, context: _Context) -> Serialized:
        """Approve the working version."""
        return await self._review(mapping.approve_program(request), request, request.etag)

    async def RejectProgram(self, request: pb.RejectProgramRequest, context: _Context) -> Serialized:
        """End the working version."""
        return await self._review(mapping.reject_program(request), request, request.etag)

    async def RegisterReviewer(self, request: pb.RegisterReviewerRequest, context: _Context) -> Serialized:
        """Register a principal as a reviewer."""
        return await self._register(mapping.register_reviewer(request), request)

    async def UpdateReviewer(self, request: pb.UpdateReviewerRequest, context: _Context) -> Serialized:
        """Change what a reviewer reviews."""
        return await self._register(mapping.update_reviewer(request), request, request.etag)

    async def RemoveReviewer(self, request: pb.RemoveReviewerRequest, context: _Context) -> Serialized:
        """Remove a reviewer."""
        return await self._register(mapping.remove_reviewer(request), request, request.etag)

    async def _review(self, command: Command, request: CommandRequest, etag: str) -> bytes:
        return response_bytes(await self._reviewed.execute(command, command_call(request, etag)))

    async def _register(self, command: ReviewerCommand, request: CommandRequest, etag: str = "") -> bytes:
        return response_bytes(await self._reviewers.execute(command, command_call(request, etag)))


def _is_reviewer() -> bool:
    return Role.REVIEWER in current_call().principal.roles
