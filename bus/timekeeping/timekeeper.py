"""The timekeeper: carries out what is due because time passes, as ordinary commands, in one process at a time.

What is due is asked of the database, by its clock; nothing is remembered but what to leave alone for a while. So it
may come late, twice, or again after a crash: a command that finds nothing to do makes no revision.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import asyncpg
import structlog

from bus.lease import Lease, LeaseLost
from bus.tasks import together, told
from bus.timekeeping.duties import Doing, Duty
from bus.timekeeping.duty_statistics import DutyStatistics
from chassis.postgres import UNAVAILABLE, Connections

LEASE_NAME: Final = "timekeeper"
_RETRY_SECONDS: Final = 0.2
_EXPECTED: Final = (*UNAVAILABLE, asyncpg.PostgresError, LeaseLost)

log: Final = structlog.get_logger(__name__)


class Timekeeper:
    """Does its duties while `run` runs and it is this process's turn, by a lease in the database.

    `connections` are its own: one for the lease, the others for the questions of what is due.
    """

    def __init__(self, connections: Connections, holder: str) -> None:
        self._connections = connections
        self._holder = holder
        self.statistics: Final = DutyStatistics()
        self._doings: Sequence[Doing] = ()
        self._trouble = ""

    def take_on(self, duties: Sequence[Duty]) -> None:
        """Do these duties; to be called before `run`."""
        self._doings = [Doing(duty, self._connections, self.statistics) for duty in duties]

    def wake(self) -> None:
        """Look now for what is due, not only at the next poll; a timekeeper in another process is not told."""
        for doing in self._doings:
            doing.wake()

    async def run(self) -> None:
        """Be active whenever it is this timekeeper's turn, until cancelled."""
        try:
            while True:
                try:
                    await self._turn()
                except Exception as error:  # noqa: BLE001 - whatever fails here, the process goes on taking commands
                    self._tell(error)
                await asyncio.sleep(_RETRY_SECONDS)
        finally:
            await asyncio.shield(self._connections.close())

    async def _turn(self) -> None:
        """Wait for the lease, then do the duties until it is lost or something fails."""
        async with self._connections.lent() as connection:
            lease = await Lease.await_turn(connection, LEASE_NAME, self._holder)
            log.info("timekeeper_active", holder=self._holder, term=lease.term)
            self._trouble = ""
            try:
                await together(lease.keep(connection), *(doing.run() for doing in self._doings))
            finally:
                connection.terminate()  # frees the lease; the next term begins on a connection of its own

    def _tell(self, error: Exception) -> None:
        """Log what is wrong once, not at every retry."""
        trouble = told(error)
        if trouble != self._trouble:
            unexpected = error if not isinstance(error, _EXPECTED) else None
            log.warning("timekeeper_interrupted", holder=self._holder, reason=trouble, exc_info=unexpected)
        self._trouble = trouble
