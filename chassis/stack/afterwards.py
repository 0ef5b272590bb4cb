"""A command that is run once the stack is ready, in the reader's terminal, and dies with the stack."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from chassis.embedded import leash
from chassis.startup import StartFailure

_PATIENCE_SECONDS: Final = 5.0


def found(command: Sequence[str]) -> list[str]:
    """Return the command with the whole path of its program. Raises StartFailure."""
    program = shutil.which(command[0])
    if program is None:
        raise StartFailure(f"there is no program {command[0]} to run afterwards")
    return [str(Path(program).absolute()), *command[1:]]


async def run(command: Sequence[str], variables: Mapping[str, str]) -> int:
    """Run the command with these variables beside our own and return its exit status; cancelling ends it."""
    process = await asyncio.create_subprocess_exec(*_leashed(command), env={**os.environ, **variables})
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), _PATIENCE_SECONDS)
            except TimeoutError:
                process.kill()
                await process.wait()


def _leashed(command: Sequence[str]) -> Sequence[str]:
    if sys.platform != "linux":
        return command
    tie = [str(os.getpid()), str(int(signal.SIGKILL)), "-", "-", "-"]
    return [sys.executable, "-I", "-S", "-E", str(leash.__file__), *tie, *command]
