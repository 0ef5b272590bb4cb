"""The catalogue is compared with its sources: every row that is not what was published is named, and put right."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.offer.v1.events_pb2 import PublishedOffer
from training.ops.v1.operations_service_pb2 import AuditCatalogueRequest, AuditCatalogueResponse, AuditDifference
from training.program.v1.events_pb2 import PublishedProgram
from uuid_utils.compat import uuid7

from bus.event import Event
from catalogue_svc.projection.offers import OfferProjection
from chassis.postgres import Connections
from tests.integration.catalogue.asking import at
from tests.integration.catalogue.conftest import Running, Sources
from tests.integration.catalogue.samples import Published, offer, offered, program, released

TABLES = ("program", "program_text", "offer")


async def audit(catalogue: Running, *, repair: bool = False) -> list[AuditDifference]:
    """Audit both sources to the end, and return what was found."""
    found: list[AuditDifference] = []
    complete = []
    response: AuditCatalogueResponse
    async for response in catalogue.operations.AuditCatalogue(AuditCatalogueRequest(repair=repair)):
        assert response.checked <= response.total
        found += response.differences
        if response.complete:
            complete.append(response.source)
    assert complete == ["offer", "program"]
    return found


async def contents(connections: Connections, ids: Sequence[UUID]) -> dict[str, list[asyncpg.Record]]:
    """Return every row of these programs and offers."""
    return {
        table: await connections.fetch(
            f"SELECT * FROM {table} AS t WHERE t.{table.partition('_')[0]}_id = any($1) ORDER BY 1, 2",  # noqa: S608 - our own words
            ids,
        )
        for table in TABLES
    }


@asynccontextmanager
async def going_on(sources: Sources, of_program: str) -> AsyncIterator[None]:
    """Publish offers, new ones and new revisions, while the block runs."""

    async def publish() -> None:
        made: list[PublishedOffer] = []
        while True:
            made.append(offer(of_program, revision=1))
            for each in made[-20:]:
                each.revision += 1
            await sources.offer.publish([offered(each) for each in made[-20:]])
            await asyncio.sleep(0.01)

    publishing = asyncio.create_task(publish())
    try:
        yield
    finally:
        publishing.cancel()
        await asyncio.wait([publishing])


class Store:
    """A read model that is changed behind the projector's back; `expected` is what an audit should find."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.expected: dict[str, str] = {}

    async def row(self, table: str, of: UUID) -> list[object]:
        """Return the values of the last row of a program or an offer."""
        key = f"{table.partition('_')[0]}_id"
        row = await self.connections.fetchrow(f"SELECT * FROM {table} WHERE {key} = $1 ORDER BY 2 DESC", of)  # noqa: S608 - our own words
        assert row is not None
        return list(row)

    async def fed(self) -> int:
        """Return the position of the last change that is told to readers."""
        row = await self.connections.fetchrow("SELECT position FROM feed")
        assert row is not None
        return int(row["position"])

    async def put_back(self, table: str, row: Sequence[object]) -> None:
        """Write a row as it was."""
        values = ", ".join(f"${number + 1}" for number in range(len(row)))
        await self.connections.execute(f"INSERT INTO {table} VALUES ({values})", *row)  # noqa: S608 - our own words

    async def spoil(self, kind: str, of: UUID, sql: str) -> None:
        """Change something of a program or an offer."""
        assert not (await self.connections.execute(sql, of)).endswith(" 0")
        self.expected[str(of)] = f"KIND_{kind}"


async def spoil_programs(store: Store, p: Sequence[UUID], old_text: Sequence[object]) -> None:
    """Change texts and programs."""
    await store.spoil("ALTERED", p[0], "DELETE FROM program_text WHERE program_id = $1 AND ordinal = 2")
    await store.put_back("program_text", old_text)
    await store.spoil(
        "ALTERED", p[1], "UPDATE program_text SET card = card || '\\x00' WHERE program_id = $1 AND ordinal = 0"
    )
    await store.spoil("ALTERED", p[2], "DELETE FROM program_text WHERE program_id = $1 AND ordinal = 1")
    await store.spoil("ALTERED", p[3], "INSERT INTO program_text VALUES ($1, 9, 'xx', '', '', 0)")
    await store.spoil("ALTERED", p[4], "UPDATE program SET tags = '{y}' WHERE program_id = $1")
    await store.spoil("MISSING", p[5], "DELETE FROM program WHERE program_id = $1")
    await store.spoil(
        "MISSING",
        p[6],
        "WITH gone AS (DELETE FROM program_text WHERE program_id = $1) DELETE FROM program WHERE program_id = $1",
    )
    await store.spoil("EXTRA", uuid4(), "INSERT INTO program_text VALUES ($1, 0, 'en', '', '', 0)")


