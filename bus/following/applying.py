"""Applying events to a read store: what a projection makes of them and the checkpoint, in one transaction.

An event that can't be applied is parked in the same transaction, and everything else is applied: what fails in the
projection's pure mapping, and what the store refuses as data, which is found by halving. As long as nothing is parked
a batch costs nothing more for it.
"""

from collections.abc import Sequence
from typing import Final, Generic, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import structlog

from bus.event import Event
from bus.following import checkpoint as checkpoints
from bus.following import parking
from bus.following.checkpoint import Checkpoint
from bus.following.projection import Projection, Undecodable
from chassis.postgres import Connection, Connections

Row = TypeVar("Row")
_Rows: TypeAlias = Sequence[tuple[Event, Row]]
_Faults: TypeAlias = Sequence[tuple[Event, str]]

_REFUSED_AS_DATA: Final = ("22", "23", "54")

log: Final = structlog.get_logger(__name__)


class NoRoom(Exception):
    """Too many aggregates have open parked events for one more, that of `event`: its lane must stop before it."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"{parking.PARKED_MOST} aggregates have parked events, the most that there may be")
        self.event = event


class Applying(Generic[Row]):
    """Applies one source's events to one read store."""

    def __init__(self, connections: Connections, source: str, projection: Projection[Row]) -> None:
        self._connections = connections
        self._source = source
        self._projection = projection
        self._open: frozenset[UUID] | None = None
        """The aggregates with open parked events, as far as this one knows; None: to be read."""

    async def apply(self, events: Sequence[Event], before: Checkpoint, after: Checkpoint) -> Checkpoint:
        """Apply events in one transaction that moves the checkpoint from `before` to `after`; return it as it stands.

        Entries of a snapshot are events too. Raises NoRoom when one event too many would be parked, CheckpointMoved
        when the checkpoint is not `before` any more; whatever is raised, nothing was written.
        """
        rows, faults = self._mapped(events)
        try:
            try:
                moved = await self._at_once(rows, faults, before, after)
            except asyncpg.PostgresError as error:
                if not refused_as_data(error) or not rows:
                    raise
                moved, faults = await self._by_halves(rows, faults, before, after)
        except BaseException:
            self._open = None
            raise
        for event, fault in faults:
            self._tell(event, fault)
        return moved

    async def _at_once(self, rows: _Rows[Row], faults: _Faults, before: Checkpoint, after: Checkpoint) -> Checkpoint:
        async with self._connections.transaction() as connection:
            if rows:
                await self._projection.write(connection, [row for _, row in rows])
            return await self._finish(connection, rows, faults, before, after)

    async def _by_halves(
        self, rows: _Rows[Row], faults: _Faults, before: Checkpoint, after: Checkpoint
    ) -> tuple[Checkpoint, _Faults]:
        async with self._connections.transaction() as connection:
            refused = await self._write_halving(connection, rows)
            written = [(event, row) for event, row in rows if event.event_id not in refused]
            faults = [*faults, *((event, refused[event.event_id]) for event, _ in rows if event.event_id in refused)]
            return await self._finish(connection, written, faults, before, after), faults

    async def has_room(self) -> bool:
        """Tell whether one more aggregate may have a parked event."""
        return len(await parking.open_of(self._connections, self._source)) < parking.PARKED_MOST

    def _mapped(self, events: Sequence[Event]) -> tuple[_Rows[Row], _Faults]:
        """Return the rows of events, and what is wrong with those that have none because their mapping failed."""
        rows: list[tuple[Event, Row]] = []
        faults: list[tuple[Event, str]] = []
        for event in events:
            try:
                row = self._projection.row(event)
            except Exception as error:  # noqa: BLE001 - whatever a pure mapping raises is the fault of this one event
                faults.append((event, fault_of(error)))
                continue
            if row is not None:
                rows.append((event, row))
        return rows, faults

    async def _finish(
        self, connection: Connection, rows: _Rows[Row], faults: _Faults, before: Checkpoint, after: Checkpoint
    ) -> Checkpoint:
        """Park and close what there is to be, and move the checkpoint."""
        known = self._open
        if known is None:
            known = self._open = frozenset(await parking.open_of(connection, self._source))
        touched = known | {event.aggregate_id for event, _ in faults} if faults else known
        if touched:
            shown = [(event.aggregate_id, event.revision) for event, _ in rows if event.aggregate_id in touched]
            if faults or shown:
                await self._park(connection, faults, shown, known)
                self._open = None  # it is read again, once this is committed or not
        return await checkpoints.move(connection, before, after)

    async def _park(
        self, connection: Connection, faults: _Faults, shown: Sequence[tuple[UUID, int]], known: frozenset[UUID]
    ) -> None:
        for event, error in faults:
            columns = await self._projection.columns(connection, event.aggregate_id)
            superseded = int(columns.get("revision", 0)) >= event.revision
            await parking.park(connection, self._source, event, error, superseded=superseded)
        if shown:
            await parking.supersede(connection, self._source, shown)
        if faults:
            opened = await parking.open_of(connection, self._source)
            more = [event for event, _ in faults if event.aggregate_id in opened - known]
            if more and len(opened) > parking.PARKED_MOST:
                raise NoRoom(more[-1])

    def _tell(self, event: Event, fault: str) -> None:
        log.error(
            "event_parked",
            source=self._source,
            aggregate_id=str(event.aggregate_id),
            event_id=str(event.event_id),
            lane=event.lane,
            seq=event.seq,
            reason=fault,
        )

    async def _write_halving(self, connection: Connection, rows: _Rows[Row]) -> dict[UUID, str]:
        """Write rows behind savepoints; return, by event, those that are refused as data, with the reason."""
        try:
            async with connection.transaction():
                await self._projection.write(connection, [row for _, row in rows])
        except asyncpg.PostgresError as error:
            if not refused_as_data(error):
                raise
            if len(rows) == 1:
                return {rows[0][0].event_id: fault_of(error)}
        else:
            return {}
        middle = len(rows) // 2
        first = await self._write_halving(connection, rows[:middle])
        return first | await self._write_halving(connection, rows[middle:])


def refused_as_data(error: asyncpg.PostgresError) -> bool:
    """Tell whether the store refused what was written, rather than failed."""
    return str(error.sqlstate).startswith(_REFUSED_AS_DATA)


def fault_of(error: Exception) -> str:
    """Return what is told of an event that could not be applied."""
    if isinstance(error, Undecodable):
        return str(error)
    if isinstance(error, asyncpg.PostgresError):
        return f"the read store refused it: SQLSTATE {error.sqlstate} {error}"
    return f"{type(error).__name__}: {error}"
