"""Starting again what ended by itself, later and later, until that makes no sense any more."""

import asyncio
from collections.abc import Callable
from typing import Final

from chassis.embedded import EmbeddedError, StartFailed
from chassis.embedded.errors import log_tail
from chassis.stack.stack import Stack

Say = Callable[[str, str], None]
"""Tells the reader something about a process: its name, and what."""

_DELAYS: Final = (0.2, 1.0, 2.0, 4.0, 8.0)
_WATCH_SECONDS: Final = 3600.0


class Supervisor:
    """Keeps the processes of a started stack running.

    A process that lived for `settled` seconds is restarted as if it had never failed; one that keeps failing sooner is
    given up after as many attempts as there are delays, and StartFailed is raised with the end of its log.
    """

    def __init__(self, stack: Stack, say: Say, *, delays: tuple[float, ...] = _DELAYS, settled: float = 60.0) -> None:
        self._stack = stack
        self._say = say
        self._delays = delays
        self._settled = settled

    async def run(self) -> None:
        """Watch over all of them until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for name in self._stack.names:
                    group.create_task(self._keep(name))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _keep(self, name: str) -> None:
        clock = asyncio.get_running_loop().time
        failures = 0
        while True:
            since = clock()
            while not await self._stack.ended(name, _WATCH_SECONDS):
                pass
            if clock() - since > self._settled:
                failures = 0
            failures = await self._revive(name, failures)

    async def _revive(self, name: str, failures: int) -> int:
        """Start it until it answers; return how often in a row it has failed."""
        reason = f"ended {self._how(name)}"
        while failures < len(self._delays):
            delay = self._delays[failures]
            failures += 1
            self._say(name, f"{reason}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            try:
                await self._stack.start(name)
            except EmbeddedError as error:
                reason = str(error).partition("\n")[0].removeprefix(f"{name} ")
            else:
                self._say(name, "is back")
                return failures
        log = self._stack.log(name)
        raise StartFailed(f"{name} has failed {failures} times in a row: {reason}", log, log_tail(log))

    def _how(self, name: str) -> str:
        status = self._stack.exit_status(name)
        return "by itself" if status is None else f"with status {status}" if status >= 0 else f"by signal {-status}"
