"""What becomes due because time passes, and the doing of it: side by side, none blocking another."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, Protocol
from uuid import UUID

import asyncpg
import structlog

from bus.commands.handling import CommandCall
from bus.tasks import told
from bus.timekeeping.duty_statistics import DutyStatistics
from bus.timekeeping.pauses import Pauses
from chassis.call import continue_trace
from chassis.postgres import UNAVAILABLE, Connection, Connections
from chassis.principal import TIMEKEEPER
from chassis.refusal import Refusal

POLL_SECONDS: Final = 0.5
_APART_SECONDS: Final = 0.02
_MOST: Final = 500

_EXPECTED: Final = (Refusal, *UNAVAILABLE, asyncpg.PostgresError)
"""What is told without its place: a rule's word, or the database's, which may repeat people's data."""

log: Final = structlog.get_logger(__name__)


class Duty(Protocol):
    """One kind of thing that becomes due; its `name` is unique in its service.

    `at_once` bounds how many aggregates are performed side by side, the longest due first. However many of one duty
    wait, another duty does not.
    """

    @property
    def name(self) -> str:
        """The name in logs and in the calls that it makes."""
        ...

    @property
    def at_once(self) -> int:
        """The number of aggregates that are performed side by side."""
        ...

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return aggregates with something due by the database's clock, each once, the longest due first."""
        ...

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Carry out what is due of an aggregate; tell whether that changed anything."""
        ...


class Doing:
    """Does one duty, again and again, while `run` runs.

    An aggregate that fails, or stays due although there was nothing to do, pauses for ever longer times. As many more
    are asked for meanwhile, so that what pauses hides nothing else.
    """

    def __init__(self, duty: Duty, connections: Connections, statistics: DutyStatistics) -> None:
        self._duty = duty
        self._statistics = statistics
        self._connections = connections
        self._places = asyncio.Semaphore(duty.at_once)
        self._log = log.bind(duty=duty.name)
        self._wake = asyncio.Event()
        self._pauses = Pauses[UUID]()
        self._questions = Pauses[str]()
        self._trouble = ""
        self._running: dict[UUID, asyncio.Task[None]] = {}

    def wake(self) -> None:
        """Look now, not only at the next poll."""
        self._wake.set()

    async def run(self) -> None:
        """Look for what is due and do it; look again when there is room for more, when woken, else after a while."""
        try:
            while True:
                self._wake.clear()
                await self._begin()
                await self._woken()
                await asyncio.sleep(_APART_SECONDS)
        finally:
            await self._stop()

    async def _begin(self) -> None:
        """Begin everything that is due."""
        busy = set(self._running)
        if len(busy) >= _MOST or (due := await self._due(_MOST + len(busy) + len(self._pauses))) is None:
            return
        self._pauses.keep({*due, *busy})
        for aggregate_id in due:
            if aggregate_id not in busy and not self._pauses.holds(aggregate_id):
                self._running[aggregate_id] = asyncio.create_task(self._perform(aggregate_id))

    async def _due(self, most: int) -> Sequence[UUID] | None:
        """Ask what is due; None while the question itself fails and pauses."""
        if self._questions.holds(self._duty.name):
            return None
        try:
            async with self._connections.lent() as connection:
                due = await self._duty.due(connection, most)
        except Exception as error:  # noqa: BLE001 - it is asked again, and the other duties go on
            if self._questions.prolong(self._duty.name, told(error)):
                self._tell("duty_not_known", error)
            return None
        self._questions.keep(())
        return due

    async def _perform(self, aggregate_id: UUID) -> None:
        try:
            async with self._places:
                call = CommandCall(TIMEKEEPER, f"{TIMEKEEPER}/{self._duty.name}", continue_trace(None))
                changed = await self._duty.perform(aggregate_id, call)
        except Exception as error:  # noqa: BLE001 - it is tried again, and the others go on
            self._statistics.ended(self._duty.name, "failed")
            if self._pauses.prolong(aggregate_id, told(error)):
                self._tell("duty_failed", error, aggregate_id=str(aggregate_id))
        else:
            self._statistics.ended(self._duty.name, "changed" if changed else "unchanged")
            if changed:
                self._pauses.changed(aggregate_id)
            else:
                self._pauses.prolong(aggregate_id, "there was nothing to do")
        finally:
            del self._running[aggregate_id]
            if len(self._running) < self._duty.at_once:
                self.wake()

    def _tell(self, event: str, error: Exception, **about: str) -> None:
        """Log what failed; where it failed, if that is not what was told last: it may be the same for very many."""
        reason = told(error)
        fault = error if reason != self._trouble and not isinstance(error, _EXPECTED) else None
        self._log.warning(event, reason=reason, exc_info=fault, **about)
        self._trouble = reason

    async def _woken(self) -> None:
        """Wait until there may be something to begin."""
        with suppress(TimeoutError):
            async with asyncio.timeout(min(POLL_SECONDS, self._pauses.seconds_left())):
                await self._wake.wait()

    async def _stop(self) -> None:
        """End what is being done; a commit under way goes on by itself."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        self._running.clear()  # a task that is cancelled before it begins can't take itself off
