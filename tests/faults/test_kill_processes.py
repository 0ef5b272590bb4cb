"""Killing each process at many moments under load, and starting it again, loses and doubles nothing."""

import asyncio
import sys
import time
from collections import Counter

import pytest

from chassis.stack import Stack
from tests.faults import schedule
from tests.faults.client import connected
from tests.faults.faultless import faultless
from tests.faults.history import History, Outcome
from tests.faults.rest import judged
from tests.faults.schedule import Kill, Round
from tests.faults.traffic import Traffic

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(300 + 2 * schedule.seconds())]


async def hurt(stack: Stack, kill: Kill, startable: asyncio.Event | None = None) -> None:
    """Kill one process at its moment and start it again; a service not before its database is back."""
    await asyncio.sleep(kill.after)  # the moment is the fault: nothing is waited for
    if kill.halted:
        stack.suspend(kill.name)
        await asyncio.sleep(kill.halted)
    await stack.kill(kill.name)
    await asyncio.sleep(kill.pause)
    if startable is not None:
        await startable.wait()
    await stack.start(kill.name)


async def run(stack: Stack, traffic: Traffic, chosen: Round) -> None:
    """Hurt every process of a round once, under load, each at its own moment."""
    traffic.resume()
    startable = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        services = [group.create_task(hurt(stack, kill, startable)) for kill in chosen.services]
        await asyncio.gather(*(hurt(stack, kill) for kill in chosen.servers))
        startable.set()
        await asyncio.gather(*services)
    await stack.wait_ready()
    await traffic.pause()


async def test_killing_each_process_at_many_moments_under_load_loses_and_doubles_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    begun, history, kills = time.monotonic(), History(), Counter[str]()
    async with (
        Stack.temporary(durable=True) as stack,
        connected(stack) as platform,
        faultless(stack),
        Traffic(platform, history, schedule.seed()) as traffic,
    ):
        for each in schedule.rounds(schedule.seed()):
            if each.number >= schedule.MOMENTS and time.monotonic() - begun >= schedule.seconds():
                break
            await run(stack, traffic, each)
            await judged(stack, platform, history)
            kills.update(kill.name for kill in (*each.servers, *each.services))
    assert all(kills[name] >= schedule.MOMENTS for name in (*schedule.SERVERS, *schedule.SERVICES))
    assert history.count(Outcome.ACCEPTED) > 10 * schedule.MOMENTS
    assert history.repeats
    with capsys.disabled():
        outcomes = ", ".join(f"{history.count(each)} {each.name.lower()}" for each in Outcome)
        sys.stdout.write(
            f"\nseed {schedule.seed()}, {time.monotonic() - begun:.0f} s: {dict(kills)}; commands: {outcomes}; "
            f"{history.repeats} repeated by eight; {history.reads} reads with a token\n"
        )
