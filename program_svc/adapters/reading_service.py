"""The RPCs that read: programs, their versions and histories, comments, reviewers.

Pages are put together from stored and written bytes; every one has its items as field 1 and its token as field 2.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final, TypeAlias
from uuid import UUID

import grpc.aio
from training.program.v1 import program_service_pb2 as pb
from training.program.v1.program_pb2 import Program, ProgramContent, ProgramVersion
from training.program.v1.program_service_pb2_grpc import ProgramServiceServicer
from training.type.v1.vocabulary_pb2 import VIEW_BASIC, VIEW_FULL

from chassis.listing import NAMES, NUMBERS, PLACES, Listed, Page, Place, ordered_page, page_of
from chassis.together import ANSWER_BYTES, together
from chassis.wire import Serialized, field
from program_svc.adapters import mapping
from program_svc.adapters.filters import program_filter
from program_svc.application.views import Numbered, ProgramViews, ReviewViews, VersionViews

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


class ReadingRpcs(ProgramServiceServicer):
    """Answers what authors, reviewers and publishers ask."""

    def __init__(self, programs: ProgramViews, versions: VersionViews, reviews: ReviewViews) -> None:
        self._programs_seen = programs
        self._versions = versions
        self._reviews = reviews

    async def GetProgram(self, request: pb.GetProgramRequest, context: _Context) -> Serialized:
        """Return one program."""
        return field(1, await self._programs_seen.get(UUID(request.program_id)))

    async def BatchGetPrograms(self, request: pb.BatchGetProgramsRequest, context: _Context) -> Serialized:
        """Return programs in the order asked for."""
        messages = await self._programs_seen.get_all([UUID(text) for text in request.program_ids])
        if request.view == VIEW_BASIC:
            messages = [_card(message) for message in messages]
        return together(messages, "program_ids", f"at most {ANSWER_BYTES} bytes together: fewer programs, or BASIC")

    async def ListPrograms(self, request: pb.ListProgramsRequest, context: _Context) -> Serialized:
        """List programs, latest change first."""
        chosen, seen = program_filter(request), _whole if request.view == VIEW_FULL else _card

        async def list_after(place: Place | None, most: int) -> Sequence[Listed]:
            listed = await self._programs_seen.list(chosen, place, most)
            return [Listed(each.place, seen(each.message)) for each in listed]

        return _answer(await page_of(request, request.page_size, request.page_token, list_after))

    async def ListProgramVersions(self, request: pb.ListProgramVersionsRequest, context: _Context) -> Serialized:
        """List a program's versions, latest first."""
        program_id, seen = UUID(request.program_id), _whole if request.view == VIEW_FULL else _version_card

        async def list_before(number: int | None, most: int) -> Sequence[Numbered]:
            listed = await self._versions.list(program_id, number, most)
            return [(each, seen(message)) for each, message in listed]

        return _answer(await ordered_page(NUMBERS, request, request.page_size, request.page_token, list_before))

    async def CompareVersions(
        self, request: pb.CompareVersionsRequest, context: _Context
    ) -> pb.CompareVersionsResponse:
        """Show what differs between two versions."""
        asked = (UUID(request.program_id), request.from_version, request.to_version)
        found = await self._versions.compare(*asked)
        return pb.CompareVersionsResponse(
            from_version=found.before, to_version=found.after, differences=mapping.differences(found.differences)
        )

    async def ListProgramHistory(self, request: pb.ListProgramHistoryRequest, context: _Context) -> Serialized:
        """List a program's revisions, latest first."""
        list_before = partial(self._versions.history, UUID(request.program_id), full=request.view == VIEW_FULL)
        return _answer(await ordered_page(NUMBERS, request, request.page_size, request.page_token, list_before))

    async def ListReviewComments(self, request: pb.ListReviewCommentsRequest, context: _Context) -> Serialized:
        """List the comments on a program, oldest first."""
        list_after = partial(
            self._reviews.comments, UUID(request.program_id), version=request.version, open_only=request.open_only
        )
        return _answer(await ordered_page(PLACES, request, request.page_size, request.page_token, list_after))

    async def ListReviewers(self, request: pb.ListReviewersRequest, context: _Context) -> Serialized:
        """List the registered reviewers by name."""
        return _answer(
            await ordered_page(NAMES, request, request.page_size, request.page_token, self._reviews.reviewers)
        )


def _answer(page: Page) -> bytes:
    items = b"".join(field(1, message) for message in page.messages)
    return items + field(2, page.next_token.encode()) if page.next_token else items


def _whole(message: bytes) -> bytes:
    return message


def _card(message: bytes) -> bytes:
    """Return a program without what only a full view shows."""
    program = Program.FromString(message)
    for version in (program.working, program.live):
        if version.HasField("content"):
            _shorten(version.content)
    return program.SerializeToString()


def _version_card(message: bytes) -> bytes:
    version = ProgramVersion.FromString(message)
    _shorten(version.content)
    return version.SerializeToString()


def _shorten(content: ProgramContent) -> None:
    for name in _LONG_FIELDS:
        content.ClearField(name)
