"""A foreign message in a stream stops its lane, visibly, and nothing of the lane is skipped."""

from random import Random
from uuid import UUID
from zlib import crc32

import grpc
import grpc.aio
import nats
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.ops.v1.operations_service_pb2 import GetStatusRequest
from training.program.v1 import program_service_pb2 as programs

from chassis.stack import Stack
from tests.faults import contents, schedule
from tests.faults.client import OPERATOR, PUBLISHER, READER, Platform
from tests.faults.freshness import becomes_stale, subscription
from tests.faults.history import History, Outcome, Told
from tests.faults.imports import Importer
from tests.faults.reader import TokenReader
from tests.faults.rest import judged

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

LANE = 3


def new_id_in(lane: int, chance: Random) -> UUID:
    while True:
        found = contents.new_id(chance)
        if crc32(found.bytes) % 16 == lane:
            return found


async def imported(platform: Platform, program_id: UUID, chance: Random) -> Told:
    row = programs.ImportProgramsRequest(
        row_id="1", program_id=str(program_id), content=contents.content(chance), waiver=contents.WAIVER
    )
    results = platform.program.ImportPrograms(iter([row]), timeout=10, metadata=PUBLISHER)
    (token,) = [result.consistency_token async for result in results]
    return Told("program", "Import", program_id, None, Outcome.ACCEPTED, 1, token)


async def test_a_foreign_message_stops_its_lane_visibly_and_nothing_is_skipped(
    stack: Stack, platform: Platform
) -> None:
    chance, history = Random(schedule.seed()), History()  # noqa: S311 - seeded
    await Importer(platform, history).programs(chance, 20)
    await imported(platform, new_id_in(LANE, chance), chance)
    await judged(stack, platform, history, all_known=False)
    applied = (await subscription(platform, "catalogue", "program")).lanes[LANE].applied

    client = await nats.connect(stack.nats_url)
    await client.jetstream().publish(f"training.v1.program.{LANE}.{new_id_in(LANE, chance)}", b"not ours")
    await client.close()
    await becomes_stale(stack, "offer", "catalogue")
    hidden = await imported(platform, new_id_in(LANE, chance), chance)
    await becomes_stale(stack, "program")
    status = await platform.operations["program"].GetStatus(GetStatusRequest(), timeout=5, metadata=OPERATOR)
    stopped = [lane.lane for lane in status.journal.lanes if lane.stopped_reason]
    assert stopped == [LANE]
    assert status.journal.lanes[LANE].committed == status.journal.lanes[LANE].published + 1 == applied + 1
    shown = await imported(platform, new_id_in(LANE + 1, chance), chance)
    await TokenReader(platform, history).read(shown)
    assert not history.wrong
    for name in ("offer", "catalogue"):
        lane = (await subscription(platform, name, "program")).lanes[LANE]
        assert "MalformedEvent" in lane.stopped_reason
        assert lane.applied == applied
    request = catalogue.GetProgramRequest(program_id=str(hidden.aggregate_id))
    request.consistency.at_least_as_fresh.consistency_tokens.append(hidden.token)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await platform.catalogue.GetProgram(request, timeout=10, metadata=READER)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
