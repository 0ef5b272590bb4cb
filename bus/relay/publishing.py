"""Publishing one lane's events in order, fenced.

Each publish names the stream sequence with which the lane must end (`Nats-Expected-Last-Subject-Sequence` on the lane's
subjects), so a zombie relay, a repeat or a lost acknowledgement fails harmlessly. `Nats-Msg-Id` is not used: within the
broker's duplicate window it would swallow repairs.
"""

import json
from collections.abc import Sequence
from typing import Final

from nats.js.errors import APIError
from uuid_utils.compat import uuid7

from bus.broker import Session
from bus.commands.errors import HEADROOM_BYTES, MAX_PUBLIC_BYTES
from bus.event import Event, headers
from bus.source import Source

BATCH_FROM: Final = 32
"""From how many waiting events an atomic batch is faster than single publishes."""
BATCH_MOST: Final = 500
_WRONG_LAST_SEQUENCE: Final = 10071
_HEADERS_BYTES: Final = 2 * 1024
"""Room for the headers, but for those whose length is not known."""
LARGEST_BYTES: Final = MAX_PUBLIC_BYTES + HEADROOM_BYTES + 8 * 1024
"""How large a message of an event may be, with its headers: a broker has to take it."""


class Fenced(Exception):
    """The lane does not end where it was expected to: another published, or an acknowledgement was lost."""


class RolledBack(Exception):
    """The stream gave a sequence number that it had given before: it has forgotten what it acknowledged."""


class BrokerTooSmall(Exception):
    """The broker does not take messages as large as an event may be."""


class Publisher:
    """Publishes to one source's stream over one session."""

    def __init__(self, session: Session, source: Source) -> None:
        self._client = session.client
        self._acknowledgements = session.acknowledgements
        self._source = source

    def deliverable(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events before the first one that is larger than the broker takes, which counts the headers too."""
        for number, event in enumerate(events):
            if _most_bytes(event) > self._client.max_payload:
                return events[:number]
        return events

    async def publish(self, lane: int, events: Sequence[Event], fence: int, above: int) -> int:
        """Publish a lane's next events after stream sequence `fence`; return the last one's stream sequence.

        Events are stored all in order, or from some point on not at all. Raises Fenced, or one of `BROKER_ERRORS` when
        the outcome is unknown, or RolledBack when something is stored at a sequence that is not `above` what the stream
        had come to; the lanes' tails tell what to make of it.
        """
        if len(events) >= BATCH_FROM:
            last = await self._batch(lane, events, fence)
            return _new(last, above + len(events) - 1)
        for event in events:
            fence = _new(await self._single(lane, event, fence), above)
        return fence

    async def _single(self, lane: int, event: Event, fence: int) -> int:
        given = headers(event, self._source)
        given |= self._fence(lane, fence)
        return _stored(await self._acknowledgements.of(self._source.subject_of(event), event.body, given))

    async def _batch(self, lane: int, events: Sequence[Event], fence: int) -> int:
        batch = str(uuid7())
        for number, event in enumerate(events, start=1):
            given = headers(event, self._source)
            given["Nats-Batch-Id"] = batch
            given["Nats-Batch-Sequence"] = str(number)
            if number == 1:
                given |= self._fence(lane, fence)
            subject = self._source.subject_of(event)
            if number < len(events):
                await self._client.publish(subject, event.body, headers=given)
                continue
            given["Nats-Batch-Commit"] = "1"
            return _stored(await self._acknowledgements.of(subject, event.body, given))
        raise ValueError("no events to publish")

    def _fence(self, lane: int, fence: int) -> dict[str, str]:
        return {
            "Nats-Expected-Last-Subject-Sequence": str(fence),
            "Nats-Expected-Last-Subject-Sequence-Subject": self._source.lane_subjects(lane),
            "Nats-Expected-Stream": self._source.stream,
        }


def require_room(session: Session) -> None:
    """Raise BrokerTooSmall when the broker would refuse an event that commands may make."""
    if session.client.max_payload < LARGEST_BYTES:
        raise BrokerTooSmall(
            f"the broker's max_payload is {session.client.max_payload} bytes, an event needs up to {LARGEST_BYTES}"
        )


def _most_bytes(event: Event) -> int:
    """Return the most that an event's message may have; a character of text may be four bytes."""
    return len(event.body) + 4 * (len(event.type) + len(event.traceparent)) + _HEADERS_BYTES


def _stored(reply: bytes) -> int:
    """Return the stream sequence that an acknowledgement tells."""
    answer = json.loads(reply)
    if error := answer.get("error"):
        if error.get("err_code") == _WRONG_LAST_SEQUENCE:
            raise Fenced(error.get("description", ""))
        raise APIError.from_error(error)
    return int(answer["seq"])


def _new(sequence: int, above: int) -> int:
    """Return a stream sequence that was never given before."""
    if sequence <= above:
        raise RolledBack(f"the stream stored something at sequence {sequence}, though it had come to {above}")
    return sequence
