"""Work that ends when the process does: what a stream is made of may take long between two messages."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from chassis.drain import Drain
from chassis.errors import Draining


@asynccontextmanager
async def until_drained(drain: Drain) -> AsyncGenerator[None]:
    """Run a block; when the process drains, cancel it and raise Draining."""
    loop, bound = asyncio.get_running_loop(), asyncio.timeout(None)
    try:
        async with bound:

            async def end() -> None:
                await drain.wait()
                bound.reschedule(loop.time())

            ending = loop.create_task(end())
            try:
                yield
            finally:
                ending.cancel()
    except TimeoutError as error:
        if bound.expired():
            raise Draining from error
        raise
