import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chassis.process import _SIGNALS

ROOT = Path(__file__).parents[2]
PROGRAM = """
import asyncio, sys
from chassis.process import run
from chassis.startup import StartFailure

async def main(stop):
    if "fail" in sys.argv:
        raise StartFailure("the port is in use")
    print("up", type(asyncio.get_running_loop()).__module__, flush=True)
    await stop.wait()
    print("stopping", flush=True)
    if "hang" in sys.argv:
        await asyncio.Event().wait()
    print("down", flush=True)

sys.exit(run(main))
"""


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("number", _SIGNALS)
def test_a_signal_ends_a_process_in_good_order(number: signal.Signals) -> None:
    with started() as process:
        assert line(process).startswith("up")
        process.send_signal(number)
        assert (line(process), line(process), process.wait(10)) == ("stopping", "down", 0)


def test_a_second_signal_ends_a_process_that_hangs() -> None:
    with started("hang") as process:
        assert line(process).startswith("up")
        process.send_signal(signal.SIGTERM)
        assert line(process) == "stopping"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 130


def test_a_failed_start_is_one_line() -> None:
    with started("fail") as process:
        out, err = process.communicate(timeout=10)
        assert (out, err, process.returncode) == ("", "can't start: the port is in use\n", 69)