async def spoil_offers(store: Store, o: Sequence[UUID], old_offer: Sequence[object]) -> None:
    """Change offers."""
    await store.spoil("STALE", o[0], "DELETE FROM offer WHERE offer_id = $1")
    await store.put_back("offer", old_offer)
    await store.spoil("ALTERED", o[1], "UPDATE offer SET free_seats = free_seats + 1 WHERE offer_id = $1")
    await store.spoil("ALTERED", o[2], "UPDATE offer SET detail = '\\x1234' WHERE offer_id = $1")
    await store.spoil("ALTERED", o[3], "UPDATE offer SET start_time = start_time + interval '1 h' WHERE offer_id = $1")
    await store.spoil("MISSING", o[4], "DELETE FROM offer WHERE offer_id = $1")
    await store.spoil("ALTERED", o[5], "UPDATE offer SET event_id = gen_random_uuid() WHERE offer_id = $1")


async def test_whatever_is_changed_in_the_read_model_is_named_and_put_right_while_offers_go_on(
    catalogue: Running, sources: Sources
) -> None:
    """Texts changed, missing, too many, earlier, without a program; columns, bytes, rows and revisions of offers."""
    programs = [program(languages=("en", "de", "fr"), tags=["x"]) for _ in range(30)]
    offers = [offer(programs[0].program_id, sessions=3) for _ in range(1200)]
    store = Store(catalogue.catalogue.connections)
    await publish(catalogue, sources, programs, offers)
    p, o = [UUID(each.program_id) for each in programs], [UUID(each.offer_id) for each in offers]
    old_text, old_offer = await store.row("program_text", p[0]), await store.row("offer", o[0])
    programs[0].revision += 1
    offers[0].revision += 1
    await publish(catalogue, sources, programs[:1], offers[:1])
    right = await contents(store.connections, [*p, *o])
    full = await catalogue.stub.GetProgram(pb.GetProgramRequest(program_id=str(p[1])))
    extra = OfferProjection().row(an_event(offered(offer(str(p[0])))))
    assert extra is not None
    async with going_on(sources, str(p[0])):
        await spoil_programs(store, p, old_text)
        await spoil_offers(store, o, old_offer)
        async with store.connections.transaction() as connection:
            await OfferProjection().write(connection, [extra])
        store.expected[str(extra.id)] = "KIND_EXTRA"

        found = await audit(catalogue)
        assert kinds(found) == store.expected
        assert not any(each.repaired for each in found)
        fed = await store.fed()
        repaired = await audit(catalogue, repair=True)
        assert kinds(repaired) == store.expected
        told = await store.connections.fetch("SELECT id FROM change WHERE position > $1", fed)
        assert {UUID(each) for each in store.expected} <= {row["id"] for row in told}
        assert all(each.repaired for each in repaired), [each.detail for each in repaired if not each.repaired]
        details = {each.aggregate_id: each.detail.partition("; changed: ")[2] for each in repaired}
        assert details[str(p[1])] == "program_text[0].card"
        assert details[str(p[4])] == "tags"
        assert details[str(o[2])] == "detail"
        assert await audit(catalogue) == []
    assert await contents(store.connections, [*p, *o]) == right
    assert await contents(store.connections, [UUID(each) for each in store.expected]) == await contents(
        store.connections, [each for each in (*p, *o) if str(each) in store.expected]
    )
    assert (await catalogue.stub.GetProgram(pb.GetProgramRequest(program_id=str(p[1])))).program == full.program


async def test_what_is_put_right_is_told_to_those_who_keep_entries(catalogue: Running, sources: Sources) -> None:
    """A cached entry is read again once its row is repaired."""
    shown = program(title="Right")
    await publish(catalogue, sources, [shown], [])
    store = Store(catalogue.catalogue.connections)
    await store.spoil("ALTERED", UUID(shown.program_id), "UPDATE program_text SET card = '' WHERE program_id = $1")
    request = pb.GetProgramRequest(program_id=shown.program_id)
    assert (await catalogue.stub.GetProgram(request)).program.title == ""
    [found] = await audit(catalogue, repair=True)
    assert found.repaired
    async with asyncio.timeout(10):
        while not (await catalogue.stub.GetProgram(request)).program.title.startswith("Right"):  # noqa: ASYNC110 - what a reader sees has no event
            await asyncio.sleep(0.01)


async def publish(
    catalogue: Running, sources: Sources, programs: Sequence[PublishedProgram], offers: Sequence[PublishedOffer]
) -> None:
    """Publish and wait until the catalogue shows all of it."""
    tokens = [
        await sources.program.publish([released(each) for each in programs]),
        await sources.offer.publish([offered(each) for each in offers]),
    ]
    await catalogue.stub.ListOffers(pb.ListOffersRequest(consistency=at(*tokens, wait=30)))


def an_event(published: Published) -> Event:
    """Return an event that no source knows."""
    key, revision, kind, body = published
    return Event(uuid7(), 0, 1, uuid7(), None, key, revision, kind, datetime.now(UTC), "", body)


def kinds(found: Sequence[AuditDifference]) -> dict[str, str]:
    """Return what is wrong with which aggregate."""
    return {each.aggregate_id: AuditDifference.Kind.Name(each.kind) for each in found}
