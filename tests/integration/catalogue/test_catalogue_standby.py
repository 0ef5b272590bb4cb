"""Several replicas of a catalogue on one read store: each answers from the same generation, and one builds."""

import asyncio
from collections.abc import Awaitable, Callable

from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.ops.v1 import operations_service_pb2 as ops

from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at
from tests.integration.catalogue.conftest import RunCatalogue, Running, Sources
from tests.integration.catalogue.samples import program, released
from tests.integration.catalogue.test_catalogue_rebuild import held, rebuild


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - other processes, no event to await
            await asyncio.sleep(0.02)


async def test_replicas_that_start_at_once_build_one_generation_and_answer_from_it(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    shown = program()
    token = await sources.program.publish([released(shown)])
    replicas = [await run_catalogue(dsn, wait=False) for _ in range(3)]
    for replica in replicas:

        async def answers(replica: Running = replica) -> bool:
            return replica.catalogue.subscription.read_store.generation == 1

        await until(answers)
        listed = await replica.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
        assert [each.program_id for each in listed.programs] == [shown.program_id]


async def test_a_token_of_one_replica_is_good_on_another_across_a_rebuild(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    first, second = await run_catalogue(dsn), await run_catalogue(dsn)
    shown = program(revision=1)
    token = await sources.program.publish([released(shown)])
    request = pb.GetProgramRequest(program_id=shown.program_id, consistency=at(token))
    for replica in (first, second):
        assert (await replica.stub.GetProgram(request)).program.revision == 1  # and it is in both caches
    assert (await rebuild(first)).phase == ops.REBUILD_PHASE_COMPLETE
    shown.revision = 2
    token = await sources.program.publish([released(shown)])
    request.consistency.CopyFrom(at(token))
    for replica in (first, second):
        assert (await replica.stub.GetProgram(request)).program.revision == 2


async def test_a_replica_that_ends_while_it_builds_is_succeeded(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    first, second = await run_catalogue(dsn), await run_catalogue(dsn)
    sources.journals[0].chunk_size = 5
    programs = [program() for _ in range(20)]
    token = await sources.program.publish(map(released, programs))
    await second.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    async with held(sources, after_chunks=2) as waits:
        number = await first.catalogue.subscription.read_store.rebuild(ops.REBUILD_METHOD_SNAPSHOT, "asked for")
        await waits.wait()
        builds = first.catalogue.subscription.read_store.works
        builder, other = (first, second) if builds else (second, first)
        builder.stop.set()

    async def complete() -> bool:
        return other.catalogue.subscription.read_store.generation == number

    await until(complete)
    listed = await other.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token), page_size=100))
    assert {each.program_id for each in listed.programs} == {each.program_id for each in programs}
