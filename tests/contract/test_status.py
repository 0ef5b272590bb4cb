"""What operators are told of a journal and of a copy of it, and that silence never looks like freshness."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import grpc.aio
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from prometheus_client import CollectorRegistry, generate_latest
from training.ops.v1 import operations_service_pb2 as pb

from bus.lanes import lane_of
from bus.operations.errors import NotServedHere
from bus.operations.operations_service import OperationsService
from tests.contract.line import POISON, Line, some_ids
from tests.contract.operated import MODEL, Operated, awaited, operated, reason


@pytest.fixture
async def here(line: Line, database: Callable[[], Awaitable[str]]) -> AsyncIterator[Operated]:
    """Run a line that can be operated."""
    async with operated(line, await database()) as made:
        yield made


async def status(here: Operated) -> pb.GetStatusResponse:
    told: pb.GetStatusResponse = await here.stub.GetStatus(pb.GetStatusRequest(), timeout=10)
    return told


async def all_published(here: Operated) -> bool:
    return all(lane.committed == lane.published for lane in (await status(here)).journal.lanes)


async def test_a_journal_tells_its_epoch_its_relay_and_how_far_each_lane_is_published(here: Operated) -> None:
    [counter] = some_ids(1)
    for _ in range(3):
        await here.line.raise_to(counter)
    await awaited(lambda: all_published(here))
    told = (await status(here)).journal
    assert (told.source, told.epoch_cause, told.relay_leader, told.trouble) == ("thing", "the first", "test", "")
    assert told.epoch == str((await here.publication.epoch()).epoch)
    assert told.HasField("epoch_time")
    lane = told.lanes[lane_of(counter)]
    assert (lane.first, lane.committed, lane.published) == (1, 3, 3)
    assert not lane.HasField("oldest_unpublished_age")
    assert [each.first for each in told.lanes if each.lane != lane.lane] == [0] * 15


async def test_a_copy_tells_which_generation_answers_and_how_far_each_lane_is_applied(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter)

    async def is_applied() -> bool:
        [copy] = (await status(here)).subscriptions
        return any(lane.applied for lane in copy.lanes)

    await awaited(is_applied)
    told = await status(here)
    assert (told.read_model.name, told.read_model.generation) == (MODEL, 1)
    assert told.read_model.cause
    [copy] = told.subscriptions
    assert (copy.source, copy.projector_leader, copy.epoch) == ("thing", "test", told.journal.epoch)
    assert copy.lanes[lane_of(counter)].applied == 1
    assert copy.lanes[lane_of(counter)].epoch == told.journal.epoch


async def test_a_lag_grows_while_nothing_is_heard_of_the_source(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter)

    async def lag() -> timedelta | None:
        [copy] = (await status(here)).subscriptions
        return copy.lag.ToTimedelta() if copy.HasField("lag") else None

    async def is_fresh() -> bool:
        return await here.subscription.is_fresh(5.0) and await lag() is not None

    await awaited(is_fresh)
    await here.silence()

    async def has_grown() -> bool:
        grown = await lag()
        return grown is not None and grown > timedelta(seconds=2)

    await awaited(has_grown)
    assert not await here.subscription.is_fresh(1.0)
    [lane] = [lane for lane in (await status(here)).subscriptions[0].lanes if lane.applied]
    assert lane.lag_events == 0  # as far as was heard of


async def test_a_lane_that_waits_for_an_announced_event_tells_since_when(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter)
    await awaited(here.caught_up)
    async with here.subscription.read_store.projecting.transaction() as connection:
        await connection.execute("SELECT version FROM checkpoint FOR UPDATE")  # nothing is applied meanwhile
        await here.line.raise_to(counter)

        async def is_behind() -> bool:
            [copy] = (await status(here)).subscriptions
            lane = copy.lanes[lane_of(counter)]
            return lane.lag_events == 1 and lane.oldest_unapplied_age.ToTimedelta() > timedelta(seconds=0.5)

        await awaited(is_behind)

    async def is_in_time() -> bool:
        [copy] = (await status(here)).subscriptions
        lane = copy.lanes[lane_of(counter)]
        return lane.lag_events == 0 and not lane.HasField("oldest_unapplied_age") and lane.applied == 2

    await awaited(is_in_time)


async def test_a_stopped_lane_of_either_is_told_and_is_not_fresh(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter)
    number = lane_of(counter)

    async def are_fresh() -> bool:
        return await here.publication.is_fresh(20) and await here.subscription.is_fresh(20)

    await awaited(here.caught_up)
    await awaited(are_fresh)
    await here.subscription.read_store.projecting.execute(
        "UPDATE checkpoint SET version = version + 1, stopped[$1] = 'because'", number + 1
    )

    async def is_told() -> bool:
        [copy] = (await status(here)).subscriptions
        return [lane.lane for lane in copy.lanes if lane.stopped_reason == "because"] == [number]

    await awaited(is_told)
    assert not await here.subscription.is_fresh(20)
    assert await here.publication.is_fresh(20)
    await here.silence()
    await here.line.commands.execute("UPDATE relay_lane SET stopped_reason = 'why not' WHERE lane = $1", number)
    assert (await status(here)).journal.lanes[number].stopped_reason == "why not"
    assert not await here.publication.is_fresh(20)


async def test_parked_events_are_counted_by_lane_and_aggregate(here: Operated) -> None:
    [counter] = some_ids(1)
    for _ in range(2):
        await here.line.raise_to(counter, body=POISON)

    async def are_counted() -> bool:
        [copy] = (await status(here)).subscriptions
        return copy.parked_aggregates == 1 and copy.lanes[lane_of(counter)].parked_events == 2

    await awaited(are_counted)


async def test_a_watch_sends_the_status_again_and_again_until_the_process_drains(here: Operated) -> None:
    request = pb.WatchStatusRequest(interval=Duration(nanos=100_000_000))
    seen: list[str] = []
    stopping: asyncio.Future[None] | None = None

    async def watch() -> None:
        nonlocal stopping
        async for each in here.stub.WatchStatus(request):
            seen.append(each.status.service)
            if len(seen) == 3:
                stopping = asyncio.ensure_future(here.server.stop())

    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await watch()
    assert seen[:3] == ["test"] * 3
    assert reason(ended.value) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")
    assert stopping is not None
    await stopping


async def test_a_watch_between_two_statuses_ends_at_once_with_the_process(here: Operated) -> None:
    call = here.stub.WatchStatus(pb.WatchStatusRequest(interval=Duration(seconds=3600)))
    await call.read()
    async with asyncio.timeout(1.5):  # less than the server waits for calls before it ends them
        await here.server.stop()
    with pytest.raises(grpc.aio.AioRpcError) as ended:
        await call.read()
    assert reason(ended.value) == (grpc.StatusCode.UNAVAILABLE, "DRAINING")


async def test_a_watch_ends_when_its_client_goes(here: Operated) -> None:
    call = here.stub.WatchStatus(pb.WatchStatusRequest(interval=Duration(seconds=3600)))
    await call.read()
    call.cancel()

    async def none_is_open() -> bool:
        return here.server._calls._streams.running == 0

    await awaited(none_is_open)


async def test_a_service_without_journal_and_copy_says_that_it_has_none() -> None:
    service = OperationsService("alone", "alone/1")
    some: dict[str, str] = {"source": "thing", "event_id": str(uuid4())}
    requests: dict[str, Message] = {
        "BeginEpoch": pb.BeginEpochRequest(cause="c"),
        "ListParkedEvents": pb.ListParkedEventsRequest(),
        "GetParkedEvent": pb.GetParkedEventRequest(**some),
        "RetryParkedAggregate": pb.RetryParkedAggregateRequest(source="thing", aggregate_id=str(uuid4())),
        "SkipParkedEvent": pb.SkipParkedEventRequest(**some, reason="r"),
        "RebuildCatalogue": pb.RebuildCatalogueRequest(),
        "AuditCatalogue": pb.AuditCatalogueRequest(),
    }
    for method, request in requests.items():
        with pytest.raises(NotServedHere) as refused:
            await getattr(service, method)(request, None)
        assert refused.value.metadata == {"service": "alone"}
    alone = await service.status()
    assert not alone.HasField("journal")
    assert not alone.HasField("read_model")


async def test_metrics_tell_what_the_status_tells(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter)
    await here.line.raise_to(counter, body=POISON)

    async def is_all_there() -> bool:
        [copy] = (await status(here)).subscriptions
        return copy.parked_aggregates == 1 and copy.HasField("lag") and await all_published(here)

    await awaited(is_all_there)
    await here.metrics.read()
    registry = CollectorRegistry()
    registry.register(here.metrics)
    lines = generate_latest(registry).decode().splitlines()
    told = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    lane = f'{{lane="{lane_of(counter)}",source="thing"}}'
    of_source = '{source="thing"}'
    assert float(told[f"training_journal_committed{lane}"]) == 2
    assert float(told[f"training_journal_published{lane}"]) == 2
    assert float(told[f"training_copy_applied{lane}"]) == 2
    assert float(told[f"training_copy_parked_events{lane}"]) == 1
    assert float(told[f"training_copy_parked_aggregates{of_source}"]) == 1
    assert float(told[f"training_relay_active{of_source}"]) == 1
    assert float(told[f"training_projector_active{of_source}"]) == 1
    assert float(told[f"training_journal_stopped_lanes{of_source}"]) == 0
    assert float(told[f"training_copy_stopped_lanes{of_source}"]) == 0
    assert float(told["training_copy_generation"]) == 1
    assert float(told["training_copy_building"]) == 0
    earlier = float(told[f"training_copy_as_of_age_seconds{of_source}"])
    later = next(
        float(line.rsplit(" ", 1)[1])
        for line in generate_latest(registry).decode().splitlines()
        if line.startswith("training_copy_as_of_age_seconds")
    )
    assert later > earlier  # though nothing was read in between
