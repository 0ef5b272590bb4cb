"""A stream filled by hand, as no relay would fill it, and beacons that no relay sends."""

import asyncio
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from uuid import UUID

from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError
from training.ops.v1.journal_service_pb2 import LaneHeads

from bus.event import Event, headers
from bus.heads import read_heads
from bus.lanes import LANES, lane_of
from tests.contract.line import Line


async def open_stream(line: Line) -> None:
    """Make the line's stream unless it is there; unlike the relay's it lets messages be deleted."""
    session = await line.broker.session()
    try:
        await session.jetstream.stream_info(line.source.stream)
    except NotFoundError:
        await session.jetstream.add_stream(
            StreamConfig(
                name=line.source.stream,
                subjects=[line.source.subjects],
                retention=RetentionPolicy.LIMITS,
                discard=DiscardPolicy.OLD,
                storage=StorageType.FILE,
                max_bytes=2**28,
            )
        )


async def publish(line: Line, *events: Event) -> list[int]:
    """Put events onto the stream; return their stream sequences."""
    await open_stream(line)
    session = await line.broker.session()
    return [
        (
            await session.jetstream.publish(
                line.source.subject_of(event), event.body, headers=headers(event, line.source)
            )
        ).seq
        for event in events
    ]


async def recorded(line: Line) -> list[Event]:
    """Return the whole journal, lane by lane, as its service tells it."""
    return [event for lane in range(LANES) async for events in line.journal.read(lane, 0, 2**40) for event in events]


async def publish_recorded(line: Line, but: Callable[[Event], bool] = lambda _: False) -> list[Event]:
    """Put the whole journal onto the stream, but for some events; return what was left out."""
    events = await recorded(line)
    await publish(line, *(event for event in events if not but(event)))
    return [event for event in events if but(event)]


async def lose(line: Line, events: Iterable[Event]) -> None:
    """Delete the messages of events from the stream."""
    session = await line.broker.session()
    lost = {str(event.event_id) for event in events}
    state = (await session.jetstream.stream_info(line.source.stream)).state
    for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
        message = await session.jetstream.get_msg(line.source.stream, sequence)
        if (message.headers or {})["ce-id"] in lost:
            await session.jetstream.delete_msg(line.source.stream, sequence)


async def heads(line: Line) -> LaneHeads:
    """Return the heads of the line's lanes as if everything committed were published."""
    found = await read_heads(line.commands, line.source.name)
    for lane in found.lanes:
        lane.published, lane.published_event_id = lane.committed, lane.event_id
    return found


async def announcing(line: Line, announced: LaneHeads | None = None) -> None:
    """Announce heads, the present ones unless others are given, five times a second until cancelled."""
    session = await line.broker.session()
    while True:
        beacon = announced or await heads(line)
        await session.client.publish(line.source.beacon_subject, beacon.SerializeToString())
        await asyncio.sleep(0.2)


def event(
    seq: int, counter: UUID, *, epoch: int = 1, event_id: int | None = None, previous: int | None = None
) -> Event:
    """Make an event of a counter as it should be, but for what is given."""
    before = seq - 1 if previous is None else previous
    return Event(
        UUID(int=epoch),
        lane_of(counter),
        seq,
        UUID(int=event_id or seq),
        UUID(int=before) if before else None,
        counter,
        seq,
        "test.Raised",
        datetime.now(UTC),
        "00-t",
        str(seq).encode(),
    )
