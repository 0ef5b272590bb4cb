"""Hot commands beside ordinary ones, in several processes, through anything that happens to callers and connections."""

import asyncio
from contextlib import suppress
from random import Random
from uuid import UUID, uuid4

import asyncpg
import pytest

from bus.commands.path import CommandCall, CommandPath, Outcome
from chassis.postgres import UNAVAILABLE
from chassis.refusal import Refusal
from tests.contract.counter import Command, Counter, Raise
from tests.contract.line import Line, some_ids, until
from tests.contract.standing import call, check_journal, check_told


async def test_ordinary_commands_get_their_turn_among_hot_ones(line: Line) -> None:
    counter, paths = uuid4(), [line.path, line.another_path()]
    await line.raise_to(counter)
    done, flowing = asyncio.Event(), asyncio.Semaphore(0)

    async def flood(path: CommandPath[Counter, Command]) -> int:
        """Write until it is enough; return how often."""
        written = 0
        while not done.is_set():
            await path.execute(call(), counter, Raise(), hot=True)
            written += 1
            flowing.release()
        return written

    async def ordinary() -> None:
        """Write now and then, while the others go on."""
        for _ in range(20):
            for _ in range(10):
                await flowing.acquire()
            await line.path.execute(call(uuid4()), counter, Raise())
        done.set()

    async with asyncio.timeout(120), asyncio.TaskGroup() as group:
        group.create_task(ordinary())
        floods = [group.create_task(flood(paths[place % 2])) for place in range(40)]
    assert await line.values() == {counter: 21 + sum(flooding.result() for flooding in floods)}
    await check_journal(line)


@pytest.mark.parametrize("seed", range(3))
async def test_hot_and_ordinary_writers_of_two_processes_lose_and_repeat_nothing(line: Line, seed: int) -> None:
    """Writers repeat requests, go away, send poison and etags; in the end every told outcome stands once."""
    random = Random(seed)  # noqa: S311 - no secret, and the same every time
    counters, paths = some_ids(2), [line.path, line.another_path()]
    for counter in counters:
        await line.raise_to(counter)
    told: dict[UUID, set[Outcome]] = {}
    refused = 0

    async def write(request: UUID) -> None:
        nonlocal refused
        counter, hot, kind = random.choice(counters), random.random() < 0.85, random.random()
        command = Raise(note="poison" if kind < 0.02 else "n") if kind < 0.9 else Raise(0)
        etag = "" if hot else f"v{(await line.values())[counter]}"
        made = CommandCall("alice", "/test/Raise", "00-t", request, b"f", etag)
        for _ in range(random.choice([1, 1, 1, 2, 3])):
            task = asyncio.create_task(random.choice(paths).execute(made, counter, command, hot=hot))
            if random.random() < 0.05:
                await asyncio.sleep(random.random() / 50)
                task.cancel()
            try:
                told.setdefault(request, set()).add(await task)
            except (Refusal, asyncpg.CheckViolationError):
                refused += 1
            except asyncio.CancelledError:
                pass

    requests = some_ids(400)
    for start in range(0, len(requests), 100):
        await asyncio.gather(*map(write, requests[start : start + 100]))
    for path in paths:
        await path.drain()
    assert refused
    await check_journal(line)
    await check_told(line, told)


async def test_requests_repeated_through_lost_connections_are_carried_out_once(line: Line) -> None:
    counter, requests, outcomes = uuid4(), some_ids(300), dict[UUID, Outcome]()
    await line.raise_to(counter)

    async def write(request: UUID) -> None:
        while request not in outcomes:
            with suppress(*UNAVAILABLE):
                outcomes[request] = await line.path.execute(call(request), counter, Raise(note="n"), hot=True)

    async def interrupt() -> None:
        """End the path's connections whenever a few more requests have come through."""
        reached = 0

        async def advanced() -> bool:
            return len(outcomes) >= min(reached + 5, len(requests))

        while True:
            await until(advanced)
            if (reached := len(outcomes)) == len(requests):
                return
            await line.relaying.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND application_name = 'commands'"
            )

    async def waves() -> None:
        for start in range(0, len(requests), 20):
            await asyncio.gather(*map(write, requests[start : start + 20]))

    async def calm() -> bool:
        with suppress(*UNAVAILABLE):
            return all(await asyncio.gather(*(line.commands.answer() for _ in range(8))))
        return False

    await asyncio.gather(interrupt(), waves())
    await until(calm)
    assert await line.values() == {counter: 301}
    assert len(await line.commands.fetch("SELECT 1 FROM note")) == 300
    await check_journal(line)
    await check_told(line, {request: {outcome} for request, outcome in outcomes.items()})
