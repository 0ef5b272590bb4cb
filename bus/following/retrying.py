"""Applying a parked event again, for an operator who has put right what it failed with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import asyncpg

from bus.following import checkpoint as checkpoints
from bus.following import parking
from bus.following.applying import fault_of, refused_as_data
from bus.following.parking import ParkedEvent
from bus.following.projection import Projection
from chassis.postgres import Connection, Connections

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Difference:
    """A column of a copy, as text, before and after; None where there was, or is, nothing."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Retried:
    """How a retry ended: whether the event could be applied, else the `error`; and what differs in the copy then."""

    parked: ParkedEvent
    applied: bool
    error: str
    differences: Sequence[Difference]


class _TriedOnly(Exception):
    """Ends the transaction of a dry run."""


async def retry(
    connections: Connections,
    source: str,
    projection: Projection[Row],
    aggregate_id: UUID,
    *,
    who: str,
    dry_run: bool = False,
) -> Retried:
    """Apply the open parked event of an aggregate's highest revision; a dry run only tells what that would change.

    `connections` write to the generation that answers. Raises ResourceNotFound when none is open.
    """
    ended: Retried | None = None
    try:
        async with connections.transaction() as connection:
            ended = await _retry(connection, source, projection, aggregate_id, who)
            if dry_run:
                raise _TriedOnly
            await checkpoints.touch(connection, source)
    except _TriedOnly:
        pass
    if ended is None:
        raise RuntimeError("a retry ended without an outcome")
    return ended


async def _retry(
    connection: Connection, source: str, projection: Projection[Row], aggregate_id: UUID, who: str
) -> Retried:
    parked = await parking.latest_open(connection, source, aggregate_id)
    before = await projection.columns(connection, aggregate_id)
    error = await _error(connection, projection, parked)
    if error:
        return Retried(await parking.failed(connection, parked, error), applied=False, error=error, differences=())
    after = await projection.columns(connection, aggregate_id)
    closed = await parking.applied(connection, parked, who)
    return Retried(closed, applied=True, error="", differences=_differences(before, after))


async def _error(connection: Connection, projection: Projection[Row], parked: ParkedEvent) -> str:
    """Apply the event; return what it failed with, empty when it is applied."""
    try:
        row = projection.row(parked.event)
    except Exception as error:  # noqa: BLE001 - whatever a pure mapping raises is the fault of this one event
        return fault_of(error)
    try:
        async with connection.transaction():
            if row is not None:
                await projection.write(connection, [row])
    except asyncpg.PostgresError as error:
        if not refused_as_data(error):
            raise
        return fault_of(error)
    return ""


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    columns = [*before, *(column for column in after if column not in before)]
    return [
        Difference(column, before.get(column), after.get(column))
        for column in columns
        if before.get(column) != after.get(column)
    ]
