"""A stack to hurt, with its callers."""

from collections.abc import AsyncIterator

import pytest

from chassis.stack import Stack
from tests.faults.client import Platform, connected
from tests.faults.faultless import faultless

FRESH_SECONDS = 2.5


@pytest.fixture
async def stack() -> AsyncIterator[Stack]:
    """Run a stack in which little time is enough to be no longer fresh."""
    settings = {"TRAINING_FRESH_SECONDS": str(FRESH_SECONDS)}
    async with Stack.temporary(settings=settings) as running, faultless(running):
        yield running


@pytest.fixture
async def platform(stack: Stack) -> AsyncIterator[Platform]:
    """Lend the stubs of its services."""
    async with connected(stack) as connection:
        yield connection
