"""Offers are for released programs, as far as the replica has to know them."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import grpc
from google.protobuf.duration_pb2 import Duration
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service
from training.ops.v1.operations_service_pb2 import REBUILD_PHASE_COMPLETE, GetStatusRequest, RebuildCatalogueRequest
from training.program.v1 import program_service_pb2 as programs
from training.program.v1.program_pb2 import ProgramContent

from bus.tokens import Position, encode
from chassis.embedded import EmbeddedNats
from chassis.embedded.ports import LOOPBACK, free_port
from tests.conftest import NewDatabase
from tests.integration.chassis_server import failure
from tests.integration.offer.line import Line, create, online, row, running
from tests.integration.refusals import read, refused


async def test_an_offer_can_be_created_at_once_with_the_token_of_the_release(line: Line) -> None:
    for _ in range(20):
        program_id, token = await line.released()
        await line.offers.CreateOffer(create(program_id, token))


async def test_a_program_that_is_not_known_has_no_offers(line: Line) -> None:
    program_id = str(uuid4())
    found = await refused(line.offers.CreateOffer(create(program_id)))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROGRAM_NOT_RELEASED")
    assert found.metadata == {"program_id": program_id, "state": "UNKNOWN"}


async def test_a_program_that_is_only_a_draft_has_no_offers(line: Line) -> None:
    made = await line.programs.CreateProgram(programs.CreateProgramRequest(content=ProgramContent(title="Grafting")))
    found = await refused(line.offers.CreateOffer(create(made.program.program_id, made.consistency_token)))
    assert found.reason == "PROGRAM_NOT_RELEASED"


async def test_a_retired_program_gets_no_new_offers_and_its_drafts_are_not_published(line: Line) -> None:
    draft = await line.draft(online(), priced=True)
    token = await line.retire(draft.program_id)
    request = service.PublishOfferRequest(offer_id=draft.offer_id, min_tokens=[token], max_wait=Duration(seconds=20))
    found = await refused(line.offers.PublishOffer(request))
    assert (found.code, found.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROGRAM_RETIRED")
    assert found.metadata == {"program_id": draft.program_id}
    assert (await refused(line.offers.CreateOffer(create(draft.program_id)))).reason == "PROGRAM_RETIRED"
    refusal = (await line.imported(row(draft.program_id)))["1"].error
    assert read(grpc.StatusCode.FAILED_PRECONDITION, refusal).reason == "PROGRAM_RETIRED"


async def test_published_offers_of_a_retired_program_go_on(line: Line) -> None:
    draft = await line.draft(online(), priced=True)
    await line.offers.PublishOffer(service.PublishOfferRequest(offer_id=draft.offer_id))
    token = await line.retire(draft.program_id)
    request = service.CancelOfferRequest(offer_id=draft.offer_id, reason="flood", min_tokens=[token])
    request.max_wait.FromTimedelta(timedelta(seconds=20))
    assert (await line.offers.CancelOffer(request)).offer.state == pb.Offer.STATE_CANCELLED


async def test_a_retirement_under_way_is_waited_for_and_then_obeyed(line: Line) -> None:
    draft = await line.draft(online(), priced=True)
    projector = await asyncpg.connect(line.dsn)
    try:
        retirement = projector.transaction()
        await retirement.start()
        changed = await projector.execute(
            "UPDATE program_replica_1.released_program SET state = 6, revision = revision + 1 WHERE program_id = $1",
            UUID(draft.program_id),
        )
        assert changed == "UPDATE 1"
        publishing = asyncio.ensure_future(
            line.offers.PublishOffer(service.PublishOfferRequest(offer_id=draft.offer_id))
        )
        async with asyncio.timeout(10):
            while not await projector.fetchval(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            ):
                assert not publishing.done()
        await retirement.commit()
        assert (await refused(publishing)).reason == "PROGRAM_RETIRED"
    finally:
        await projector.close()
    assert await line.get(draft.offer_id) == draft


async def test_a_program_in_a_state_that_is_not_known_here_counts_as_not_released(line: Line) -> None:
    draft = await line.draft(online(), priced=True)
    replica = await asyncpg.connect(line.dsn)
    try:
        changed = "UPDATE program_replica_1.released_program SET state = 2147483647 WHERE program_id = $1"
        assert await replica.execute(changed, UUID(draft.program_id)) == "UPDATE 1"
    finally:
        await replica.close()
    for call in (
        line.offers.CreateOffer(create(draft.program_id)),
        line.offers.PublishOffer(service.PublishOfferRequest(offer_id=draft.offer_id)),
    ):
        assert (await refused(call)).reason == "PROGRAM_NOT_RELEASED"


async def test_publishing_while_the_program_retires_ends_one_way_or_the_other(line: Line) -> None:
    for _ in range(12):
        draft = await line.draft(online(), priced=True)
        request = service.PublishOfferRequest(offer_id=draft.offer_id)

        async def publish(wanted: service.PublishOfferRequest = request) -> str:
            try:
                await line.offers.PublishOffer(wanted)
            except grpc.aio.AioRpcError as error:
                return error.code().name
            return "OK"

        outcome, _ = await asyncio.gather(publish(), line.retire(draft.program_id))
        state = (await line.get(draft.offer_id)).state
        published = {"OK": pb.Offer.STATE_PUBLISHED, "FAILED_PRECONDITION": pb.Offer.STATE_DRAFT}
        assert state == published[outcome]


async def test_a_token_that_the_replica_does_not_reach_in_time_is_told_with_have_and_need(line: Line) -> None:
    program_id, _ = await line.released()
    status = await line.operations.GetStatus(GetStatusRequest())
    ahead = encode({"program": Position(UUID(status.subscriptions[0].epoch), {3: 10**9})})
    request = create(program_id, ahead)
    request.max_wait.FromTimedelta(timedelta(milliseconds=50))
    found = await refused(line.offers.CreateOffer(request))
    assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "PROJECTION_BEHIND")
    assert found.metadata["need"] == str(10**9)


async def test_a_token_that_is_none_is_refused(line: Line) -> None:
    found = await refused(line.offers.CreateOffer(create(str(uuid4()), "nonsense")))
    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "TOKEN_MALFORMED")


async def test_the_status_shows_the_journal_and_the_replica(line: Line) -> None:
    await line.draft()
    status = await line.operations.GetStatus(GetStatusRequest())
    assert (status.service, status.journal.source, len(status.journal.lanes)) == ("offer", "offer", 16)
    [replica] = status.subscriptions
    assert (replica.source, replica.projector_leader, replica.trouble) == ("program", status.instance, "")
    assert sum(lane.applied for lane in replica.lanes) > 0


async def test_until_the_first_replica_is_complete_only_what_needs_no_program_is_answered(
    database: NewDatabase, nats: EmbeddedNats, bus_prefix: str
) -> None:
    """The service is ready all the same: its own database answers."""
    dsns = [await database(), await database()]
    nowhere = f"{LOOPBACK}:{free_port()}"
    async with running(dsns, nats.url, bus_prefix, wait=False, program_source_address=nowhere) as line:
        assert not await line.knows_programs()
        found = await refused(line.offers.CreateOffer(create(str(uuid4()))))
        assert (found.code, found.reason) == (grpc.StatusCode.UNAVAILABLE, "CATALOGUE_BUILDING")
        assert found.metadata == {"read_model": "program_replica_1"}
        found = await refused(line.offers.GetOffer(service.GetOfferRequest(offer_id=str(uuid4()))))
        assert found.reason == "RESOURCE_NOT_FOUND"


async def test_a_lost_table_of_the_service_itself_is_not_told_as_a_replica_that_is_being_built(
    database: NewDatabase, nats: EmbeddedNats, bus_prefix: str
) -> None:
    """A caller would come again and again, and nobody would look at the database."""
    dsns = [await database(), await database()]
    nowhere = f"{LOOPBACK}:{free_port()}"
    async with running(dsns, nats.url, bus_prefix, wait=False, program_source_address=nowhere) as line:
        connection = await asyncpg.connect(line.dsn)
        try:
            await connection.execute("ALTER TABLE offer RENAME TO mislaid")
            request = service.GetOfferRequest(offer_id=str(uuid4()))
            assert (await failure(line.offers.GetOffer(request))).code() == grpc.StatusCode.INTERNAL
            await connection.execute("ALTER TABLE mislaid RENAME TO offer")
        finally:
            await connection.close()
        assert (await refused(line.offers.GetOffer(request))).reason == "RESOURCE_NOT_FOUND"


async def test_offers_are_published_while_the_replica_is_made_anew(line: Line) -> None:
    """No command fails, whichever generation it locks its program in; one that was retired stays so."""
    retired = await line.draft(online(), priced=True)
    drafts = [await line.draft(online(), priced=True) for _ in range(24)]
    token = await line.retire(retired.program_id)
    seen = create(drafts[0].program_id, token)
    await line.offers.CreateOffer(seen)
    rebuilding = asyncio.create_task(rebuilt(line, 3))
    for draft in drafts:
        await line.offers.PublishOffer(service.PublishOfferRequest(offer_id=draft.offer_id))
        found = await refused(line.offers.PublishOffer(service.PublishOfferRequest(offer_id=retired.offer_id)))
        assert found.reason == "PROGRAM_RETIRED"
    while not rebuilding.done():
        found = await refused(line.offers.PublishOffer(service.PublishOfferRequest(offer_id=retired.offer_id)))
        assert found.reason == "PROGRAM_RETIRED"
    assert await rebuilding == [2, 3, 4]


async def rebuilt(line: Line, times: int) -> list[int]:
    """Have the replica made anew so many times; return the generations' numbers."""
    numbers = []
    for _ in range(times):
        request = RebuildCatalogueRequest(cause="the test says so")
        told = [each.progress async for each in line.operations.RebuildCatalogue(request)]
        assert told[-1].phase == REBUILD_PHASE_COMPLETE, told[-1]
        numbers.append(told[-1].generation)
    return numbers
