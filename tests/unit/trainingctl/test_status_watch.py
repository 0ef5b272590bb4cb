import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from training.ops.v1.operations_service_pb2 import WatchStatusResponse

from tests.unit.trainingctl import status_samples
from tests.unit.trainingctl.prepared import Platform, platform
from trainingctl.calling import Service
from trainingctl.status_table import Answer
from trainingctl.status_watch import Watch


def prepare(whole: Platform) -> None:
    """Let every service send its status once, and end the stream."""
    whole.program.answers["WatchStatus"] = [WatchStatusResponse(status=status_samples.program())]
    whole.offer.answers["WatchStatus"] = [WatchStatusResponse(status=status_samples.offer())]
    whole.catalogue.answers["WatchStatus"] = [WatchStatusResponse(status=status_samples.catalogue())]


@asynccontextmanager
async def watching(whole: Platform, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "trainingctl", "status", "--watch", "--interval", "0.1", *arguments,
        env={**os.environ, **whole.variables, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_ctrl_c_ends_a_watch_without_a_word_of_trouble() -> None:
    async with platform() as whole:
        prepare(whole)
        async with watching(whole) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            async with asyncio.timeout(30):
                while "everything is fresh" not in (await process.stdout.readline()).decode():
                    pass
                process.send_signal(signal.SIGINT)
                assert await process.stderr.read() == b""
                assert await process.wait() == 0


async def test_json_is_a_line_for_every_status_also_after_a_stream_was_opened_again() -> None:
    async with platform("offer") as whole:
        prepare(whole)
        async with watching(whole, "--json") as process:
            assert process.stdout is not None
            heard: list[tuple[str, bool]] = []
            async with asyncio.timeout(30):
                while heard.count(("program", True)) < 2 or ("offer", False) not in heard:
                    told = json.loads(await process.stdout.readline())
                    heard.append((told["service"], told["fresh"]))
    assert ("catalogue", True) in heard
    assert whole.program.asked("WatchStatus")[0].interval.ToMilliseconds() == 100  # type: ignore[attr-defined]


async def test_a_service_that_falls_silent_is_not_taken_for_one_that_is_well() -> None:
    async with platform("offer", "program") as whole:
        silent = asyncio.Event()

        async def forever() -> None:
            await silent.wait()

        whole.catalogue.answers["WatchStatus"] = [WatchStatusResponse(status=status_samples.catalogue()), forever]
        watch = Watch([Service("catalogue", whole.catalogue.address, "ops;roles=operator")], 0.05, 0.05)
        heard: asyncio.Queue[Answer] = asyncio.Queue()
        running = asyncio.create_task(watch.run(heard.put_nowait))
        async with asyncio.timeout(20):
            assert (await heard.get()).fresh
            while not (answer := watch.answers()[0]).silence:  # noqa: ASYNC110 - time has to pass
                await asyncio.sleep(0.01)
        assert answer.status is not None
        assert not answer.fresh
        assert "catalogue at " in answer.complaint
        assert "has said nothing for 0." in answer.complaint
        silent.set()
        running.cancel()
        await asyncio.wait({running})
