"""The catalogue is built anew while it is read and while its sources go on, and nobody notices."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID

import asyncpg
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.ops.v1 import operations_service_pb2 as ops
from uuid_utils.compat import uuid7

from catalogue_svc.store.schema import READ_MODEL
from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at, reason
from tests.integration.catalogue.conftest import RunCatalogue, Running, Sources
from tests.integration.catalogue.samples import Published, offer, offered, program, released

OPERATOR = (("training-principal", "olga;roles=operator"),)


async def rebuild(
    running: Running, method: ops.RebuildMethod.ValueType = ops.REBUILD_METHOD_SNAPSHOT
) -> ops.RebuildProgress:
    """Have the catalogue built anew; return the last that was told of it."""
    request = ops.RebuildCatalogueRequest(method=method, cause="the test says so")
    told = [each.progress async for each in running.operations.RebuildCatalogue(request, metadata=OPERATOR)]
    return told[-1]


@asynccontextmanager
async def held(sources: Sources, *, after_chunks: int) -> AsyncIterator[asyncio.Event]:
    """Hold every snapshot of programs up after so many chunks, in a block; the event tells that one waits."""
    waits, go_on = asyncio.Event(), asyncio.Event()
    journal = sources.journals[0]

    async def gate(chunks: int) -> None:
        if chunks >= after_chunks and not go_on.is_set():
            waits.set()
            await go_on.wait()

    journal.gate, former = gate, journal.gate
    try:
        yield waits
    finally:
        journal.gate = former
        go_on.set()


class Life:
    """Offers of one program that go on changing; their revisions are known."""

    def __init__(self, sources: Sources, count: int) -> None:
        self._sources = sources
        self._chance = Random(11)  # noqa: S311 - choices, not secrets
        self.program = program()
        self.revisions = {offer(self.program.program_id).offer_id: 1 for _ in range(count)}
        """The revisions that `token` stands for."""
        self.token = ""

    async def begin(self) -> str:
        """Publish all of it; return the tokens' sum."""
        known = await self._sources.program.publish([released(self.program)])
        self.token = await self._sources.offer.publish([self._event(*each) for each in self.revisions.items()])
        return known

    async def go_on(self, done: asyncio.Event) -> None:
        """Change offers until told otherwise."""
        while not done.is_set():
            chosen = self._chance.sample(sorted(self.revisions), 3)
            changed = {each: self.revisions[each] + 1 for each in chosen}
            token = await self._sources.offer.publish([self._event(*each) for each in changed.items()])
            self.revisions, self.token = {**self.revisions, **changed}, token
            await asyncio.sleep(0.01)

    def _event(self, offer_id: str, revision: int) -> Published:
        return offered(offer(self.program.program_id, UUID(offer_id), revision, taken=revision % 12))


async def hammer(read: Callable[[], Awaitable[None]], done: asyncio.Event) -> int:
    """Read again and again until told otherwise; return how often."""
    count = 0
    while not done.is_set():
        await read()
        count += 1
    return count


async def test_eight_readers_and_eight_streams_notice_nothing_of_two_rebuilds(
    catalogue: Running, sources: Sources
) -> None:
    """None fails, none finds less than the token that it holds, each stream has every offer once."""
    life, done = Life(sources, 150), asyncio.Event()
    known = await life.begin()
    chance = Random(7)  # noqa: S311 - choices, not secrets
    await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(known, life.token)))

    def reader() -> Callable[[], Awaitable[None]]:
        seen: dict[str, int] = {}
        token = known

        async def read() -> None:
            nonlocal token
            offer_id = chance.choice(sorted(life.revisions))
            tokens, least = [token], seen.get(offer_id, 0)
            if chance.random() < 0.3:
                tokens, least = [token, life.token], max(least, life.revisions[offer_id])
            request = pb.GetOfferRequest(offer_id=offer_id, consistency=at(*tokens))
            answer = await catalogue.stub.GetOffer(request)
            revision = answer.offer.offer.revision
            assert revision >= least
            seen[offer_id], token = revision, answer.consistency_token

        return read

    def streamer() -> Callable[[], Awaitable[None]]:
        seen: dict[str, int] = {}

        async def read() -> None:
            request = pb.StreamOffersRequest(consistency=at(life.token))
            found = {}
            async for page in catalogue.stub.StreamOffers(request):
                for entry in page.offers:
                    assert entry.offer.offer_id not in found
                    found[entry.offer.offer_id] = entry.offer.revision
            assert found.keys() == life.revisions.keys()
            assert all(found[each] >= revision for each, revision in seen.items())
            seen.update(found)

        return read

    async with asyncio.TaskGroup() as group:
        group.create_task(life.go_on(done))
        reads = [group.create_task(hammer(reader(), done)) for _ in range(8)]
        streams = [group.create_task(hammer(streamer(), done)) for _ in range(8)]
        for number in (2, 3):
            progress = await rebuild(catalogue)
            assert (progress.phase, progress.generation) == (ops.REBUILD_PHASE_COMPLETE, number), progress
        done.set()
    assert all(task.result() for task in (*reads, *streams))
    listed = await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(life.token), page_size=200))
    assert {each.offer.offer_id: each.offer.revision for each in listed.offers} == life.revisions


