"""A request that is repeated with its id gets the first answer, whatever happened in between."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import asyncpg
import grpc
import pytest
from google.protobuf.message import Message
from training.program.v1 import program_service_pb2 as service
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub

from chassis.embedded import EmbeddedNats
from chassis.stack.service_server import ServiceServer
from chassis.stack.services import PROGRAM, Listening, addresses
from tests.integration.program.desk import ANNA, PIA, RAJ, Desk, Who, awaited, content, shortly
from tests.integration.refusals import refused

if TYPE_CHECKING:
    from training.program.v1.program_service_pb2_grpc import ProgramServiceAsyncStub


async def test_every_command_repeated_with_its_id_gets_the_first_answer(desk: Desk) -> None:
    made = (await desk.draft()).program_id

    async def twice(rpc: str, who: Who, **fields: object) -> None:
        request = getattr(service, f"{rpc}Request")(request_id=str(uuid4()), **fields)
        first = await desk.ask(rpc, who, request)
        assert first.consistency_token
        assert await desk.ask(rpc, who, request) == first, rpc

    await twice("CreateProgram", ANNA, content=content())
    await twice("SubmitProgram", ANNA, program_id=made)
    await twice("WithdrawProgram", ANNA, program_id=made)
    await twice("UpdateProgram", ANNA, program_id=made, content=content("Another title"))
    await twice("SubmitProgram", ANNA, program_id=made)
    await twice("AssignReviewer", PIA, program_id=made)
    await twice("AddReviewComment", RAJ, program_id=made, text="Unclear.", field_path="plan")
    await twice("RequestChanges", RAJ, program_id=made)
    await twice("SubmitProgram", ANNA, program_id=made)
    await twice("ApproveProgram", RAJ, program_id=made)
    await twice("ReleaseProgram", PIA, program_id=made, release_time=shortly(3600))
    await twice("CancelScheduledRelease", PIA, program_id=made)
    await twice("ReleaseProgram", PIA, program_id=made)
    await twice("ReviseProgram", ANNA, program_id=made)
    await twice("RetireProgram", PIA, program_id=made, reason="It is old.")
    await twice("DeleteProgram", ANNA, program_id=(await desk.draft()).program_id)
    name = uuid4().hex
    await twice("RegisterReviewer", PIA, principal=name)
    await twice("UpdateReviewer", PIA, principal=name, categories=["x"])
    await twice("RemoveReviewer", PIA, principal=name)
    rejected = (await desk.in_review()).program_id
    await twice("RejectProgram", RAJ, program_id=rejected, reason="No.")


async def test_an_id_with_another_body_is_refused(desk: Desk) -> None:
    request = service.CreateProgramRequest(content=content(), request_id=str(uuid4()))
    await desk.ask("CreateProgram", ANNA, request)
    request.content.title = "Another title"
    assert (await refused(desk.ask("CreateProgram", ANNA, request))).reason == "REQUEST_ID_REUSED"


@dataclass(frozen=True, slots=True)
class Process:
    """The service as a process of its own, and its database."""

    server: ServiceServer
    dsn: str

    async def ask(self, rpc: str, who: Who, request: Message) -> Message:
        """Call the service once it is there."""
        async with grpc.aio.insecure_channel(str(self.server.listening.grpc)) as channel:
            stub: ProgramServiceAsyncStub = ProgramServiceStub(channel)
            answer: Message = await getattr(stub, rpc)(request, metadata=who, timeout=30, wait_for_ready=True)
            return answer


@pytest.fixture
async def process(
    database: Callable[[], Awaitable[str]], nats: EmbeddedNats, bus_prefix: str, servers_folder: Path
) -> AsyncIterator[Process]:
    """Run the service."""
    dsn, listening = await database(), Listening.anywhere()
    variables = {
        **addresses(PROGRAM, {PROGRAM.name: listening}),
        PROGRAM.variable("DATABASE_URL"): dsn,
        "NATS_URL": nats.url,
        "TRAINING_BUS_PREFIX": bus_prefix,
        "TRAINING_STREAM_MAX_BYTES": str(64 * 1024**2),
    }
    async with ServiceServer(PROGRAM, servers_folder / bus_prefix, listening, variables.copy) as server:
        yield Process(server, dsn)


@pytest.mark.parametrize("rpc", ["CreateProgram", "RegisterReviewer"])
async def test_a_request_repeated_after_a_crash_between_commit_and_answer_gets_the_one_outcome(
    process: Process, rpc: str
) -> None:
    requests = {
        "CreateProgram": service.CreateProgramRequest(content=content(), request_id=str(uuid4())),
        "RegisterReviewer": service.RegisterReviewerRequest(principal="raj", request_id=str(uuid4())),
    }
    request, who = requests[rpc], ANNA if rpc == "CreateProgram" else PIA
    connection = await asyncpg.connect(process.dsn, timeout=10)
    try:
        # The commit waits for its lane, the process is halted, the lane let go: the commit is made, the answer is not.
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT 1 FROM lane FOR UPDATE")
        first = asyncio.create_task(process.ask(rpc, who, request))

        async def waits() -> bool | None:
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            return await connection.fetchval(f"{query} AND datname = current_database()") == 1 or None

        await awaited(waits)
        os.kill(process.server.pid, signal.SIGSTOP)
        await transaction.rollback()

        async def committed() -> bool | None:
            return await connection.fetchval("SELECT count(*) FROM journal") == 1 or None

        await awaited(committed)
        assert not first.done()
        await process.server.kill()
        with pytest.raises(grpc.aio.AioRpcError) as lost:
            await first
        assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
        await process.server.start()
        again = await process.ask(rpc, who, request)
        assert await process.ask(rpc, who, request) == again
        rows = await connection.fetch("SELECT response FROM idempotency")
        [kept] = [type(again).FromString(row["response"]) for row in rows]
        assert again.consistency_token  # type: ignore[attr-defined] # every command's response has one
        again.ClearField("consistency_token")
        assert again == kept
        assert await connection.fetchval("SELECT count(*) FROM journal") == 1
    finally:
        await connection.close()
