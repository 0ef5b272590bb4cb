"""Whatever is cached, an answer shows the state that its token stands for, and nobody goes back."""

import asyncio
import random
from collections.abc import Mapping
from uuid import UUID

import grpc
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.offer.v1.events_pb2 import PublishedOffer
from training.program.v1.events_pb2 import PublishedProgram
from training.type.v1.vocabulary_pb2 import VIEW_BASIC, VIEW_UNSPECIFIED

from bus.lanes import lane_of
from bus.tokens import decode
from catalogue_svc.query.cache import EntryCache, Key
from tests.conftest import NewDatabase
from tests.integration.catalogue.asking import at, reason
from tests.integration.catalogue.conftest import RunCatalogue, Running, Sources
from tests.integration.catalogue.samples import offer, offered, program, released

WRITES = 150
READERS = 6
READS_BETWEEN = 8


class Hits:
    """Counts what a cache finds."""

    def __init__(self, cache: EntryCache) -> None:
        self.count = 0
        self._get = cache.get

    def get(self, key: Key) -> bytes | None:
        """Look into the cache."""
        found = self._get(key)
        self.count += found is not None
        return found


class Truth:
    """The revision that each aggregate has from each sequence number of its lane on."""

    def __init__(self) -> None:
        self._revisions: dict[UUID, list[tuple[int, int]]] = {}

    def wrote(self, aggregate_id: UUID, seq: int, revision: int) -> None:
        """Remember a revision."""
        self._revisions.setdefault(aggregate_id, []).append((seq, revision))

    def at(self, aggregate_id: UUID, lanes: Mapping[int, int]) -> int:
        """Return the revision that a reader of these positions sees."""
        reached = lanes.get(lane_of(aggregate_id), 0)
        return max(revision for seq, revision in self._revisions[aggregate_id] if seq <= reached)


