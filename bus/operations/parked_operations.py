"""What operators ask of the events that a copy could not apply."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from training.ops.v1 import operations_service_pb2 as pb

from bus.following import parking
from bus.following.parking import ParkedEvent, Place, State
from bus.following.retrying import retry
from bus.operations.errors import not_followed
from bus.operations.readable import readable
from bus.read_store.read_store import ReadStore
from chassis.pages import PageTokenMalformed, arguments, page_size, read_token, write_token
from chassis.postgres import Connections

_STATES: Final = {
    State.OPEN: pb.ParkedEvent.STATE_OPEN,
    State.SUPERSEDED: pb.ParkedEvent.STATE_SUPERSEDED,
    State.APPLIED: pb.ParkedEvent.STATE_APPLIED,
    State.SKIPPED: pb.ParkedEvent.STATE_SKIPPED,
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MOST_CHARACTERS: Final = 1000
"""How much is told of a column's text."""
_PLACE_BYTES: Final = 8 + 16
"""Of a place: the time and the event's id, which the source's name follows."""


class ParkedOperations:
    """The parked events of one copy.

    `connections` look names up in the read model's home; `bodies` tells the type of each source's bodies.
    """

    def __init__(
        self, service: str, connections: Connections, store: ReadStore, bodies: Mapping[str, type[Message]]
    ) -> None:
        self._service = service
        self._connections = connections
        self._store = store
        self._bodies = bodies

    async def listed(self, request: pb.ListParkedEventsRequest) -> pb.ListParkedEventsResponse:
        """List them, the latest parked first. Raises PageTokenMalformed, or ResourceNotFound for the source."""
        if request.source:
            self._followed(request.source)
        bound_to, most = arguments(request), page_size(request.page_size)
        after = _read_place(read_token(request.page_token, bound_to)) if request.page_token else None
        found = await parking.page(
            self._connections,
            source=request.source,
            include_closed=request.include_closed,
            most=most + 1,
            after=after,
        )
        token = write_token(_write_place(found[most - 1]), bound_to) if len(found) > most else ""
        return pb.ListParkedEventsResponse(events=[told(each) for each in found[:most]], next_page_token=token)

    async def shown(self, request: pb.GetParkedEventRequest) -> pb.GetParkedEventResponse:
        """Return one with its body, decoded as far as possible. Raises ResourceNotFound."""
        self._followed(request.source)
        found = await parking.get(self._connections, request.source, UUID(request.event_id))
        body = found.event.body
        return pb.GetParkedEventResponse(
            event=told(found), body=body, decoded=readable(self._bodies[request.source], body)
        )

    async def retried(self, request: pb.RetryParkedAggregateRequest, by: str) -> pb.RetryParkedAggregateResponse:
        """Apply the latest open one of an aggregate again; a dry run changes nothing. Raises ResourceNotFound."""
        self._followed(request.source)
        outcome = await retry(
            self._store.projecting,
            request.source,
            self._store.model.projections[request.source],
            UUID(request.aggregate_id),
            who=by,
            dry_run=request.dry_run,
        )
        differences = [
            pb.ColumnDifference(column=each.column, before=_shortened(each.before), after=_shortened(each.after))
            for each in outcome.differences
        ]
        return pb.RetryParkedAggregateResponse(
            applied=outcome.applied, error=outcome.error, differences=differences, event=told(outcome.parked)
        )

    async def skipped(self, request: pb.SkipParkedEventRequest, by: str) -> pb.SkipParkedEventResponse:
        """Give an open one up. Raises ResourceNotFound or ParkedEventClosed."""
        self._followed(request.source)
        closed = await parking.skip(
            self._store.projecting, request.source, UUID(request.event_id), reason=request.reason, who=by
        )
        return pb.SkipParkedEventResponse(event=told(closed))

    def _followed(self, source: str) -> None:
        if source not in self._bodies:
            raise not_followed(self._service, source)


def told(parked: ParkedEvent) -> pb.ParkedEvent:
    """Return a parked event as operators are told of it, without its body."""
    event = parked.event
    return pb.ParkedEvent(
        source=parked.source,
        event_id=str(event.event_id),
        aggregate_id=str(event.aggregate_id),
        epoch=str(event.epoch),
        lane=event.lane,
        seq=event.seq,
        revision=event.revision,
        type=event.type,
        time=_timestamp(event.time),
        traceparent=event.traceparent,
        error=parked.error,
        park_time=_timestamp(parked.parked_at),
        state=_STATES[parked.state],
        close_time=_timestamp(parked.closed_at),
        closed_by=parked.closed_by or "",
        close_reason=parked.close_reason or "",
        retries=parked.retries,
    )


def _shortened(text: str | None) -> str | None:
    if text is None or len(text) <= _MOST_CHARACTERS:
        return text
    return f"{text[:_MOST_CHARACTERS]}… ({len(text):,} characters)"


def _timestamp(time: datetime | None) -> Timestamp | None:
    if time is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp


def _write_place(parked: ParkedEvent) -> bytes:
    at = (parked.parked_at - _EPOCH) // _MICROSECOND
    return at.to_bytes(8) + parked.event.event_id.bytes + parked.source.encode()


def _read_place(given: bytes) -> Place:
    """Read a place; whoever makes a token by hand may have put anything into it."""
    try:
        at = _EPOCH + int.from_bytes(given[:8]) * _MICROSECOND
        source = given[_PLACE_BYTES:].decode()
        if "\0" not in source:
            return Place(at, source, UUID(bytes=given[8:_PLACE_BYTES]))
    except (OverflowError, ValueError):
        pass
    raise PageTokenMalformed("the page token names no place")
