import asyncio
import logging
from collections.abc import AsyncIterable
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from training.ops.v1 import journal_service_pb2 as journal
from training.ops.v1 import operations_service_pb2 as operations
from training.program.v1 import program_service_pb2 as programs

from chassis.call import Call, current_call
from chassis.errors import DatabaseUnavailable
from chassis.interceptor import Limits
from chassis.refusal import Refusal, ResourceNotFound
from tests.integration.chassis_server import (
    GET_STATUS,
    IMPORT_PROGRAMS,
    READ_JOURNAL,
    Behaviour,
    Context,
    Imports,
    failure,
    reason_of,
    running,
    status_of,
    until,
)

STATUS = operations.GetStatusRequest()
EVE = (("training-principal", "eve;roles=author"),)


async def wait_for_ever(_request: object, _context: object) -> None:
    await asyncio.Event().wait()


async def test_a_call_is_answered() -> None:
    async with running() as orchard:
        assert (await orchard.operations.GetStatus(STATUS)).service == "orchard"
        await until(lambda: orchard.calls(GET_STATUS) == {"OK": 1})


async def test_serialized_responses_pass_as_they_are() -> None:
    async with running() as orchard:
        assert await orchard.journal.GetLaneHeads(journal.GetLaneHeadsRequest()) == journal.GetLaneHeadsResponse()
        assert len([each async for each in orchard.journal.ReadJournal(journal.ReadJournalRequest())]) == 3


async def test_a_handler_knows_its_call() -> None:
    seen: list[Call] = []

    async def look(_request: object, _context: object) -> operations.GetStatusResponse:
        seen.append(current_call())
        return operations.GetStatusResponse()

    async with running(Behaviour(status=look)) as orchard:
        trace = "0af7651916cd43dd8448eb211c80319c"
        metadata = (
            ("training-principal", "alice;roles=operator"),
            ("traceparent", f"00-{trace}-b7ad6b7169203331-01"),
            ("x-correlation-id", "order-7"),
        )
        await orchard.operations.GetStatus(STATUS, metadata=metadata, timeout=20)
        await orchard.operations.GetStatus(STATUS)
    told, untold = seen
    assert (told.method, told.principal.name, told.correlation_id) == (GET_STATUS, "alice", "order-7")
    assert told.traceparent[3:35] == trace
    assert 10 < (told.remaining() or 0) < 20.2  # gRPC sends a deadline of this size in tenths of a second, rounded up
    assert untold.principal.name == "dev"
    assert 20 < (untold.remaining() or 0) < 30
    assert untold.traceparent[3:35] != trace


async def test_a_caller_without_the_role_is_refused() -> None:
    async with running() as orchard:
        error = await failure(orchard.operations.GetStatus(STATUS, metadata=EVE))
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
        await until(lambda: orchard.calls(GET_STATUS) == {"PERMISSION_DENIED": 1})


async def test_a_caller_who_cannot_be_known_is_refused() -> None:
    async with running() as orchard:
        error = await failure(orchard.operations.GetStatus(STATUS, metadata=(("training-principal", "eve"),)))
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


async def test_a_method_that_is_not_served_is_unimplemented() -> None:
    async with running() as orchard:
        nope: Any = orchard.channel.unary_unary("/a.B/Nope", operations.GetStatusRequest.SerializeToString)
        error = await failure(nope(STATUS))
        assert error.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_broken_field_rules_never_reach_the_handler() -> None:
    async with running(Behaviour(journal=wait_for_ever)) as orchard:
        error = await failure(orchard.journal.ReadJournal(journal.ReadJournalRequest(lane=16, after=2**63)).read())
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
        listed = BadRequest()
        assert status_of(error).details[1].Unpack(listed)
        assert [(each.field, each.reason) for each in listed.field_violations] == [
            ("lane", "UINT32_LTE"),
            ("after", "UINT64_LTE"),
        ]


@pytest.mark.parametrize("by", ["iterator", "read"])
async def test_every_message_of_a_clients_stream_is_checked(by: str) -> None:
    seen: list[str] = []

    async def iterate(requests: Imports, context: Context) -> None:
        async for request in requests:
            seen.append(request.row_id)
            await context.write(programs.ImportProgramsResponse(row_id=request.row_id))

    async def read(_requests: Imports, context: Context) -> None:
        while (request := await context.read()) is not grpc.aio.EOF:
            seen.append(request.row_id)
            await context.write(programs.ImportProgramsResponse(row_id=request.row_id))

    async with running(Behaviour(imports=iterate if by == "iterator" else read)) as orchard:
        call = orchard.imports()
        good = programs.ImportProgramsRequest(row_id="7", program_id="0190f3a4-7b1c-7c3e-8a51-0242ac120002")
        good.content.SetInParent()
        for row in (good, programs.ImportProgramsRequest()):
            await call.write(row)
        error = await failure(_drained(call))
        assert reason_of(error) == "INVALID_FIELD"
        assert seen == ["7"]
        await until(lambda: orchard.calls(IMPORT_PROGRAMS) == {"INVALID_ARGUMENT": 1})


async def _drained(call: AsyncIterable[object]) -> None:
    async for _ in call:
        pass


async def test_a_refusal_is_told_with_its_details() -> None:
    async def refuse(_request: object, _context: object) -> None:
        raise ResourceNotFound("there is no tree 7", {"resource_type": "tree", "resource_name": "7"})

    async with running(Behaviour(status=refuse, journal=refuse)) as orchard:
        for call in (
            orchard.operations.GetStatus(STATUS),
            orchard.journal.ReadJournal(journal.ReadJournalRequest()).read(),
        ):
            error = await failure(call)
            assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "there is no tree 7")
            assert reason_of(error) == "RESOURCE_NOT_FOUND"


