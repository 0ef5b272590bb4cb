"""Whatever is sent to an RPC, it ends in time and as documented, and nothing is half-written.

`FUZZ_CALLS` and `FUZZ_SEED` change how many calls each RPC gets and which. A failure names the seed of its call.
"""

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack
from random import Random
from typing import Final

import grpc.aio
import pytest

from chassis.stack import Stack
from tests.faults.client import connected
from tests.faults.faultless import faultless
from tests.faults.history import History
from tests.faults.rest import judged
from tests.fuzz.calling import Tally, fuzz
from tests.fuzz.corpus import Corpus, build
from tests.fuzz.methods import Method, declared, served

CALLS: Final = int(os.environ.get("FUZZ_CALLS", "300"))
SEED: Final = os.environ.get("FUZZ_SEED", "2027")
AT_ONCE: Final = 12

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180 + 2 * CALLS)]


async def fuzz_method(method: Method, channel: grpc.aio.Channel, corpus: Corpus) -> Tally:
    """Make all calls of one RPC, some at a time."""
    tally, call, places = Tally(), method.on(channel), asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with places:
            await fuzz(method, call, corpus, f"{SEED}/{method.path}/{number}", tally)

    await asyncio.gather(*(one(number) for number in range(CALLS)))
    return tally


async def test_every_rpc_ends_in_time_and_as_documented_whatever_it_is_sent(capsys: pytest.CaptureFixture[str]) -> None:
    begun, tallies = time.monotonic(), dict[str, Tally]()
    async with Stack.temporary(durable=False) as stack, connected(stack) as platform, faultless(stack):
        corpus = await build(platform, Random(SEED))  # noqa: S311 - to be made again
        found = set[str]()
        async with AsyncExitStack() as exits:
            methods: list[tuple[Method, grpc.aio.Channel]] = []
            for process in ("program", "offer", "catalogue"):
                channel = await exits.enter_async_context(grpc.aio.insecure_channel(stack.address(process)))
                methods += [(method, channel) for method in await served(process, channel)]
            for method, channel in sorted(methods, key=lambda each: each[0].upheaval):
                found.add(method.descriptor.full_name)
                tallies[method.name] = await fuzz_method(method, channel, corpus)
        wrong = [each for tally in tallies.values() for each in tally.wrong]
        with capsys.disabled():
            sys.stdout.write(f"\nseed {SEED}, {CALLS} calls each, {time.monotonic() - begun:.0f} s\n")
            for name, tally in tallies.items():
                codes = ", ".join(f"{code} {count}" for code, count in tally.codes.most_common())
                sys.stdout.write(f"  {name}: {codes}\n")
        assert not wrong, f"{len(wrong)} calls, such as\n" + "\n".join(wrong[:10])
        assert found == {each.full_name for each in declared()}
        await stack.wait_ready(within=5)
        await judged(stack, platform, History(), all_known=False)
