"""Repeating one request from eight callers across a kill gives all of them the one outcome."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from uuid import UUID

import pytest
from training.program.v1 import program_service_pb2 as programs

from chassis.stack import Stack
from tests.faults import contents, schedule
from tests.faults.client import AUTHOR, Platform, settled
from tests.faults.faultless import faultless
from tests.faults.history import History, Outcome, Told
from tests.faults.rest import judged

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

CALLERS = 8
MOMENTS = 4


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """Run a stack whose commits are on disk: one of the processes killed is the database."""
    async with Stack.temporary(durable=True) as running, faultless(running):
        yield running


async def created(platform: Platform, request: programs.CreateProgramRequest) -> programs.CreateProgramResponse:
    answer: programs.CreateProgramResponse = await settled(
        lambda t: platform.program.CreateProgram(request, timeout=t, metadata=AUTHOR)
    )
    return answer


@pytest.mark.parametrize("name", ["program", "postgres"])
async def test_eight_concurrent_repeats_across_a_kill_get_one_outcome(
    stack: Stack, platform: Platform, name: str
) -> None:
    chance, history = Random(f"{schedule.seed()}/{name}"), History()  # noqa: S311 - seeded
    for _ in range(MOMENTS):
        request = programs.CreateProgramRequest(
            program_id=str(contents.new_id(chance)),
            content=contents.content(chance),
            request_id=str(contents.new_id(chance)),
        )
        repeats = [asyncio.create_task(created(platform, request)) for _ in range(CALLERS)]
        await asyncio.sleep(chance.uniform(0.0, 0.03))  # the moment is the fault: nothing is waited for
        await stack.kill(name)
        await stack.start(name)
        answers = await asyncio.gather(*repeats)
        assert all(answer == answers[0] for answer in answers)
        known = ("program", "CreateProgram", UUID(request.program_id), UUID(request.request_id), Outcome.ACCEPTED)
        history.add(Told(*known, 1, answers[0].consistency_token))
    await judged(stack, platform, history)
