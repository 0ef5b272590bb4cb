"""The command line on a terminal, as a person sees it."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager


class Terminal:
    """A pseudo-terminal and the process that runs on it."""

    def __init__(self, process: asyncio.subprocess.Process, master: int) -> None:
        self.process = process
        self._master = master
        self._shown = ""

    async def until(self, words: str) -> None:
        """Wait until the words have been on the screen."""
        async with asyncio.timeout(30):
            while words not in self._shown:
                self._shown += (await asyncio.to_thread(os.read, self._master, 4096)).decode(errors="replace")

    async def ended(self) -> int:
        """Wait for the end of the process; return its exit code."""
        async with asyncio.timeout(30):
            return await self.process.wait()


@asynccontextmanager
async def on_a_terminal(variables: Mapping[str, str], *arguments: str) -> AsyncIterator[Terminal]:
    """Run the command line on a terminal while the context lasts."""
    master, slave = pty.openpty()
    environment = {
        **os.environ, **variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "TERM": "xterm", "COLUMNS": "200", "LINES": "50",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "trainingctl", *arguments, env=environment, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(master)
