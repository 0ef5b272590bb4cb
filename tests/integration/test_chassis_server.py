import asyncio
import urllib.request
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from prometheus_client.parser import text_string_to_metric_families
from training.ops.v1 import journal_service_pb2 as journal
from training.ops.v1 import operations_service_pb2 as operations

from chassis.call import current_call
from chassis.metrics import MetricsEndpoint, new_registry
from chassis.policy import Policy
from chassis.settings import Address
from chassis.startup import StartFailure
from tests.integration.chassis_server import (
    GET_STATUS,
    POLICY,
    Behaviour,
    Context,
    build,
    failure,
    reason_of,
    running,
    until,
)

STATUS = operations.GetStatusRequest()
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
REFLECTIONS = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


async def test_a_policy_that_does_not_fit_fails_the_start() -> None:
    with pytest.raises(StartFailure, match=f"{GET_STATUS} is served, but the policy does not list it"):
        await build(Behaviour(), policy=Policy({key: POLICY[key] for key in POLICY if key != GET_STATUS})).start()


async def test_a_port_in_use_fails_the_start_with_one_line() -> None:
    async with running() as orchard:
        with pytest.raises(
            StartFailure, match=f"can't listen at 127.0.0.1:{orchard.server.port}: Address already in use"
        ):
            await build(Behaviour(), port=orchard.server.port).start()


async def test_handlers_that_cannot_be_cancelled_or_would_block_fail_the_start() -> None:
    server = build(Behaviour())

    def block(request: object, context: Context) -> operations.GetStatusResponse:
        return operations.GetStatusResponse()

    def register_blocking(handler: Callable[..., Any], registrar: grpc.aio.Server) -> None:
        made = grpc.unary_unary_rpc_method_handler(
            handler, operations.GetStatusRequest.FromString, operations.GetStatusResponse.SerializeToString
        )
        registrar.add_registered_method_handlers("a.B", {"Block": made})

    with pytest.raises(StartFailure, match=r"/a\.B/Block is not a coroutine function"):
        server.add(register_blocking, block)

    async def generate(request: object, context: Context) -> AsyncIterator[journal.ReadJournalResponse]:
        yield journal.ReadJournalResponse()

    def register(handler: Callable[..., Any], registrar: grpc.aio.Server) -> None:
        made = grpc.unary_stream_rpc_method_handler(
            handler, journal.ReadJournalRequest.FromString, journal.ReadJournalResponse.SerializeToString
        )
        registrar.add_registered_method_handlers("a.B", {"C": made})

    with pytest.raises(StartFailure, match=r"/a\.B/C is an async generator"):
        server.add(register, generate)


async def test_health_tells_what_the_checks_find() -> None:
    fine = {"ready": True, "fresh": False}

    async def readiness() -> bool:
        if not fine["ready"]:
            raise ConnectionResetError
        return True

    async def freshness() -> bool:
        return fine["fresh"]

    async with running(readiness=readiness, freshness=freshness) as orchard:
        health: Any = health_pb2_grpc.HealthStub(orchard.channel)
        names = ("", "training.ops.v1.OperationsService", "training.ops.v1.JournalService", "training.freshness")

        async def told() -> list[int]:
            return [(await health.Check(health_pb2.HealthCheckRequest(service=name))).status for name in names]

        assert await told() == [SERVING, SERVING, SERVING, NOT_SERVING]
        watch = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watch.read()).status == SERVING
        fine.update(ready=False, fresh=True)
        assert (await watch.read()).status == NOT_SERVING
        assert await told() == [NOT_SERVING, NOT_SERVING, NOT_SERVING, SERVING]
        assert set((await health.List(health_pb2.HealthCheckRequest())).statuses) == {
            *names,
            "training.program.v1.ProgramService",
        }
        unknown = await failure(health.Check(health_pb2.HealthCheckRequest(service="nobody")))
        assert unknown.code() is grpc.StatusCode.NOT_FOUND


