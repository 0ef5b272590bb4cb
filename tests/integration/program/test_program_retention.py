"""What a program's journal no longer has is told by its history."""

from training.program.v1 import program_service_pb2 as service
from training.type.v1.vocabulary_pb2 import VIEW_FULL

from bus.journal.partitions import database_time, partitions
from bus.journal.retention import Bounds, Retention
from bus.journal.tables import JOURNAL
from chassis.postgres import Connections
from tests.contract.ageing import age_recorded
from tests.contract.line import until
from tests.integration.program.desk import ANNA, Desk


async def test_a_service_starts_with_partitions_for_now_and_ahead(own_desk: Desk) -> None:
    await own_desk.released()
    async with Connections(own_desk.dsn, size=1, name="test") as connections:
        now = await database_time(connections)
        spans = [each.span for each in await partitions(connections, JOURNAL.journal)]
        assert await connections.fetch("SELECT 1 FROM journal_default") == []
    assert spans[0].lower <= now < spans[0].upper < spans[-1].upper


async def test_the_history_of_a_program_outlives_its_journal(own_desk: Desk) -> None:
    desk = own_desk
    program_id = (await desk.released("Grafting")).program_id
    request = service.ListProgramHistoryRequest(program_id=program_id, view=VIEW_FULL)
    before = (await desk.ask("ListProgramHistory", ANNA, request)).entries
    async with Connections(desk.dsn, size=2, name="test") as connections:

        async def is_published() -> bool:
            return (
                await connections.fetch("SELECT 1 FROM lane JOIN relay_lane USING (lane) WHERE seq > published") == []
            )

        await until(is_published)
        await age_recorded(connections)
        await until(Retention(desk.dsn, Bounds(), "test").round)
        assert [row["revision"] for row in await connections.fetch("SELECT revision FROM journal")] == [len(before)]
    after = (await desk.ask("ListProgramHistory", ANNA, request)).entries
    for entry in (*before, *after):
        entry.ClearField("time")
    assert after == before
    await desk.do("ReviseProgram", ANNA, program_id)
    page = await desk.ask("ListProgramHistory", ANNA, service.ListProgramHistoryRequest(program_id=program_id))
    assert [each.revision for each in page.entries] == list(range(len(before) + 1, 0, -1))
