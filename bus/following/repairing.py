"""Looking through the stream for what did not come, which another reader of the durable may have been given."""

from typing import Final

from nats.js.errors import NotFoundError

from bus.broker import Session
from bus.event import Event, MalformedEvent, received
from bus.source import Source
from bus.tasks import asked

_LOOKED_THROUGH: Final = 1000
"""How far before a gap the stream is looked through; other readers hold at most two requests' worth of messages."""


async def still_in_stream(session: Session, source: Source, gap: Event, *, have: int, before: int) -> list[Event]:
    """Return what the stream has, shortly before the gap's message at `before`, of its lane's events after `have`.

    They are in order of their numbers, all lower than the gap's. Raises one of `BROKER_ERRORS`.
    """
    found: dict[int, Event] = {}
    subject, sequence = source.lane_subjects(gap.lane), max(0, before - _LOOKED_THROUGH)
    while True:
        try:
            message = await asked(
                session.jetstream.get_msg(source.stream, seq=sequence + 1, subject=subject, next=True)
            )
        except NotFoundError:
            break
        sequence = message.seq or sequence + 1
        if sequence >= before:
            break
        try:
            event = received(message.subject or "", message.headers, message.data or b"", source)
        except MalformedEvent:
            continue
        if have < event.seq < gap.seq:
            found[event.seq] = event
    return [found[seq] for seq in sorted(found)]
