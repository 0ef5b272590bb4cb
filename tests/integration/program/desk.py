"""The program service over a real socket, PostgreSQL and NATS, and the people who work with it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg
import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import SecretStr
from training.ops.v1.journal_service_pb2_grpc import JournalServiceStub
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub
from training.program.v1.review_pb2 import ReviewComment, Reviewer

from chassis.embedded.ports import LOOPBACK, free_port
from chassis.settings import Address
from program_svc import bootstrap
from program_svc.adapters import mapping
from program_svc.settings import ProgramSettings
from tests.unit.program import samples

if TYPE_CHECKING:
    from training.ops.v1.journal_service_pb2_grpc import JournalServiceAsyncStub
    from training.program.v1.program_service_pb2_grpc import ProgramServiceAsyncStub

Answer = TypeVar("Answer")
Who = tuple[tuple[str, str], ...]

_STREAM_BYTES: Final = 64 * 1024**2
"""Small, because the broker sets aside what its streams may need."""


def person(name: str, *roles: str) -> Who:
    """Name a caller and their roles."""
    return (("training-principal", f"{name};roles={','.join(roles)}"),)


ANNA: Final = person("anna", "author")
BEN: Final = person("ben", "author")
"""Ben is everybody's co-author."""
PIA: Final = person("pia", "publisher")
RAJ: Final = person("raj", "reviewer")
RUTH: Final = person("ruth", "reviewer")


def content(title: str = "", **fields: Any) -> pb.ProgramContent:  # noqa: ANN401 - any field of the content
    """Write content that passes the release gate, unless the fields given do not."""
    made = mapping.write_content(samples.COMPLETE)
    for name in fields:
        made.ClearField(name)  # type: ignore[arg-type] # the names are those of fields
    made.MergeFrom(pb.ProgramContent(title=title, **fields))
    return made


def shortly(seconds: float) -> Timestamp:
    """Return a time that is soon, in whole microseconds."""
    made = Timestamp()
    made.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return made


