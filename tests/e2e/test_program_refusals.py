"""What callers of the program service are told when a command is refused: code, reason and details."""

from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import grpc.aio
import pytest
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub

from chassis.stack.stack import Stack
from tests.integration.refusals import Refused, refused

if TYPE_CHECKING:
    from training.program.v1.program_service_pb2_grpc import ProgramServiceAsyncStub

UNKNOWN = "01940000-0000-7000-8000-00000000dead"
BOB = (("training-principal", "bob;roles=reviewer"),)
MALLORY = (("training-principal", "mallory;roles=author"),)
EVERYTHING = pb.Waiver(rules=["*"], reason="for a test")
INVALID = grpc.StatusCode.INVALID_ARGUMENT
PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION


def content(title: str = "About refusals") -> pb.ProgramContent:
    """Write the least content that a waiver lets through."""
    return pb.ProgramContent(title=title, categories=["Tests"], language_code="en")


@dataclass
class Programs:
    """The service, and the ways to a program in each state."""

    stub: "ProgramServiceAsyncStub"

    async def draft(self) -> pb.Program:
        """Create a program."""
        created = await self.stub.CreateProgram(service.CreateProgramRequest(content=content()), timeout=10)
        return created.program

    async def in_review(self) -> pb.Program:
        """Submit a program."""
        draft = await self.draft()
        request = service.SubmitProgramRequest(program_id=draft.program_id)
        return (await self.stub.SubmitProgram(request, timeout=10)).program

    async def approved(self) -> pb.Program:
        """Have a program approved."""
        submitted = await self.in_review()
        request = service.ApproveProgramRequest(program_id=submitted.program_id)
        return (await self.stub.ApproveProgram(request, timeout=10, metadata=BOB)).program

    async def released(self) -> pb.Program:
        """Release a program."""
        approved = await self.approved()
        request = service.ReleaseProgramRequest(program_id=approved.program_id, waiver=EVERYTHING)
        return (await self.stub.ReleaseProgram(request, timeout=10)).program

    def submit(self, program_id: str, **envelope: Any) -> Awaitable[Any]:  # noqa: ANN401 - any field of the request
        """Submit; every command has this envelope."""
        return self.stub.SubmitProgram(service.SubmitProgramRequest(program_id=program_id, **envelope), timeout=10)


@pytest.fixture
async def programs(stack: Stack) -> AsyncIterator[Programs]:
    """Connect to the program service."""
    async with grpc.aio.insecure_channel(stack.address("program")) as channel:
        yield Programs(ProgramServiceStub(channel))


async def test_an_unknown_program_is_not_found(programs: Programs) -> None:
    told = await refused(programs.submit(UNKNOWN))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    assert told.metadata["resource_name"] == UNKNOWN


async def test_a_taken_id_is_told(programs: Programs) -> None:
    draft = await programs.draft()
    request = service.CreateProgramRequest(program_id=draft.program_id, content=content())
    told = await refused(programs.stub.CreateProgram(request, timeout=10))
    assert (told.code, told.reason) == (grpc.StatusCode.ALREADY_EXISTS, "RESOURCE_EXISTS")


async def test_every_broken_field_is_listed_with_its_path(programs: Programs) -> None:
    request = service.CreateProgramRequest(program_id="no id", content=content("x" * 1001), request_id="neither")
    told = await refused(programs.stub.CreateProgram(request, timeout=10))
    assert (told.code, told.reason) == (INVALID, "INVALID_FIELD")
    assert sorted(told.fields) == ["content.title", "program_id", "request_id"]


async def test_a_stale_etag_is_aborted(programs: Programs) -> None:
    draft = await programs.draft()
    await programs.submit(draft.program_id, etag=draft.etag)
    told = await refused(programs.submit(draft.program_id, etag=draft.etag))
    assert (told.code, told.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")


async def test_a_request_id_with_another_body_is_refused_and_with_the_same_answered(programs: Programs) -> None:
    draft, other, request_id = await programs.draft(), await programs.draft(), str(uuid4())
    first = await programs.submit(draft.program_id, request_id=request_id)
    assert await programs.submit(draft.program_id, request_id=request_id.upper()) == first
    told = await refused(programs.submit(other.program_id, request_id=request_id))
    assert (told.code, told.reason) == (INVALID, "REQUEST_ID_REUSED")


async def test_a_state_that_does_not_allow_a_command_is_named(programs: Programs) -> None:
    submitted = await programs.in_review()
    told = await refused(programs.submit(submitted.program_id))
    assert told == Refused(PRECONDITION, "PROGRAM_STATE", {"state": "IN_REVIEW", "command": "SubmitProgram"})


async def test_content_in_review_is_locked(programs: Programs) -> None:
    submitted = await programs.in_review()
    request = service.UpdateProgramRequest(program_id=submitted.program_id, content=content("Another title"))
    told = await refused(programs.stub.UpdateProgram(request, timeout=10))
    assert (told.code, told.reason) == (PRECONDITION, "LOCKED_IN_REVIEW")


async def test_only_authors_edit(programs: Programs) -> None:
    draft = await programs.draft()
    request = service.UpdateProgramRequest(program_id=draft.program_id, content=content("Another title"))
    told = await refused(programs.stub.UpdateProgram(request, timeout=10, metadata=MALLORY))
    assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "NOT_AN_AUTHOR")


