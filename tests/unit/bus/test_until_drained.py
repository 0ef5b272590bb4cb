"""Work for a stream ends with the process, and is otherwise left alone."""

import asyncio

import pytest

from bus.operations.until_drained import until_drained
from chassis.drain import Drain
from chassis.errors import Draining


async def test_work_under_way_ends_when_the_process_drains() -> None:
    drain = Drain()

    async def work() -> None:
        async with until_drained(drain):
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    drain.begin()
    with pytest.raises(Draining):
        await asyncio.wait_for(working, 5)


async def test_work_that_ends_by_itself_or_fails_is_left_alone() -> None:
    drain = Drain()
    async with until_drained(drain):
        pass
    with pytest.raises(TimeoutError, match="its own"):
        async with until_drained(drain):
            raise TimeoutError("its own")


async def test_a_client_that_goes_is_no_drain() -> None:
    async def work() -> None:
        async with until_drained(Drain()):
            await asyncio.Event().wait()

    working = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    working.cancel()
    await asyncio.wait([working])
    assert working.cancelled()