async def test_a_refusal_from_a_task_group_is_told_as_itself() -> None:
    async def refuse() -> None:
        raise ResourceNotFound("there is no tree 7")

    async def grouped(_request: object, _context: object) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(refuse())

    async with running(Behaviour(status=grouped)) as orchard:
        assert reason_of(await failure(orchard.operations.GetStatus(STATUS))) == "RESOURCE_NOT_FOUND"


async def test_a_fault_tells_only_its_correlation_id() -> None:
    async def fail(_request: object, _context: object) -> None:
        raise ZeroDivisionError("the secret of the orchard")

    async with running(Behaviour(status=fail, journal=fail)) as orchard:
        metadata = (("x-correlation-id", "order-7"),)
        stream = orchard.journal.ReadJournal(journal.ReadJournalRequest(), metadata=metadata)
        for call in (orchard.operations.GetStatus(STATUS, metadata=metadata), stream.read()):
            error = await failure(call)
            info = ErrorInfo()
            assert status_of(error).details[0].Unpack(info)
            assert error.code() is grpc.StatusCode.INTERNAL
            assert dict(info.metadata) == {"correlation_id": "order-7"}
            assert b"secret" not in status_of(error).SerializeToString()
            assert "secret" not in (error.details() or "")


async def test_a_librarys_failure_is_translated() -> None:
    async def fail(_request: object, _context: object) -> None:
        raise ConnectionResetError

    def translate(error: Exception) -> Refusal | None:
        return DatabaseUnavailable() if isinstance(error, ConnectionError) else None

    async with running(Behaviour(status=fail), translate=translate) as orchard:
        error = await failure(orchard.operations.GetStatus(STATUS))
        assert (error.code(), reason_of(error)) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")


async def test_a_handler_may_abort_by_itself() -> None:
    async def abort(_request: object, context: Context) -> None:
        await context.abort(grpc.StatusCode.DATA_LOSS, "gone")

    async with running(Behaviour(status=abort)) as orchard:
        error = await failure(orchard.operations.GetStatus(STATUS))
        assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "gone")
        await until(lambda: orchard.calls(GET_STATUS) == {"DATA_LOSS": 1})


@pytest.mark.parametrize("given", [None, 30])
async def test_a_call_without_a_deadline_or_with_a_late_one_gets_ours(given: float | None) -> None:
    limits = Limits(default_deadline=0.05, deadline_cap=0.1)
    async with running(Behaviour(status=wait_for_ever), limits=limits) as orchard:
        for _ in range(2):
            error = await failure(orchard.operations.GetStatus(STATUS, timeout=given))
            assert (error.code(), reason_of(error)) == (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED")
        await until(lambda: orchard.calls(GET_STATUS) == {"DEADLINE_EXCEEDED": 2})


async def test_the_clients_own_deadline_cancels_the_handler() -> None:
    async with running(Behaviour(status=wait_for_ever)) as orchard:
        error = await failure(orchard.operations.GetStatus(STATUS, timeout=0.05))
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await until(lambda: orchard.calls(GET_STATUS) == {"DEADLINE_EXCEEDED": 1})


async def test_streams_outlive_the_deadlines_of_unary_calls() -> None:
    async def late(_request: object, context: Context) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.3)
        await context.write(journal.ReadJournalResponse())

    limits = Limits(default_deadline=0.05, deadline_cap=0.1)
    async with running(Behaviour(journal=late), limits=limits) as orchard:
        assert await orchard.journal.ReadJournal(journal.ReadJournalRequest()).read() == journal.ReadJournalResponse()


async def test_a_client_that_goes_away_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    async def talk(_request: object, context: Context) -> None:
        while True:
            await context.write(journal.ReadJournalResponse())

    async with running(Behaviour(journal=talk)) as orchard:
        with caplog.at_level(logging.WARNING):
            call = orchard.journal.ReadJournal(journal.ReadJournalRequest())
            await call.read()
            call.cancel()
            await until(lambda: sum(orchard.calls(READ_JOURNAL).values()) == 1)
        assert orchard.calls(READ_JOURNAL) == {"CANCELLED": 1}
        assert not caplog.records


async def test_unary_calls_and_streams_have_limits_of_their_own() -> None:
    limits = Limits(unary=2, streams=1)
    async with running(Behaviour(status=wait_for_ever, journal=wait_for_ever), limits=limits) as orchard:
        stream = orchard.journal.ReadJournal(journal.ReadJournalRequest())
        calls = [orchard.operations.GetStatus(STATUS) for _ in range(2)]
        await until(lambda: orchard.server._calls.running == 3)
        for one_more in (
            orchard.operations.GetStatus(STATUS),
            orchard.journal.ReadJournal(journal.ReadJournalRequest()).read(),
        ):
            error = await failure(one_more)
            assert (error.code(), reason_of(error)) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_CALLS")
        heads = orchard.journal.GetLaneHeads(journal.GetLaneHeadsRequest())
        assert reason_of(await failure(heads)) == "TOO_MANY_CALLS"
        for call in (*calls, stream):
            call.cancel()
        await until(lambda: orchard.server._calls.running == 0)
        await orchard.journal.GetLaneHeads(journal.GetLaneHeadsRequest())