async def test_what_is_published_while_a_snapshot_is_taken_is_there_afterwards(
    catalogue: Running, sources: Sources
) -> None:
    sources.journals[0].chunk_size = 10
    programs = sorted((program(revision=1) for _ in range(30)), key=lambda each: each.program_id)
    token = await sources.program.publish(map(released, programs))
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    async with held(sources, after_chunks=1) as waits:
        building = asyncio.create_task(rebuild(catalogue))
        await waits.wait()
        for each in (programs[0], programs[25]):
            each.revision = 2
        extra = program()
        token = await sources.program.publish([released(programs[0]), released(programs[25]), released(extra)])
        shown = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token), page_size=100))
        assert len(shown.programs) == 31  # by the generation that answers meanwhile
    assert (await building).phase == ops.REBUILD_PHASE_COMPLETE
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token), page_size=100))
    wanted = {each.program_id: each.revision for each in (*programs, extra)}
    assert {each.program_id: each.revision for each in listed.programs} == wanted


async def test_a_source_in_another_epoch_begins_the_snapshot_again(catalogue: Running, sources: Sources) -> None:
    sources.journals[0].chunk_size = 5
    token = await sources.program.publish([released(program()) for _ in range(20)])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    async with held(sources, after_chunks=1) as waits:
        building = asyncio.create_task(rebuild(catalogue))
        await waits.wait()
        sources.program.epoch = uuid7()
    assert (await building).phase == ops.REBUILD_PHASE_COMPLETE
    listed = await catalogue.stub.ListPrograms(
        pb.ListProgramsRequest(consistency=at(sources.program.token()), page_size=100)
    )
    assert len(listed.programs) == 20


async def test_a_source_that_is_away_is_waited_for_visibly(catalogue: Running, sources: Sources) -> None:
    token = await sources.program.publish([released(program())])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    away = asyncio.Event()
    away.set()

    async def gate(_: int) -> None:
        if away.is_set():
            raise ConnectionError("the source is away")

    sources.journals[0].gate = gate
    building = asyncio.create_task(rebuild(catalogue))
    async with asyncio.timeout(20):
        while "program does not" not in (status := (await told(catalogue)).building).trouble:
            assert not building.done(), status
            await asyncio.sleep(0.05)  # whoever asks without a pause takes the builder's time
    away.clear()
    assert (await building).phase == ops.REBUILD_PHASE_COMPLETE


async def told(running: Running) -> ops.ReadModelStatus:
    """Return what an operator is told of the read model."""
    return (await running.operations.GetStatus(ops.GetStatusRequest(), metadata=OPERATOR)).read_model


async def test_asking_for_a_second_rebuild_is_refused_with_the_first_ones_number(
    catalogue: Running, sources: Sources
) -> None:
    async with held(sources, after_chunks=0) as waits:
        building = asyncio.create_task(rebuild(catalogue))
        await waits.wait()
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await rebuild(catalogue)
        assert reason(refused.value) == (grpc.StatusCode.FAILED_PRECONDITION, "REBUILD_RUNNING")
        status = await told(catalogue)
        assert (status.generation, status.building.generation) == (1, 2)
        assert status.building.phase < ops.REBUILD_PHASE_COMPLETE
    assert (await building).generation == 2


async def test_a_generation_that_differs_from_its_source_is_given_up_and_the_current_one_stays(
    catalogue: Running, sources: Sources
) -> None:
    shown = program()
    token = await sources.program.publish([released(shown)])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    program_id, revision, _, body = released(shown)
    journal = sources.journals[0]

    async def gate(chunks: int) -> None:
        if chunks == 1:  # the snapshot told this state; the digests will tell another event of the same revision
            sources.program.states[program_id] = (revision, uuid7(), body)

    journal.gate = gate
    progress = await rebuild(catalogue)
    assert progress.phase == ops.REBUILD_PHASE_ABANDONED
    assert str(program_id) in progress.trouble
    assert (await told(catalogue)).generation == 1
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    assert [each.program_id for each in listed.programs] == [shown.program_id]


async def test_a_read_store_that_is_dropped_is_being_built_until_it_answers_the_same(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    dsn = await database()
    catalogue = await run_catalogue(dsn)
    programs = [program() for _ in range(30)]
    token = await sources.program.publish(map(released, programs))
    request = pb.ListProgramsRequest(consistency=at(token), page_size=100)
    before = await catalogue.stub.ListPrograms(request)
    async with held(sources, after_chunks=0) as waits:
        connection = await asyncpg.connect(dsn, timeout=10)
        try:
            await connection.execute(f"DROP SCHEMA {READ_MODEL} CASCADE; DROP SCHEMA {READ_MODEL}_g1 CASCADE")
        finally:
            await connection.close()
        await waits.wait()
        for ask in (
            catalogue.stub.ListPrograms(pb.ListProgramsRequest()),
            catalogue.stub.GetProgram(pb.GetProgramRequest(program_id=programs[0].program_id)),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await ask
            assert reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "CATALOGUE_BUILDING")
    after = await catalogue.stub.ListPrograms(request)
    assert after.programs == before.programs


async def test_a_replay_fills_a_generation_from_the_first_event(catalogue: Running, sources: Sources) -> None:
    programs = [program() for _ in range(20)]
    token = await sources.program.publish(map(released, programs))
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    progress = await rebuild(catalogue, ops.REBUILD_METHOD_REPLAY)
    assert (progress.phase, progress.generation) == (ops.REBUILD_PHASE_COMPLETE, 2)
    listed = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token), page_size=100))
    assert {each.program_id for each in listed.programs} == {each.program_id for each in programs}
