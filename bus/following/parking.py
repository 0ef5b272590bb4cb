"""Events that could not be applied, kept beside the copy until they are closed, while their lanes go on.

An event is parked in the transaction that moves the checkpoint past it. It is closed by the aggregate's next event that
can be applied (events carry the whole state), by a retry, or by an operator who gives it up. Whatever is parked or
closed moves the checkpoint's version: who follows it reads again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from bus.event import Event
from bus.following import checkpoint as checkpoints
from bus.following import parked_table as table
from bus.following.parked_table import State, parked_table
from bus.operations.errors import not_parked
from chassis.postgres import Connection, Connections
from chassis.refusal import Refusal
from chassis.sql import Executor

__all__ = [
    "PARKED_MOST",
    "OpenAggregate",
    "ParkedEvent",
    "ParkedEventClosed",
    "Place",
    "State",
    "applied",
    "failed",
    "get",
    "latest_open",
    "open_of",
    "open_parked",
    "page",
    "park",
    "parked_in",
    "parked_table",
    "skip",
    "supersede",
]

PARKED_MOST: Final = 100
"""How many aggregates of one source may have open parked events; at the next one a lane stops."""


class ParkedEventClosed(Refusal):
    """The parked event is closed; metadata: `source`, `event_id`, `state`."""

    reason = "PARKED_EVENT_CLOSED"


@dataclass(frozen=True, slots=True)
class ParkedEvent:
    """A parked event and what became of it; the event's `seq` is 0 where a snapshot showed it."""

    source: str
    event: Event
    error: str
    parked_at: datetime
    state: State
    closed_at: datetime | None
    closed_by: str | None
    close_reason: str | None
    retries: int


@dataclass(frozen=True, slots=True)
class OpenAggregate:
    """An aggregate with open parked events: the copy lacks what happened from `seq` on.

    `seq`, `revision` and `event_id` are those of the first such event; seq 0 means that a snapshot showed it.
    """

    source: str
    aggregate_id: UUID
    lane: int
    seq: int
    revision: int
    events: int
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of parked events ended."""

    parked_at: datetime
    source: str
    event_id: UUID


async def open_parked(on: Executor) -> list[OpenAggregate]:
    """Return the aggregates of all sources that have open parked events; few, since their number is bounded."""
    return [OpenAggregate(*row) for row in await table.OPEN.fetch(on)]


async def open_of(on: Executor, source: str) -> set[UUID]:
    """Return the aggregates of one source that have open parked events."""
    return {row["aggregate_id"] for row in await table.OPEN_OF_SOURCE.fetch(on, {"of_source": source})}


async def page(
    on: Executor, *, source: str = "", include_closed: bool = False, most: int = 50, after: Place | None = None
) -> list[ParkedEvent]:
    """Return at most so many parked events, the latest first: of a source (empty: of all), those after a place.

    They come without their bodies, which can be large.
    """
    values = {
        "of_source": source,
        "include_closed": include_closed,
        "most": most,
        "from_start": after is None,
        "after_time": None if after is None else after.parked_at,
        "after_source": None if after is None else after.source,
        "after_id": None if after is None else after.event_id,
    }
    return [parked_in(row) for row in await table.PAGE.fetch(on, values)]


async def get(on: Executor, source: str, event_id: UUID) -> ParkedEvent:
    """Return one. Raises ResourceNotFound."""
    row = await table.GET.fetchrow(on, {"of_source": source, "id": event_id})
    if row is None:
        raise not_parked("event", str(event_id))
    return parked_in(row)


async def latest_open(connection: Connection, source: str, aggregate_id: UUID) -> ParkedEvent:
    """Return the open parked event of an aggregate's highest revision. Raises ResourceNotFound."""
    row = await table.LATEST.fetchrow(connection, {"of_source": source, "of_aggregate": aggregate_id})
    if row is None:
        raise not_parked("aggregate", str(aggregate_id))
    return parked_in(row)


async def skip(connections: Connections, source: str, event_id: UUID, *, reason: str, who: str) -> ParkedEvent:
    """Give an open one up. Raises ResourceNotFound or ParkedEventClosed."""
    async with connections.transaction() as connection:
        found = await get(connection, source, event_id)
        closed = await _close(connection, found, State.SKIPPED, who=who, why=reason)
        if closed is None:
            state = (await get(connection, source, event_id)).state
            detail = {"source": source, "event_id": str(event_id), "state": state.value}
            raise ParkedEventClosed(f"the event is {state.value} already", detail)
        await checkpoints.touch(connection, source)
        return closed


async def park(connection: Connection, source: str, event: Event, error: str, *, superseded: bool = False) -> None:
    """Park an event with what applying it failed with; one that is parked already stays as it is.

    One that is `superseded` already is kept as such. Run in the transaction that moves the checkpoint past the event.
    """
    values = {
        "new_source": source,
        "new_event_id": event.event_id,
        "new_aggregate_id": event.aggregate_id,
        "new_epoch": event.epoch,
        "new_lane": event.lane,
        "new_seq": event.seq,
        "new_previous_event_id": event.previous,
        "new_revision": event.revision,
        "new_type": _storable(event.type),
        "new_time": event.time,
        "new_traceparent": _storable(event.traceparent),
        "new_body": event.body,
        "new_error": _storable(error),
        "new_state": State.SUPERSEDED.value if superseded else State.OPEN.value,
    }
    await table.PARK.execute(connection, values)


async def supersede(connection: Connection, source: str, shown: Sequence[tuple[UUID, int]]) -> None:
    """Close what is open of aggregates up to the revisions that the copy shows now."""
    values = {"of_source": source, "ids": [each for each, _ in shown], "revisions": [revision for _, revision in shown]}
    await table.SUPERSEDE.execute(connection, values)


async def failed(connection: Connection, parked: ParkedEvent, error: str) -> ParkedEvent:
    """Take note of a retry that failed."""
    values = {"of_source": parked.source, "id": parked.event.event_id, "new_error": _storable(error)}
    row = await table.FAILED.fetchrow(connection, values)
    return parked if row is None else parked_in(row)


async def applied(connection: Connection, parked: ParkedEvent, who: str) -> ParkedEvent:
    """Close an event that could be applied when it was tried again, and what is older of its aggregate."""
    closed = await _close(connection, parked, State.APPLIED, who=who, tried=1)
    await supersede(connection, parked.source, [(parked.event.aggregate_id, parked.event.revision)])
    return closed or parked


async def _close(
    connection: Connection, parked: ParkedEvent, state: State, *, who: str, why: str | None = None, tried: int = 0
) -> ParkedEvent | None:
    values = {
        "of_source": parked.source,
        "id": parked.event.event_id,
        "as_state": state.value,
        "who": who,
        "why": why,
        "tried": tried,
    }
    row = await table.CLOSE.fetchrow(connection, values)
    return None if row is None else parked_in(row)


def _storable(text: str) -> str:
    """Return a text as PostgreSQL takes it."""
    return text.replace("\0", "�")


def parked_in(row: asyncpg.Record) -> ParkedEvent:
    """Return the parked event that a row of the table holds."""
    event = Event(
        row["epoch"],
        row["lane"],
        row["seq"],
        row["event_id"],
        row["previous_event_id"],
        row["aggregate_id"],
        row["revision"],
        row["type"],
        row["time"],
        row["traceparent"],
        row["body"],
    )
    return ParkedEvent(
        row["source"],
        event,
        row["error"],
        row["parked_at"],
        State(row["state"]),
        row["closed_at"],
        row["closed_by"],
        row["close_reason"],
        row["retries"],
    )
