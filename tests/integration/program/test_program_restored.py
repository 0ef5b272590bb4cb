"""A running service whose database is put back from a backup goes on by itself, in an epoch of its own."""

from uuid import UUID

import grpc
from training.ops.v1.journal_service_pb2 import GetLaneHeadsRequest, LaneHeads
from training.program.v1 import program_service_pb2 as service

from bus.tokens import decode
from chassis.embedded import EmbeddedPostgres
from tests.contract.places import Place
from tests.integration.program.desk import ANNA, Desk, awaited, content, person

OPERATOR = person("olga", "operator")


async def test_a_service_goes_on_when_its_database_was_restored(own_desk: Desk, postgres: EmbeddedPostgres) -> None:
    place = Place(postgres, own_desk.dsn)
    kept = await own_desk.draft("Kept")
    before = await heads_of(own_desk)
    backup = await place.back_up()
    forgotten = await awaited(lambda: drafted(own_desk, "Forgotten"))
    await place.restore(backup)

    made = await awaited(lambda: drafted(own_desk, "After"))

    token = decode(made.consistency_token)["program"]
    after = await heads_of(own_desk)
    assert token.epoch == UUID(bytes=after.epoch) > UUID(bytes=before.epoch)
    assert (await own_desk.get(kept.program_id)).program_id == kept.program_id
    assert forgotten.program.program_id not in await own_desk.ids()
    assert sum(lane.committed for lane in after.lanes) == sum(lane.committed for lane in before.lanes) + 16 + 1

    async def published() -> LaneHeads | None:
        heads = await heads_of(own_desk)
        return heads if all(lane.published == lane.committed for lane in heads.lanes) else None

    assert (await awaited(published)).epoch == after.epoch
    await place.drop(backup)


async def heads_of(desk: Desk) -> LaneHeads:
    """Ask for the heads of the service's lanes."""
    answer = await desk.journal.GetLaneHeads(GetLaneHeadsRequest(), metadata=OPERATOR, timeout=10)
    return answer.heads


async def drafted(desk: Desk, title: str) -> service.CreateProgramResponse | None:
    """Create a program; None while the database is not there."""
    try:
        request = service.CreateProgramRequest(content=content(title))
        response: service.CreateProgramResponse = await desk.ask("CreateProgram", ANNA, request)
    except grpc.aio.AioRpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE  # noqa: PT017 - the only error that is expected here
        return None
    return response
