"""One running platform for the tests that only use it."""

from collections.abc import AsyncIterator

import pytest

from chassis.stack.stack import Stack


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """Run everything, as real processes on free ports."""
    async with Stack.temporary() as running:
        await running.wait_ready(health="training.freshness")
        yield running
