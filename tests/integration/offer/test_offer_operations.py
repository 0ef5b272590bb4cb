"""What operators can ask of the command services, and that it tells nothing of people."""

import asyncio
import urllib.request
from uuid import uuid4

import grpc
from training.offer.v1 import offer_service_pb2 as service
from training.ops.v1 import operations_service_pb2 as pb

from tests.integration.offer.line import Line
from tests.integration.refusals import refused

NOT_SERVED = (grpc.StatusCode.FAILED_PRECONDITION, "NOT_SERVED_HERE")


async def explained(line: Line, aggregate_id: str) -> pb.ExplainResponse:
    return await line.operations.Explain(pb.ExplainRequest(aggregate_id=aggregate_id))


async def test_the_way_of_an_offer_names_its_revisions_and_nobody(line: Line) -> None:
    offer = await line.published()
    participant, request_id = f"participant-{uuid4()}", str(uuid4())
    request = service.ReserveSeatsRequest(
        offer_id=offer.offer_id, seats=1, participant_id=participant, request_id=request_id, currency_code="EUR"
    )
    reserved = await line.offers.ReserveSeats(request, metadata=(("training-principal", "petra;roles=sales"),))
    told = await explained(line, offer.offer_id)
    assert [each.revision for each in told.recorded] == list(range(len(told.recorded), 0, -1))
    assert told.recorded[0].request_id == request_id
    assert not told.applied
    by_request = await line.operations.Explain(pb.ExplainRequest(request_id=request_id))
    assert [each.event_id for each in by_request.recorded] == [told.recorded[0].event_id]
    for known in (participant, "petra", reserved.reservation.reservation_id):
        assert known not in f"{told}{by_request}"


async def test_the_way_of_a_program_goes_on_in_the_offer_services_replica(line: Line) -> None:
    program_id, _ = await line.released()
    recorded = (await line.program_operations.Explain(pb.ExplainRequest(aggregate_id=program_id))).recorded
    async with asyncio.timeout(20):
        while not (told := await explained(line, program_id)).applied[0].HasField("revision"):  # noqa: ASYNC110 - another service, no event to await
            await asyncio.sleep(0.02)
    [state] = told.applied
    assert not told.recorded
    assert (state.source, state.revision, state.event_id, state.lane) == (
        "program",
        recorded[0].revision,
        recorded[0].event_id,
        recorded[0].lane,
    )
    assert state.applied >= recorded[0].seq


async def test_the_program_service_follows_nobody_and_says_so(line: Line) -> None:
    operations = line.program_operations
    status = await operations.GetStatus(pb.GetStatusRequest())
    assert status.journal.source == "program"
    assert not status.HasField("read_model")
    some = str(uuid4())
    for call in (
        operations.ListParkedEvents(pb.ListParkedEventsRequest()),
        operations.GetParkedEvent(pb.GetParkedEventRequest(source="offer", event_id=some)),
        operations.RetryParkedAggregate(pb.RetryParkedAggregateRequest(source="offer", aggregate_id=some)),
        operations.SkipParkedEvent(pb.SkipParkedEventRequest(source="offer", event_id=some, reason="r")),
        operations.RebuildCatalogue(pb.RebuildCatalogueRequest()).read(),
        operations.AuditCatalogue(pb.AuditCatalogueRequest()).read(),
    ):
        told = await refused(call)
        assert (told.code, told.reason) == NOT_SERVED
        assert told.metadata == {"service": "program"}


async def test_the_replica_is_rebuilt_and_audited_as_the_catalogue_is(line: Line) -> None:
    program_id, token = await line.released()
    before = (await line.operations.GetStatus(pb.GetStatusRequest())).read_model.generation
    rebuilding = line.operations.RebuildCatalogue(pb.RebuildCatalogueRequest(cause="a test"))
    told = [each.progress async for each in rebuilding]
    assert (told[-1].phase, told[-1].generation) == (pb.REBUILD_PHASE_COMPLETE, before + 1)
    audited = [each async for each in line.operations.AuditCatalogue(pb.AuditCatalogueRequest())]
    assert not [difference for each in audited for difference in each.differences]
    assert (audited[-1].source, audited[-1].complete) == ("program", True)
    created = await line.offers.CreateOffer(
        service.CreateOfferRequest(
            offer_id=str(uuid4()),
            min_tokens=[token],
            definition=service.OfferDefinition(program_id=program_id, language_codes=["en"]),
        )
    )
    assert created.offer.program_id == program_id


async def test_the_figures_of_journal_and_replica_are_served_to_prometheus(line: Line) -> None:
    await line.published()

    def figures() -> dict[str, str]:
        with urllib.request.urlopen(line.metrics, timeout=10) as answer:  # noqa: S310 - our own address
            lines = answer.read().decode().splitlines()
        return dict(each.rsplit(" ", 1) for each in lines if not each.startswith("#"))

    async with asyncio.timeout(20):
        while not float((told := await asyncio.to_thread(figures)).get("training_copy_generation", "0")):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
    assert float(told['training_relay_active{source="offer"}']) == 1
    assert float(told['training_projector_active{source="program"}']) == 1
    assert 'training_journal_committed{lane="0",source="offer"}' in told
    assert 'training_copy_applied{lane="0",source="program"}' in told
