"""`ProgramService`: from each RPC to its use case and back. Rules are in the domain, ways in the application."""

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import grpc.aio
from training.program.v1 import program_service_pb2 as pb

from bus.commands.calls import row_call
from chassis.bulk import answer_rows
from chassis.refusal import Refusal
from chassis.status import to_status
from program_svc.adapters import mapping
from program_svc.adapters.authoring_service import AuthoringRpcs
from program_svc.adapters.reading_service import ReadingRpcs
from program_svc.adapters.review_service import ReviewRpcs
from program_svc.application.commands import Programs
from program_svc.application.registry import Reviewers
from program_svc.application.views import ProgramViews, ReviewViews, VersionViews

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only


class ProgramService(AuthoringRpcs, ReviewRpcs, ReadingRpcs):
    """Answers with serialized messages, put together from stored bytes."""

    def __init__(
        self,
        programs: Programs,
        reviewers: Reviewers,
        seen: ProgramViews,
        versions: VersionViews,
        reviews: ReviewViews,
    ) -> None:
        AuthoringRpcs.__init__(self, programs)
        ReviewRpcs.__init__(self, programs, reviewers)
        ReadingRpcs.__init__(self, seen, versions, reviews)

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


def _refused(row: pb.ImportProgramsRequest, refusal: Refusal) -> pb.ImportProgramsResponse:
    return pb.ImportProgramsResponse(
        row_id=row.row_id, outcome=pb.ImportProgramsResponse.OUTCOME_REFUSED, error=to_status(refusal)
    )
