"""What others put into a stream: what is no event is passed by, and what pretends to be one stops its lane, visibly."""

from datetime import UTC, datetime
from random import Random
from uuid import UUID, uuid5
from zlib import crc32

import grpc
import grpc.aio
import nats
import pytest
from training.catalogue.v1 import catalogue_service_pb2 as catalogue
from training.ops.v1.operations_service_pb2 import BeginEpochRequest
from training.program.v1 import program_service_pb2 as programs

from bus.event import Event, headers
from bus.source import Source
from chassis.stack import Stack
from tests.faults import contents, schedule
from tests.faults.client import OPERATOR, PUBLISHER, READER, Platform
from tests.faults.freshness import becomes_fresh, becomes_stale, subscription
from tests.faults.history import History, Outcome, Told
from tests.faults.imports import Importer
from tests.faults.reader import TokenReader
from tests.faults.rest import come_to_rest, judged

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


async def test_a_foreign_message_is_passed_by_and_nothing_stops(stack: Stack, platform: Platform) -> None:
    chance, history = Random(schedule.seed()), History()  # noqa: S311 - seeded
    await Importer(platform, history).programs(chance, 20)
    await judged(stack, platform, history, all_known=False)
    await publish(stack, f"training.v1.program.{LANE}.{new_id_in(LANE, chance)}", b"not ours")
    shown = await imported(platform, new_id_in(LANE, chance), chance)
    await TokenReader(platform, history).read(shown)
    await come_to_rest(stack, platform)
    await becomes_fresh(stack, "program", "offer", "catalogue")
    assert not history.wrong
    for name in ("offer", "catalogue"):
        assert not any(lane.stopped_reason for lane in (await subscription(platform, name, "program")).lanes)


async def test_a_forged_event_stops_its_lane_visibly_until_the_source_begins_an_epoch(
    stack: Stack, platform: Platform
) -> None:
    """Nothing is skipped, and whoever asks for what is held back is told so."""
    chance, history = Random(schedule.seed()), History()  # noqa: S311 - seeded
    await Importer(platform, history).programs(chance, 20)
    await imported(platform, new_id_in(LANE, chance), chance)
    await judged(stack, platform, history, all_known=False)
    followed = await subscription(platform, "catalogue", "program")
    applied = followed.lanes[LANE].applied
    await forge(stack, forged(UUID(followed.epoch), applied + 1, new_id_in(LANE, chance)))
    await becomes_stale(stack, "offer", "catalogue")
    for name in ("offer", "catalogue"):
        lane = (await subscription(platform, name, "program")).lanes[LANE]
        assert lane.stopped_reason.startswith("divergence")
        assert lane.applied == applied
    hidden = await imported(platform, new_id_in(LANE, chance), chance)
    await becomes_stale(stack, "program")
    request = catalogue.GetProgramRequest(program_id=str(hidden.aggregate_id))
    request.consistency.at_least_as_fresh.consistency_tokens.append(hidden.token)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await platform.catalogue.GetProgram(request, timeout=10, metadata=READER)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE

    begin = BeginEpochRequest(cause="an event was forged")
    await platform.operations["program"].BeginEpoch(begin, timeout=10, metadata=OPERATOR)
    await becomes_fresh(stack, "program", "offer", "catalogue")
    await come_to_rest(stack, platform)
    request.ClearField("consistency")
    await platform.catalogue.GetProgram(request, timeout=10, metadata=READER)


async def publish(stack: Stack, subject: str, body: bytes, headers: dict[str, str] | None = None) -> None:
    """Put a message onto a stream, as anybody can who may publish."""
    client = await nats.connect(stack.nats_url)
    try:
        await client.jetstream().publish(subject, body, headers=headers)
    finally:
        await client.close()


def forged(epoch: UUID, seq: int, program_id: UUID) -> Event:
    """Make an event that looks like the program service's next one, but follows none that it has."""
    made = uuid5(program_id, "forged")
    return Event(epoch, LANE, seq, made, made, program_id, 1, "forged", datetime.now(UTC), "", b"")


async def forge(stack: Stack, event: Event) -> None:
    """Put an event onto the program service's stream."""
    source = Source("program")
    await publish(stack, source.subject_of(event), event.body, headers(event, source))
