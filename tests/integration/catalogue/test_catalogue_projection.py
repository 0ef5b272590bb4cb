"""The read model is filled from the stream, and says what it lacks where it would have to guess."""

from uuid import uuid4

from training.catalogue.v1 import catalogue_service_pb2 as pb

from bus.lanes import lane_of
from catalogue_svc.store import changes
from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at
from tests.integration.catalogue.conftest import RunCatalogue, Running, Sources
from tests.integration.catalogue.samples import offer, offered, program, released


async def test_a_catalogue_goes_on_where_another_stopped(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    first = await run_catalogue(dsn)
    one, two = program(), program()
    token = await sources.program.publish([released(one)])
    await first.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    first.stop.set()
    token = await sources.program.publish([released(two)])
    second = await run_catalogue(dsn)
    listed = await second.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    assert {entry.program_id for entry in listed.programs} == {one.program_id, two.program_id}


async def test_every_row_that_changed_is_in_the_feed_once_without_gaps(catalogue: Running, sources: Sources) -> None:
    of_program = program()
    newer = offer(of_program.program_id, revision=9)
    older = offer(of_program.program_id, revision=8)
    older.offer_id = newer.offer_id
    tokens = [
        await sources.program.publish([released(of_program)]),
        await sources.offer.publish([offered(newer)]),
    ]
    await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(*tokens)))
    token = await sources.offer.publish(
        [offered(older), (uuid4(), 1, "training.offer.v1.Advanced", b""), offered(offer(of_program.program_id))]
    )
    await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(token)))
    connections = catalogue.catalogue.connections
    positions = [row["position"] for row in await connections.fetch("SELECT position FROM change ORDER BY position")]
    assert positions == [1, 2, 3]
    await changes.trim(connections, kept=1)
    left = await connections.fetch("SELECT position FROM change")
    assert [row["position"] for row in left] == [3]


async def test_an_event_that_can_not_be_read_is_parked_visibly_and_its_lane_goes_on(
    catalogue: Running, sources: Sources
) -> None:
    poisoned = program()
    bad = released(poisoned)
    await sources.program.publish([(*bad[:3], b"\xff\xff")])
    healthy = program()
    while lane_of(released(healthy)[0]) != lane_of(bad[0]):
        healthy = program()
    token = await sources.program.publish([released(healthy)])
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    assert [each.program_id for each in listed.programs] == [healthy.program_id]
    assert listed.parked_ids == [poisoned.program_id]
    [status] = [each for each in await catalogue.catalogue.subscription.statuses() if each.source == "program"]
    assert status.parked_aggregates == 1
    assert status.lanes[lane_of(bad[0])].parked_events == 1
    assert not any(lane.stopped_reason for lane in status.lanes)
    assert await catalogue.catalogue.is_ready()


async def test_a_word_that_no_text_can_hold_does_not_stop_its_program(catalogue: Running, sources: Sources) -> None:
    strange = program(categories=["fine", "not\0fine"], tags=["\x1f"], languages=("en", "d\0e"))
    token = await sources.program.publish([released(strange)])
    asked = pb.ProgramFilter(categories=["fine"])
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(filter=asked, consistency=at(token)))
    assert list(listed.programs[0].categories) == ["fine", "not\0fine"]
