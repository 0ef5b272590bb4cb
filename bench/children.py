"""Processes of the bench itself: generators that run to their end, and servers that stand as floors."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import psutil

_LIMIT_SECONDS: Final = 120.0
_END_SECONDS: Final = 5.0


class ChildFailed(Exception):
    """A process of the bench ended before its work was done."""


async def run_module(module: str, given: str) -> str:
    """Run `python -m module` with this input and return its output. Raises ChildFailed."""
    process = await _start(module)
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            output, _ = await process.communicate(given.encode())
    finally:
        await _end(process)
    if process.returncode != 0:
        raise ChildFailed(f"{module} ended with {process.returncode}")
    return output.decode()


@dataclass(frozen=True, slots=True)
class Standing:
    """A server that stands as a floor."""

    address: str
    pid: int


@asynccontextmanager
async def standing(module: str, given: Mapping[str, object]) -> AsyncGenerator[Standing]:
    """Run a server: it reads one line of JSON, writes its port as a line, and ends when its input does."""
    process = await _start(module)
    assert process.stdin is not None  # noqa: S101 - a pipe was asked for
    assert process.stdout is not None  # noqa: S101 - as above
    try:
        process.stdin.write(json.dumps(given).encode() + b"\n")
        async with asyncio.timeout(_LIMIT_SECONDS):
            line = await process.stdout.readline()
        if not line:
            raise ChildFailed(f"{module} did not start")
        yield Standing(f"127.0.0.1:{int(line)}", process.pid)
        process.stdin.close()
        async with asyncio.timeout(_END_SECONDS):
            await process.wait()
    finally:
        await _end(process)


async def _start(module: str) -> Process:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, filter(None, sys.path)))}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module), stdin=PIPE, stdout=PIPE, env=environment
    )


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()


class CpuMeter:
    """The CPU seconds that a process has used since the meter was made."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._begun = self._used()

    def _used(self) -> float:
        times = self._process.cpu_times()
        return float(times.user + times.system)

    def seconds(self) -> float:
        """Return them."""
        return self._used() - self._begun
