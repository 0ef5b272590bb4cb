"""P14: `make run` to ready: warm, and for the first time with an empty environment."""

import asyncio
import os
import shutil
import signal
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from bench.children import ChildFailed
from bench.figures import Bound, Plan, Reach, Result
from bench.ground import Ground
from chassis.embedded import temporary_data_folder
from chassis.embedded.ports import LOOPBACK, free_port

_PROJECT: Final = Path(__file__).parent.parent
_SERVICES: Final = ("PROGRAM", "OFFER", "CATALOGUE")
_READY: Final = b"Ready in"
_LIMIT_SECONDS: Final = 300.0
_STOP_SECONDS: Final = 60.0
_LEFT_OUT: Final = (".venv", ".data", ".git", ".tools", ".build", "results", "__pycache__", ".*_cache", ".hypothesis")


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Start the project as its users do, in a data folder of its own; nothing else runs meanwhile."""
    await ground.only()
    with temporary_data_folder("training-start-") as folder:
        first = await _start(_PROJECT, folder)  # makes the databases
        warm = [await _start(_PROJECT, folder) for _ in range(plan.rounds)]
    results = [
        Result(
            key="P14 warm",
            title="make run to ready, with its data",
            unit="s",
            figures=warm,
            floors=(),
            reaches=[Reach(Bound.AT_MOST, 5.0)],
            details={"with_new_databases_s": first},
        )
    ]
    return [*results, await _cold()] if plan.cold else results


async def _cold() -> Result:
    """Measure once in a copy of the project without an environment; it is downloaded."""
    with tempfile.TemporaryDirectory(prefix="training-cold-") as copy, temporary_data_folder("training-start-") as data:
        project = Path(copy) / "project"
        await asyncio.to_thread(shutil.copytree, _PROJECT, project, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        seconds = await _start(project, data)
    return Result(
        key="P14 cold",
        title="make run to ready, first time, empty environment",
        unit="s",
        figures=[seconds],
        floors=(),
        reaches=[Reach(Bound.AT_MOST, 60.0)],
    )


async def _start(project: Path, folder: Path) -> float:
    """Run `make run` until it says that it is ready, and stop it; return the seconds."""
    begun = perf_counter()
    process = await asyncio.create_subprocess_exec(
        *("make", "run"), cwd=project, env=_environment(folder), stdin=DEVNULL, stdout=PIPE, start_new_session=True
    )
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            seconds = await _ready(process, begun)
    finally:
        await _stop(process)
    return seconds


async def _ready(process: Process, begun: float) -> float:
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    async for line in process.stdout:
        if line.startswith(_READY):
            return perf_counter() - begun
    raise ChildFailed("make run ended before it was ready")


async def _stop(process: Process) -> None:
    """Stop it as Ctrl-C does, all of its group."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.communicate()
        except TimeoutError:
            continue
        return


def _environment(folder: Path) -> Mapping[str, str]:
    """Return an environment with data and ports of its own."""
    ports = {
        f"{name}_{kind}_ADDRESS": f"{LOOPBACK}:{free_port()}" for name in _SERVICES for kind in ("GRPC", "METRICS")
    }
    return {**os.environ, **ports, "TRAINING_DATA_DIR": str(folder)}