@dataclass(frozen=True, slots=True)
class Desk:
    """A client of the running service, and its database."""

    stub: "ProgramServiceAsyncStub"
    journal: "JournalServiceAsyncStub"
    dsn: str

    async def ask(self, rpc: str, who: Who, request: Message) -> Any:  # noqa: ANN401 - the response of that call
        """Call the service as somebody."""
        return await getattr(self.stub, rpc)(request, metadata=who, timeout=20)

    async def do(self, rpc: str, who: Who, program_id: str, **fields: Any) -> pb.Program:  # noqa: ANN401 - any field of the request
        """Carry out a command on a program and return it."""
        request = getattr(service, f"{rpc}Request")(program_id=program_id, **fields)
        program: pb.Program = (await self.ask(rpc, who, request)).program
        return program

    async def draft(self, title: str = "", **fields: Any) -> pb.Program:  # noqa: ANN401 - any field of the content
        """Create a program of Anna's and Ben's."""
        request = service.CreateProgramRequest(content=content(title, **fields), co_authors=["ben"])
        program: pb.Program = (await self.ask("CreateProgram", ANNA, request)).program
        return program

    async def in_review(self, title: str = "", **fields: Any) -> pb.Program:  # noqa: ANN401 - any field of the content
        """Create a program and submit it."""
        made = await self.draft(title, **fields)
        return await self.do("SubmitProgram", ANNA, made.program_id)

    async def approved(self, title: str = "", **fields: Any) -> pb.Program:  # noqa: ANN401 - any field of the content
        """Create a program and have it approved, by whoever is assigned, else by Raj."""
        submitted = await self.in_review(title, **fields)
        assigned = [each.reviewer for each in submitted.working.assignments] or ["raj"]
        return await self.do("ApproveProgram", person(assigned[0], "reviewer"), submitted.program_id)

    async def released(self, title: str = "", **fields: Any) -> pb.Program:  # noqa: ANN401 - any field of the content
        """Create a program and release it."""
        approved = await self.approved(title, **fields)
        return await self.do("ReleaseProgram", PIA, approved.program_id)

    async def get(self, program_id: str) -> pb.Program:
        """Read a program."""
        request = service.GetProgramRequest(program_id=program_id)
        program: pb.Program = (await self.ask("GetProgram", ANNA, request)).program
        return program

    async def ids(self, **filters: Any) -> list[str]:  # noqa: ANN401 - any filter
        """List the ids of programs, all pages of it."""
        request, found = service.ListProgramsRequest(**filters), list[str]()
        while True:
            page = await self.ask("ListPrograms", ANNA, request)
            found += [each.program_id for each in page.programs]
            if not page.next_page_token:
                return found
            request.page_token = page.next_page_token

    async def history(self, program_id: str) -> Sequence[service.HistoryEntry]:
        """Read the whole history of a program, the first revision first."""
        request = service.ListProgramHistoryRequest(program_id=program_id, page_size=500)
        entries: list[service.HistoryEntry] = list((await self.ask("ListProgramHistory", ANNA, request)).entries)
        return entries[::-1]

    async def comment(self, who: Who, program_id: str, text: str = "Unclear.", **fields: Any) -> ReviewComment:  # noqa: ANN401 - any field of the request
        """Comment on the plan."""
        fields = {"field_path": "plan", **fields}
        request = service.AddReviewCommentRequest(program_id=program_id, text=text, **fields)
        comment: ReviewComment = (await self.ask("AddReviewComment", who, request)).comment
        return comment

    async def register(self, name: str, *categories: str, most: int = 0) -> Reviewer:
        """Register a reviewer."""
        request = service.RegisterReviewerRequest(principal=name, categories=categories, max_open_reviews=most)
        reviewer: Reviewer = (await self.ask("RegisterReviewer", PIA, request)).reviewer
        return reviewer

    async def loads(self) -> dict[str, int]:
        """Read how many reviews each reviewer has open."""
        listed = await self.ask("ListReviewers", ANNA, service.ListReviewersRequest(page_size=500))
        return {each.principal: each.open_reviews for each in listed.reviewers}

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """Read what is in the database."""
        connection = await asyncpg.connect(self.dsn, timeout=10)
        try:
            return await connection.fetch(query, *values)
        finally:
            await connection.close()

    async def becomes(self, program_id: str, holds: Callable[[pb.Program], bool]) -> pb.Program:
        """Wait until a program is as it is to become."""

        async def look() -> pb.Program | None:
            program = await self.get(program_id)
            return program if holds(program) else None

        return await awaited(look)


async def awaited(look: Callable[[], Awaitable[Answer | None]], within: float = 20.0) -> Answer:
    """Look until there is something to be seen, and return it."""
    async with asyncio.timeout(within):
        while (seen := await look()) is None:  # noqa: ASYNC110 - what it waits for happens in a database
            await asyncio.sleep(0.05)
        return seen


def assigned(program: pb.Program) -> list[str]:
    """Return who is assigned to a program."""
    return [each.reviewer for each in program.working.assignments]


@asynccontextmanager
async def serving(dsn: str, nats_url: str, prefix: str, rules: Path | None = None) -> AsyncIterator[Desk]:
    """Run a program service on a database, by the rules of a file."""
    stop = asyncio.Event()
    settings = ProgramSettings(
        database_url=SecretStr(dsn),
        nats_url=SecretStr(nats_url),
        grpc_address=Address(LOOPBACK, free_port()),
        metrics_address=Address(LOOPBACK, free_port()),
        bus_prefix=prefix,
        stream_max_bytes=_STREAM_BYTES,
        log_level="error",
        rules_file=rules,
    )
    async with asyncio.TaskGroup() as group:
        try:
            async with (
                grpc.aio.insecure_channel(str(settings.grpc_address)) as channel,
                asyncio.timeout(20) as starting,
            ):
                group.create_task(bootstrap.run(settings, stop))
                await channel.channel_ready()
                starting.reschedule(None)
                yield Desk(ProgramServiceStub(channel), JournalServiceStub(channel), dsn)
        finally:
            stop.set()
