"""What an offer's journal no longer has is told by its history, and a name that is erased is in neither."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import asyncpg
import pytest
from training.offer.v1 import offer_service_pb2 as service

from bus.journal.retention import Bounds, Retention
from chassis.embedded import EmbeddedNats
from chassis.postgres import Connections
from tests.contract.ageing import age_recorded
from tests.contract.line import until
from tests.integration.offer.line import Line, running
from tests.integration.offer.selling import confirm, reserve, someone
from tests.integration.offer.test_offer_erasure import erase, tables_with


@pytest.fixture
async def own_line(database: Callable[[], Awaitable[str]], nats: EmbeddedNats, bus_prefix: str) -> AsyncIterator[Line]:
    """Run the services on databases that are this test's own."""
    async with running([await database(), await database()], nats.url, bus_prefix) as line:
        yield line


async def trim(line: Line) -> None:
    """Age and trim the journal of the offers, when everything in it is published."""
    async with Connections(line.dsn, size=2, name="test") as connections:

        async def is_published() -> bool:
            return (
                await connections.fetch("SELECT 1 FROM lane JOIN relay_lane USING (lane) WHERE seq > published") == []
            )

        await until(is_published)
        await age_recorded(connections)
    await until(Retention(line.dsn, Bounds(), "test").round)


async def revisions(line: Line, table: str) -> int:
    """Count what a table has of revisions."""
    connection = await asyncpg.connect(line.dsn)
    try:
        return int(await connection.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a name of ours
    finally:
        await connection.close()


async def test_the_history_of_an_offer_outlives_its_journal(own_line: Line) -> None:
    line, participant = own_line, someone()
    offer = await line.published(seats=5)
    held = await reserve(line, offer.offer_id, participant)
    await confirm(line, held)
    request = service.ListOfferHistoryRequest(offer_id=offer.offer_id)
    before = (await line.offers.ListOfferHistory(request)).entries
    recorded = await revisions(line, "journal")
    await trim(line)
    assert await revisions(line, "journal") < recorded
    assert await revisions(line, "history") == recorded
    after = (await line.offers.ListOfferHistory(request)).entries
    assert [(each.revision, each.actor, each.command, each.changes) for each in after] == [
        (each.revision, each.actor, each.command, each.changes) for each in before
    ]
    await reserve(line, offer.offer_id, someone())
    request.page_size = 2
    page = await line.offers.ListOfferHistory(request)
    assert [each.revision for each in page.entries] == [4, 3]
    request.page_token = page.next_page_token
    assert [each.revision for each in (await line.offers.ListOfferHistory(request)).entries] == [2, 1]


async def test_a_name_is_erased_from_all_that_is_kept_before_and_after_a_trim(own_line: Line) -> None:
    line, participant = own_line, someone()
    early, late = await line.published(seats=5), await line.published(seats=5)
    await confirm(line, await reserve(line, early.offer_id, participant))
    await trim(line)
    assert await tables_with(line.dsn, participant) == ["reservation"]
    request = service.ReserveSeatsRequest(
        offer_id=late.offer_id, participant_id=participant, currency_code="EUR", request_id=str(uuid4())
    )
    await line.offers.ReserveSeats(request)
    assert await tables_with(line.dsn, participant) == ["reservation", "idempotency"]
    told = await erase(line, participant)
    assert (told.reservations, told.offers) == (2, 2)
    assert await tables_with(line.dsn, participant) == []
    await trim(line)
    assert await revisions(line, "history") > 0
    assert await tables_with(line.dsn, participant) == []
    history = service.ListOfferHistoryRequest(offer_id=early.offer_id)
    entries = (await line.offers.ListOfferHistory(history)).entries
    assert entries[0].command == "EraseReservations"
    assert entries[-1].revision == 1