async def test_a_drain_lets_calls_finish_and_streams_say_goodbye() -> None:
    go_on = asyncio.Event()

    async def slow(_request: object, _context: object) -> operations.GetStatusResponse:
        await go_on.wait()
        return operations.GetStatusResponse(service="late")

    async def watch(_request: object, context: Context) -> None:
        await context.write(journal.ReadJournalResponse())
        await current_call().drain.wait()
        await context.write(journal.ReadJournalResponse())

    async with running(Behaviour(status=slow, journal=watch)) as orchard:
        health: Any = health_pb2_grpc.HealthStub(orchard.channel)
        watched = health.Watch(health_pb2.HealthCheckRequest())
        assert (await watched.read()).status == SERVING
        late = asyncio.ensure_future(orchard.operations.GetStatus(STATUS))
        stream = orchard.journal.ReadJournal(journal.ReadJournalRequest())
        await stream.read()
        await until(lambda: orchard.server._calls.running == 3)
        stopping = asyncio.create_task(orchard.server.stop())
        assert (await watched.read()).status == NOT_SERVING
        assert reason_of(await failure(watched.read())) == "DRAINING"
        refused = await failure(orchard.operations.GetStatus(STATUS))
        assert (refused.code(), reason_of(refused)) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
        assert (await health.Check(health_pb2.HealthCheckRequest())).status == NOT_SERVING
        assert await stream.read() == journal.ReadJournalResponse()
        assert await stream.read() is grpc.aio.EOF
        assert not stopping.done()
        go_on.set()
        assert (await late).service == "late"
        async with asyncio.timeout(3):
            await stopping


async def test_streams_that_do_not_end_are_ended_after_the_grace() -> None:
    async def deaf(_request: object, context: Context) -> None:
        await context.write(journal.ReadJournalResponse())
        await asyncio.Event().wait()

    async with running(Behaviour(journal=deaf), drain_grace=0.05) as orchard:
        stream = orchard.journal.ReadJournal(journal.ReadJournalRequest())
        await stream.read()
        stopping = asyncio.create_task(orchard.server.stop())
        assert reason_of(await failure(stream.read())) == "DRAINING"
        async with asyncio.timeout(3):
            await stopping


@pytest.mark.parametrize("service", REFLECTIONS)
async def test_reflection_describes_services_methods_and_itself(service: str) -> None:
    async with running() as orchard:
        call = orchard.channel.stream_stream(
            f"/{service}/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString,
        )()

        async def ask(**question: Any) -> reflection_pb2.ServerReflectionResponse:  # noqa: ANN401 - one field of the question
            await call.write(reflection_pb2.ServerReflectionRequest(**question))
            answer = await call.read()
            assert isinstance(answer, reflection_pb2.ServerReflectionResponse)
            return answer

        listed = {each.name for each in (await ask(list_services="")).list_services_response.service}
        assert {*REFLECTIONS, "grpc.health.v1.Health", "training.ops.v1.JournalService"} <= listed
        for symbol in (*listed, GET_STATUS[1:].replace("/", "."), "training.ops.v1.ReadJournalRequest.lane"):
            answer = await ask(file_containing_symbol=symbol)
            assert answer.file_descriptor_response.file_descriptor_proto, symbol
        for symbol in ("training.ops.v1.OperationsService.Nope", "nobody", ""):
            assert (await ask(file_containing_symbol=symbol)).HasField("error_response")
        stopping = asyncio.create_task(orchard.server.stop())
        assert reason_of(await failure(call.read())) == "DRAINING"
        await stopping


async def test_metrics_count_calls_and_tell_of_the_process() -> None:
    async with running() as orchard:
        await orchard.operations.GetStatus(STATUS)
        registry = new_registry()
        registry.register(orchard.statistics)
        endpoint = MetricsEndpoint(Address("127.0.0.1", 0), registry)
        try:
            url = f"http://127.0.0.1:{endpoint.port}/metrics"
            text = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=5).read().decode())
            with pytest.raises(StartFailure, match="can't serve metrics"):
                MetricsEndpoint(Address("127.0.0.1", endpoint.port), new_registry())
        finally:
            endpoint.close()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    of_status = {sample.name: sample.value for sample in samples if sample.labels.get("method") == GET_STATUS}
    assert of_status["training_calls_total"] == 1
    assert of_status["training_calls_in_flight"] == 0
    assert of_status["training_call_seconds_count"] == 1
    assert any(sample.name == "python_info" for sample in samples)
