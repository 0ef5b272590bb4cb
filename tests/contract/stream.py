"""What is put into a journal, and what the stream then holds, read as a stranger reads it."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from nats.js.errors import NotFoundError

from bus.event import Event, MalformedEvent, received
from tests.contract.line import Line, some_ids


async def raise_many(line: Line, count: int, counters: int = 24) -> None:
    """Raise some counters, many times in all."""
    ids = some_ids(counters)
    limit = asyncio.Semaphore(8)

    async def one(number: int) -> None:
        async with limit:
            await line.raise_to(ids[number % counters])

    await asyncio.gather(*(one(number) for number in range(count)))


async def lanes_of(line: Line) -> dict[int, list[Event]]:
    """Return the stream's events by lane, in the stream's order, without what is deleted or no event of the source."""
    session = await line.broker.session()
    state = (await session.jetstream.stream_info(line.source.stream)).state
    lanes: dict[int, list[Event]] = {}
    for sequence in range(max(state.first_seq, 1), state.last_seq + 1):
        try:
            message = await session.jetstream.get_msg(line.source.stream, sequence)
            event = received(message.subject or "", message.headers, message.data or b"", line.source)
        except (MalformedEvent, NotFoundError):
            continue
        lanes.setdefault(event.lane, []).append(event)
    return lanes


def is_whole(events: Sequence[Event]) -> bool:
    """Tell whether a lane's events follow one another without a gap, a repeat or a break, also across epochs."""
    before: UUID | None = None
    for seq, event in enumerate(events, start=1):
        if (event.seq, event.previous) != (seq, before):
            return False
        before = event.event_id
    return True


async def assert_stream_is_journal(line: Line) -> None:
    """Compare the stream with the journal, message by message."""
    found = {
        lane: [(event.seq, event.event_id, event.previous) for event in events]
        for lane, events in (await lanes_of(line)).items()
    }
    assert found == await line.lane_events()
