"""Retention: how long a command database keeps what it has recorded, and who sees to it.

Three things have bounds of their own. The *journal* is what subscribers are repaired from, and outlives the stream. The
*history* is what is told of an aggregate's revisions; it takes over what leaves the journal. *Stored responses* answer
repeated requests. The aggregates' rows have no bound: they are the snapshot that makes trimming safe.

Stored responses are deleted row by row, since a request must be known by its id alone, whenever it came: a unique index
of a divided table would have the time in it.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import structlog
from sqlalchemy import DateTime, Table, bindparam, delete, select, tuple_

from bus.journal.partitions import cover, database_time, drop_before, net_of, oldest_in_net, width_of
from bus.journal.tables import JOURNAL
from bus.journal.trimming import trim_journal
from bus.lease import Lease
from bus.tasks import told
from bus.topology import StreamLimits
from chassis.postgres import UNAVAILABLE, Connections, Prepare, unprepared
from chassis.sql import Statement

LEASE_NAME: Final = "retention"
STREAM_DAYS: Final = StreamLimits().max_age_seconds / 86_400.0
"""How many days a stream keeps an event; the journal must keep it longer."""

_CONNECTIONS: Final = 2
"""One holds the lease, the other one works."""
_PATIENCE_SECONDS: Final = 300.0
"""How long a statement may take that moves what nobody waits for."""
_TERM_SECONDS: Final = 600.0
"""For so long a process that was stopped in a round keeps the others from theirs; one that is killed does not."""
_ROUND_SECONDS: Final = 3_600.0
_RETRY_SECONDS: Final = 20.0
_AT_ONCE: Final = 1_000
_EXPECTED: Final = (*UNAVAILABLE, asyncpg.PostgresError)

log: Final = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Bounds:
    """For how many days each is kept."""

    journal: int = 35
    history: int = 3_650
    idempotency: int = 7


class Retention:
    """Keeps one command database within its bounds while `run` runs; of several processes one at a time."""

    def __init__(self, dsn: str, bounds: Bounds, holder: str, prepare: Prepare = unprepared) -> None:
        self._dsn = dsn
        self._bounds = bounds
        self._holder = holder
        self._prepare = prepare
        self._trouble = ""

    async def prepare(self, connections: Connections) -> None:
        """Make the journal's partitions for now and ahead, if that can be done at once.

        Without them the DEFAULT one takes what is recorded, and a round makes them: a start need not fail for it.
        """
        try:
            await cover(connections, JOURNAL.journal, width_of(self._bounds.journal))
        except _EXPECTED as error:
            log.warning("partitions_not_made", holder=self._holder, reason=told(error))

    async def run(self) -> None:
        """Do a round at once, and one every hour, until cancelled; one that fails is soon tried again."""
        while True:
            pause = _ROUND_SECONDS
            try:
                await self.round()
                self._trouble = ""
            except Exception as error:  # noqa: BLE001 - whatever fails here, the process goes on taking commands
                self._tell(error)
                pause = _RETRY_SECONDS
            await asyncio.sleep(pause)

    async def round(self) -> bool:
        """Do all there is to do; False when another process is at it.

        Raises asyncpg.PostgresError when a table was in use for too long, and one of `UNAVAILABLE`.
        """
        own = Connections(
            self._dsn,
            size=_CONNECTIONS,
            name=self._holder,
            prepare=self._prepare,
            statement_timeout=_PATIENCE_SECONDS,
        )
        async with own as connections, connections.lent() as connection:
            lease = await Lease.take(connection, LEASE_NAME, self._holder, _TERM_SECONDS)
            if lease is not None:
                try:
                    await self._keep(connections)
                finally:
                    await lease.give_up(connection)
        return lease is not None

    async def _keep(self, connections: Connections) -> None:
        """Make what is missing, then let go of what is too old."""
        now = await database_time(connections)
        bounds = self._bounds
        history_width = width_of(bounds.history)
        horizon, history_horizon = now - timedelta(days=bounds.journal), now - timedelta(days=bounds.history)
        stray = await oldest_in_net(connections, JOURNAL.journal, horizon)
        await cover(connections, JOURNAL.journal, width_of(bounds.journal), since=stray)
        stray = await oldest_in_net(connections, JOURNAL.history, history_horizon)
        await cover(connections, JOURNAL.history, history_width, since=stray, ahead=0)
        await trim_journal(connections, horizon, history_width)
        await drop_before(connections, JOURNAL.history, history_horizon)
        await _delete_before(connections, net_of(JOURNAL.history), history_horizon)
        await _delete_before(connections, JOURNAL.idempotency, now - timedelta(days=bounds.idempotency))

    def _tell(self, error: Exception) -> None:
        """Log what is wrong once, not at every retry."""
        trouble = told(error)
        if trouble != self._trouble:
            unexpected = error if not isinstance(error, _EXPECTED) else None
            log.warning("retention_interrupted", holder=self._holder, reason=trouble, exc_info=unexpected)
        self._trouble = trouble


async def _delete_before(connections: Connections, kept: Table, horizon: datetime) -> None:
    """Delete what was recorded before a time, a little at a time."""
    key = tuple_(*kept.primary_key.columns)
    before = kept.c.recorded_at < bindparam("horizon", type_=DateTime(timezone=True))
    some = select(*kept.primary_key.columns).where(before).order_by(kept.c.recorded_at).limit(_AT_ONCE)
    statement = Statement(delete(kept).where(key.in_(some.with_for_update(skip_locked=True))))
    while await statement.execute(connections, {"horizon": horizon}) == f"DELETE {_AT_ONCE}":
        pass