async def test_four_eyes_see_every_review(programs: Programs) -> None:
    submitted = await programs.in_review()
    request = service.ApproveProgramRequest(program_id=submitted.program_id)
    told = await refused(programs.stub.ApproveProgram(request, timeout=10))
    assert told == Refused(PRECONDITION, "FOUR_EYES", {"principal": "dev"})


async def test_the_release_gate_tells_all_violations_at_once(programs: Programs) -> None:
    approved = await programs.approved()
    request = service.ReleaseProgramRequest(program_id=approved.program_id)
    told = await refused(programs.stub.ReleaseProgram(request, timeout=10))
    assert (told.code, told.reason) == (PRECONDITION, "RELEASE_GATE")
    assert {"description.length", "plan.length", "agenda.modules", "outcomes.present"} <= set(told.rules)


async def test_a_rule_that_can_not_be_waived_is_named(programs: Programs) -> None:
    approved = await programs.approved()
    waiver = pb.Waiver(rules=["title.length"], reason="for a test")
    request = service.ReleaseProgramRequest(program_id=approved.program_id, waiver=waiver)
    told = await refused(programs.stub.ReleaseProgram(request, timeout=10))
    assert (told.code, told.reason, told.metadata) == (INVALID, "RULE_NOT_WAIVABLE", {"rule": "title.length"})


async def test_a_program_is_not_its_own_successor_nor_is_one_that_is_not_released(programs: Programs) -> None:
    released, draft = await programs.released(), await programs.draft()
    request = service.RetireProgramRequest(program_id=released.program_id, reason="for a test")
    request.successor_program_id = released.program_id
    told = await refused(programs.stub.RetireProgram(request, timeout=10))
    assert (told.code, told.reason) == (INVALID, "PROGRAM_REFERS_TO_ITSELF")
    request.successor_program_id = draft.program_id
    told = await refused(programs.stub.RetireProgram(request, timeout=10))
    assert (told.code, told.reason) == (PRECONDITION, "SUCCESSOR_NOT_RELEASED")


async def test_a_missing_role_is_denied_and_a_bad_credential_unknown(programs: Programs) -> None:
    draft = await programs.draft()
    request = service.ReleaseProgramRequest(program_id=draft.program_id)
    told = await refused(programs.stub.ReleaseProgram(request, timeout=10, metadata=BOB))
    assert (told.code, told.reason) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
    bad = (("training-principal", "bob;roles=emperor"),)
    told = await refused(programs.stub.ReleaseProgram(request, timeout=10, metadata=bad))
    assert (told.code, told.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


async def test_a_page_token_of_other_arguments_is_refused(programs: Programs) -> None:
    for _ in range(2):
        await programs.draft()
    page = await programs.stub.ListPrograms(service.ListProgramsRequest(page_size=1), timeout=10)
    request = service.ListProgramsRequest(page_size=1, page_token=page.next_page_token, author="somebody")
    told = await refused(programs.stub.ListPrograms(request, timeout=10))
    assert (told.code, told.reason) == (INVALID, "PAGE_TOKEN_MALFORMED")


async def test_a_dry_run_is_refused_as_the_command_would_be_and_changes_nothing(programs: Programs) -> None:
    approved = await programs.approved()
    request = service.ReleaseProgramRequest(program_id=approved.program_id, validate_only=True)
    assert (await refused(programs.stub.ReleaseProgram(request, timeout=10))).reason == "RELEASE_GATE"
    request.waiver.CopyFrom(EVERYTHING)
    assert (await programs.stub.ReleaseProgram(request, timeout=10)).program.state == pb.Program.STATE_RELEASED
    found = await programs.stub.GetProgram(service.GetProgramRequest(program_id=approved.program_id), timeout=10)
    assert found.program == approved