async def test_answers_are_exactly_as_old_as_their_tokens_under_concurrent_writes(  # noqa: C901 - one scene
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    dsn = await database()
    replicas = [await run_catalogue(dsn), await run_catalogue(dsn)]
    hits = [Hits(running.catalogue.cache) for running in replicas]
    for running, counting in zip(replicas, hits, strict=True):
        monkeypatch.setattr(running.catalogue.cache, "get", counting.get)
    chance = random.Random(7)  # noqa: S311 - no secret
    truth = Truth()
    programs = [program(revision=1) for _ in range(3)]
    offers = [offer(chance.choice(programs).program_id, revision=1) for _ in range(5)]

    def write_program(number: int) -> None:
        programs[number].revision += 1
        event = sources.program.event(*released(programs[number]))
        truth.wrote(event.aggregate_id, event.seq, event.revision)

    def write_offer(number: int) -> None:
        offers[number].revision += 1
        event = sources.offer.event(*offered(offers[number]))
        truth.wrote(event.aggregate_id, event.seq, event.revision)

    for number in range(3):
        write_program(number)
    for number in range(5):
        write_offer(number)
    beginning = [await sources.program.flush(), await sources.offer.flush()]
    written = asyncio.Event()
    reads = asyncio.Semaphore(0)

    async def write() -> None:
        try:
            for _ in range(WRITES):
                for _ in range(READS_BETWEEN):
                    await reads.acquire()
                for _ in range(chance.randint(1, 3)):
                    write_program(chance.randrange(3)) if chance.random() < 0.4 else write_offer(chance.randrange(5))
                await asyncio.gather(sources.program.flush(), sources.offer.flush())
        finally:
            written.set()

    async def read(seed: int) -> None:
        choose = random.Random(seed)  # noqa: S311 - no secret
        last = [*beginning]
        seen: dict[str, int] = {}
        while not written.is_set():
            running = choose.choice(replicas)
            wanted = choose.choice(offers).offer_id
            response = await _get(running, choose, wanted, last)
            vector = decode(response.consistency_token)
            for source, aggregate, revision in (
                ("offer", response.offer.offer.offer_id, response.offer.offer.revision),
                ("program", response.offer.program.program_id, response.offer.program.revision),
            ):
                assert revision == truth.at(UUID(aggregate), vector[source].lanes)
                assert revision >= seen.get(aggregate, 0)
                seen[aggregate] = revision
            last = [response.consistency_token]
            reads.release()

    async with asyncio.TaskGroup() as group:
        for seed in range(READERS):
            group.create_task(read(seed))
        group.create_task(write())
    tokens = [sources.program.token(), sources.offer.token()]
    for running, counting in zip(replicas, hits, strict=True):
        assert counting.count > WRITES // 10
        for _ in ("from the database", "from the cache"):
            await check_all(running, tokens, programs, offers)


async def _get(running: Running, choose: random.Random, offer_id: str, last: list[str]) -> pb.GetOfferResponse:
    """Read one offer, by id or in a list."""
    view = choose.choice([VIEW_BASIC, VIEW_UNSPECIFIED])
    if choose.random() < 0.8:
        request = pb.GetOfferRequest(offer_id=offer_id, view=view, consistency=at(*last))
        return await running.stub.GetOffer(request)
    listed = await running.stub.ListOffers(pb.ListOffersRequest(consistency=at(*last)))
    entry = next(entry for entry in listed.offers if entry.offer.offer_id == offer_id)
    return pb.GetOfferResponse(offer=entry, consistency_token=listed.consistency_token)


async def check_all(
    running: Running, tokens: list[str], programs: list[PublishedProgram], offers: list[PublishedOffer]
) -> None:
    """Check that cached and stored entries show the last revisions."""
    for view in (VIEW_BASIC, VIEW_UNSPECIFIED):
        for message in offers:
            request = pb.GetOfferRequest(offer_id=message.offer_id, view=view, consistency=at(*tokens))
            response = await running.stub.GetOffer(request)
            assert response.offer.offer.revision == message.revision
            of_program = next(each for each in programs if each.program_id == response.offer.program.program_id)
            assert response.offer.program.revision == of_program.revision


async def test_a_cached_answer_costs_no_statement_and_a_change_drops_just_what_it_touches(
    catalogue: Running, sources: Sources
) -> None:
    one, two = program(), program()
    first, second = offer(one.program_id), offer(two.program_id)
    tokens = [
        await sources.program.publish([released(one), released(two)]),
        await sources.offer.publish([offered(first), offered(second)]),
    ]
    cache = catalogue.catalogue.cache
    for message in (first, second):
        request = pb.GetOfferRequest(offer_id=message.offer_id, consistency=at(*tokens))
        async with asyncio.timeout(10):
            while cache.get(("offer", message.offer_id, True)) is None:
                await catalogue.stub.GetOffer(request)
    one.revision += 1
    token = await sources.program.publish([released(one)])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    assert cache.get(("offer", first.offer_id, True)) is None
    assert cache.get(("offer", second.offer_id, True)) is not None


async def test_without_its_database_the_catalogue_says_so_and_answers_what_it_has_in_memory(
    run_catalogue: RunCatalogue, database: NewDatabase, sources: Sources
) -> None:
    running = await run_catalogue(await database())
    kept = program()
    token = await sources.program.publish([released(kept)])
    request = pb.GetProgramRequest(program_id=kept.program_id)
    async with asyncio.timeout(10):
        while running.catalogue.cache.get(("program", kept.program_id, True)) is None:
            await running.stub.GetProgram(pb.GetProgramRequest(program_id=kept.program_id, consistency=at(token)))
    await running.catalogue.connections.close()
    assert (await running.stub.GetProgram(request)).program.program_id == kept.program_id
    for call in (
        running.stub.ListPrograms(pb.ListProgramsRequest()),
        running.stub.GetOffer(pb.GetOfferRequest(offer_id=kept.program_id)),
        running.stub.StreamOffers(pb.StreamOffersRequest()).read(),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert reason(refused.value) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
