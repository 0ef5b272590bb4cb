"""What operators do to a copy and a journal through the RPCs, each to its end, and what they are refused."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import grpc
import grpc.aio
import pytest
from training.ops.v1 import operations_service_pb2 as pb

from bus.lanes import lane_of
from tests.contract.line import POISON, Line, some_ids
from tests.contract.operated import MODEL, Operated, awaited, operated, reason

OPEN = pb.ParkedEvent.STATE_OPEN


@pytest.fixture
async def here(line: Line, database: Callable[[], Awaitable[str]]) -> AsyncIterator[Operated]:
    """Run a line that can be operated."""
    async with operated(line, await database()) as made:
        yield made


async def parked(here: Operated, **asked: Any) -> list[pb.ParkedEvent]:  # noqa: ANN401 - any field of the request
    return list((await here.stub.ListParkedEvents(pb.ListParkedEventsRequest(**asked), timeout=10)).events)


async def until_parked(here: Operated, most: int) -> list[pb.ParkedEvent]:
    async def are_there() -> bool:
        return len(await parked(here)) == most

    await awaited(are_there)
    return await parked(here)


async def refused(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await call
    return reason(error.value)


async def explained(here: Operated, **asked: Any) -> pb.ExplainResponse:  # noqa: ANN401 - any field of the request
    response: pb.ExplainResponse = await here.stub.Explain(pb.ExplainRequest(**asked), timeout=10)
    return response


async def test_the_way_of_an_aggregate_is_told_from_the_journal_to_the_copy(here: Operated) -> None:
    [counter] = some_ids(1)
    request_id = uuid4()
    for _ in range(3):
        await here.line.raise_to(counter)
    await here.line.raise_to(counter, request_id=request_id)

    async def is_shown() -> bool:
        return await here.value(counter) == 4 and await here.line.published()

    await awaited(is_shown)
    told = await explained(here, aggregate_id=str(counter), limit=2)
    assert [(each.revision, each.lane, each.seq) for each in told.recorded] == [
        (4, lane_of(counter), 4),
        (3, lane_of(counter), 3),
    ]
    first = told.recorded[0]
    assert (first.type, first.request_id, first.traceparent, first.published) == (
        "test.Raised",
        str(request_id),
        "00-t",
        True,
    )
    [state] = told.applied
    assert (state.source, state.revision, state.event_id) == ("thing", 4, first.event_id)
    assert (state.lane, state.applied, state.epoch) == (first.lane, 4, first.epoch)
    assert "alice" not in str(told)


async def test_a_look_at_an_aggregate_does_not_hold_what_a_flip_waits_for(here: Operated) -> None:
    """It comes to the views in the order in which a flip replaces them; in another each would wait for the other."""
    [counter] = some_ids(1)
    await here.line.raise_to(counter)
    await awaited(here.caught_up)
    home = here.subscription.read_store.home

    async def waits() -> bool:
        row = await home.fetchrow(f"SELECT FROM pg_locks WHERE NOT granted AND relation = '{MODEL}.copy'::regclass")
        return row is not None

    async with home.transaction() as flip:
        await flip.execute(f"LOCK TABLE {MODEL}.copy IN ACCESS EXCLUSIVE MODE")
        look = asyncio.create_task(explained(here, aggregate_id=str(counter)))
        await awaited(waits)
        await flip.execute("SET LOCAL lock_timeout = '2s'")
        await flip.execute(f"LOCK TABLE {MODEL}.checkpoint IN ACCESS EXCLUSIVE MODE")
    [state] = (await look).applied
    assert state.revision == 1


async def test_what_a_request_did_is_found_by_its_id(here: Operated) -> None:
    first, second = some_ids(2)
    request_id = uuid4()
    await here.line.raise_to(first, 5, request_id=request_id)
    await here.line.raise_to(second, 1)
    told = await explained(here, request_id=str(request_id))
    assert [(each.aggregate_id, each.revision) for each in told.recorded] == [(str(first), 5)]
    assert not told.applied
    unchanged = uuid4()
    await here.line.raise_to(first, 5, request_id=unchanged)
    assert not (await explained(here, request_id=str(unchanged))).recorded
    assert not (await explained(here, request_id=str(uuid4()))).recorded


async def test_of_an_aggregate_that_waits_or_is_unknown_it_is_told_how_far_its_lane_has_come(here: Operated) -> None:
    counter = uuid4()
    told = await explained(here, aggregate_id=str(counter))
    assert not told.recorded
    [state] = told.applied
    assert (state.source, state.lane, state.HasField("revision"), state.event_id) == (
        "thing",
        lane_of(counter),
        False,
        "",
    )


async def test_parked_events_are_listed_shown_and_explained(here: Operated) -> None:
    first, second = some_ids(2)
    await here.line.raise_to(first, body=POISON)
    await until_parked(here, 1)
    await here.line.raise_to(second, body=POISON)
    listed = await until_parked(here, 2)
    assert [each.aggregate_id for each in listed] == [str(second), str(first)]
    page = await here.stub.ListParkedEvents(pb.ListParkedEventsRequest(page_size=1))
    rest = await here.stub.ListParkedEvents(pb.ListParkedEventsRequest(page_size=1, page_token=page.next_page_token))
    assert [*page.events, *rest.events] == listed
    assert not rest.next_page_token
    event = listed[0]
    shown = await here.stub.GetParkedEvent(pb.GetParkedEventRequest(source="thing", event_id=event.event_id))
    assert (shown.event, shown.body) == (event, POISON)
    assert "@problem" in shown.decoded
    assert (event.state, event.seq, event.revision, event.error) == (OPEN, 1, 1, "poison")
    [state] = (await explained(here, aggregate_id=str(second))).applied
    assert [each.event_id for each in state.parked] == [event.event_id]


async def test_a_retry_tells_what_it_would_change_and_changes_it_when_it_is_meant(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter)
    await awaited(here.caught_up)
    here.projection.refused.add(counter)
    await here.line.raise_to(counter)
    [event] = await until_parked(here, 1)

    async def retry(*, dry_run: bool = False) -> pb.RetryParkedAggregateResponse:
        request = pb.RetryParkedAggregateRequest(source="thing", aggregate_id=str(counter), dry_run=dry_run)
        response: pb.RetryParkedAggregateResponse = await here.stub.RetryParkedAggregate(request)
        return response

    failed = await retry()
    assert (failed.applied, failed.event.retries, failed.event.state) == (False, 1, OPEN)
    assert "does not like" in failed.error
    here.projection.refused.clear()
    tried = await retry(dry_run=True)
    assert tried.applied
    assert ("value", "1", "2") in {(each.column, each.before, each.after) for each in tried.differences}
    assert await here.value(counter) == 1
    assert [each.state for each in await parked(here)] == [OPEN]
    done = await retry()
    assert (done.applied, done.event.state) == (True, pb.ParkedEvent.STATE_APPLIED)
    assert list(done.differences) == list(tried.differences)
    assert await here.value(counter) == 2
    assert await refused(retry()) == (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    [closed] = await parked(here, include_closed=True)
    assert (closed.event_id, closed.closed_by) == (event.event_id, "dev")

    async def is_followed() -> bool:
        return not here.subscription.follower.parked

    await awaited(is_followed)


async def test_an_event_is_given_up_once_and_with_a_reason(here: Operated) -> None:
    [counter] = some_ids(1)
    await here.line.raise_to(counter, body=POISON)
    [event] = await until_parked(here, 1)
    request = pb.SkipParkedEventRequest(source="thing", event_id=event.event_id, reason="it was a test")
    closed = (await here.stub.SkipParkedEvent(request)).event
    assert (closed.state, closed.close_reason, closed.closed_by) == (
        pb.ParkedEvent.STATE_SKIPPED,
        "it was a test",
        "dev",
    )
    again = await refused(here.stub.SkipParkedEvent(request))
    assert again == (grpc.StatusCode.FAILED_PRECONDITION, "PARKED_EVENT_CLOSED")
    assert not await parked(here)


async def test_a_source_or_event_that_there_is_not_is_not_found(here: Operated) -> None:
    missing = (grpc.StatusCode.NOT_FOUND, "RESOURCE_NOT_FOUND")
    named = {"source": "thing", "event_id": str(uuid4())}
    elsewhere = named | {"source": "elsewhere"}
    assert await refused(here.stub.GetParkedEvent(pb.GetParkedEventRequest(**named))) == missing
    assert await refused(here.stub.GetParkedEvent(pb.GetParkedEventRequest(**elsewhere))) == missing
    assert await refused(here.stub.SkipParkedEvent(pb.SkipParkedEventRequest(**named, reason="r"))) == missing
    assert await refused(here.stub.ListParkedEvents(pb.ListParkedEventsRequest(source="elsewhere"))) == missing
    audit = here.stub.AuditCatalogue(pb.AuditCatalogueRequest(sources=["elsewhere"]))
    assert await refused(audit.read()) == missing
    token = pb.ListParkedEventsRequest(page_token="x")
    assert await refused(here.stub.ListParkedEvents(token)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "PAGE_TOKEN_MALFORMED",
    )


async def test_a_rebuild_tells_how_it_gets_on_until_the_new_generation_answers(here: Operated) -> None:
    for counter in some_ids(20):
        await here.line.raise_to(counter)
    await awaited(here.caught_up)
    request = pb.RebuildCatalogueRequest(cause="because")
    told = [each.progress async for each in here.stub.RebuildCatalogue(request, timeout=50)]
    assert (told[-1].phase, told[-1].generation, told[-1].cause) == (pb.REBUILD_PHASE_COMPLETE, 2, "because")
    assert [each.phase for each in told] == sorted(each.phase for each in told)
    await awaited(here.caught_up)
    status = await here.stub.GetStatus(pb.GetStatusRequest())
    assert (status.read_model.generation, status.read_model.cause) == (2, "because")


async def test_building_goes_on_when_whoever_asked_for_it_goes_and_is_not_begun_twice(here: Operated) -> None:
    await here.silence()  # the building waits for what is not published
    await here.line.raise_to(uuid4())
    call = here.stub.RebuildCatalogue(pb.RebuildCatalogueRequest())
    first = pb.RebuildProgress()
    async for each in call:
        first = each.progress
        call.cancel()
        break
    again = here.stub.RebuildCatalogue(pb.RebuildCatalogueRequest())
    assert await refused(again.read()) == (grpc.StatusCode.FAILED_PRECONDITION, "REBUILD_RUNNING")
    status = await here.stub.GetStatus(pb.GetStatusRequest())
    assert status.read_model.building.generation == first.generation == 2
    assert status.read_model.building.cause == "asked for by dev"
    assert status.read_model.generation == 1


async def test_a_rebuild_call_ends_with_the_process(here: Operated) -> None:
    await here.silence()
    await here.line.raise_to(uuid4())
    call = here.stub.RebuildCatalogue(pb.RebuildCatalogueRequest())
    await call.read()

    async def read_on() -> None:
        while True:
            await call.read()

    reading = asyncio.ensure_future(refused(read_on()))
    async with asyncio.timeout(1.5):  # less than the server waits for calls before it ends them
        await here.server.stop()
    assert await reading == (grpc.StatusCode.UNAVAILABLE, "DRAINING")


async def test_an_audit_tells_every_difference_and_puts_it_right_when_asked(here: Operated) -> None:
    altered, fine = some_ids(2)
    for counter in (altered, fine):
        await here.line.raise_to(counter)
    await awaited(here.caught_up)
    writing = here.subscription.read_store.projecting
    await writing.execute("UPDATE copy SET value = 99 WHERE counter_id = $1", altered)

    async def audit(*, repair: bool) -> tuple[list[pb.AuditDifference], pb.AuditCatalogueResponse]:
        call = here.stub.AuditCatalogue(pb.AuditCatalogueRequest(sources=["thing", "thing"], repair=repair), timeout=50)
        told = [each async for each in call]
        return [difference for each in told for difference in each.differences], told[-1]

    [difference], last = await audit(repair=False)
    assert (difference.kind, UUID(difference.aggregate_id)) == (pb.AuditDifference.KIND_ALTERED, altered)
    assert (last.complete, last.checked, last.source) == (True, 2, "thing")
    [repaired], _ = await audit(repair=True)
    assert repaired.repaired
    assert await audit(repair=False) == ([], last)
    assert await here.value(altered) == 1


async def test_an_epoch_is_begun_by_hand(here: Operated) -> None:
    await here.line.raise_to(uuid4())
    before = (await here.stub.GetStatus(pb.GetStatusRequest())).journal.epoch
    begun = await here.stub.BeginEpoch(pb.BeginEpochRequest(cause="files were put back"))
    assert begun.previous_epoch == before < begun.epoch

    async def is_followed() -> bool:
        status = await here.stub.GetStatus(pb.GetStatusRequest())
        [copy] = status.subscriptions
        return bool(
            status.journal.epoch == copy.epoch == begun.epoch
            and status.journal.epoch_cause == "files were put back"
            and all(lane.lag_events == 0 for lane in copy.lanes)
        )

    await awaited(is_followed)


async def test_only_operators_change_and_only_they_and_services_look(here: Operated) -> None:
    changes = ("BeginEpoch", "RetryParkedAggregate", "SkipParkedEvent", "RebuildCatalogue", "AuditCatalogue")
    looks = ("GetStatus", "WatchStatus", "Explain", "ListParkedEvents", "GetParkedEvent")
    for method in (*changes, *looks):
        who = (("training-principal", f"eve;roles={'service' if method in changes else 'author,reader,sales'}"),)
        call = getattr(here.stub, method)(getattr(pb, f"{method}Request")(), metadata=who)
        streamed = method in {"WatchStatus", "RebuildCatalogue", "AuditCatalogue"}
        assert await refused(call.read() if streamed else call) == (grpc.StatusCode.PERMISSION_DENIED, "ROLE_MISSING")
