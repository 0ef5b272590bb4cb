"""A broker or a relay that is away keeps nobody from writing or reading, only from being fresh."""

from random import Random

import grpc
import grpc.aio
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.offer.v1 import offer_service_pb2 as offers
from training.program.v1 import program_service_pb2 as programs

from chassis.stack import Stack
from tests.faults import contents, schedule
from tests.faults.client import AUTHOR, MANAGER, READER, Platform
from tests.faults.freshness import as_of, becomes_fresh, becomes_stale
from tests.faults.history import History, Told
from tests.faults.imports import Importer
from tests.faults.reader import TokenReader
from tests.faults.rest import judged, until

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]
SERVICES = schedule.SERVICES


async def read(platform: Platform, told: Told, *, with_token: bool) -> catalogue.GetProgramResponse:
    request = catalogue.GetProgramRequest(program_id=str(told.aggregate_id))
    if with_token:
        request.consistency.at_least_as_fresh.consistency_tokens.append(told.token)
    answer: catalogue.GetProgramResponse = await platform.catalogue.GetProgram(request, timeout=5, metadata=READER)
    return answer


async def test_a_broker_that_is_away_stops_nobody_from_writing_or_reading_only_from_being_fresh(
    stack: Stack, platform: Platform
) -> None:
    chance, history = Random(schedule.seed()), History()  # noqa: S311 - seeded
    importer = Importer(platform, history)
    before = await importer.programs(chance, 5)
    await judged(stack, platform, history)
    await becomes_fresh(stack, *SERVICES)

    await stack.kill("nats")
    away = await importer.programs(chance, 5)
    draft = programs.CreateProgramRequest(content=contents.content(chance))
    created = await platform.program.CreateProgram(draft, timeout=5, metadata=AUTHOR)
    offer = offers.CreateOfferRequest(definition=contents.definition(before[0].aggregate_id, chance))
    await platform.offer.CreateOffer(offer, timeout=5, metadata=MANAGER)
    assert created.program.revision == 1
    assert (await read(platform, before[0], with_token=True)).program.revision == 1

    await becomes_stale(stack, *SERVICES)
    standing = await as_of(platform, "catalogue", "program")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await read(platform, away[0], with_token=True)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert await as_of(platform, "catalogue", "program") == standing
    told = {each.source: each.as_of for each in (await read(platform, before[1], with_token=False)).freshness}
    assert told["program"].ToDatetime(standing.tzinfo) == standing

    await stack.start("nats")
    await becomes_fresh(stack, *SERVICES)
    assert await as_of(platform, "catalogue", "program") > standing
    reader = TokenReader(platform, history)
    for each in (*before, *away):
        await reader.read(each)
    await judged(stack, platform, history, all_known=False)


async def test_as_of_stands_still_when_the_relay_is_dead_and_moves_while_nobody_writes(
    stack: Stack, platform: Platform
) -> None:
    await becomes_fresh(stack, *SERVICES)
    await stack.kill("program")
    await becomes_stale(stack, "offer", "catalogue")
    standing, moving = [await as_of(platform, "catalogue", source) for source in ("program", "offer")]

    async def moved() -> bool:
        return await as_of(platform, "catalogue", "offer") > moving

    await until(moved, "the other source's as_of moves")
    assert await as_of(platform, "catalogue", "program") == standing
    await stack.start("program")
    await becomes_fresh(stack, *SERVICES)
    assert await as_of(platform, "catalogue", "program") > standing
