"""The pages that show the system at work print what it says."""

from collections.abc import AsyncIterator

import pytest

from chassis.stack.stack import Stack
from tests.e2e.tour import steps, walk


@pytest.fixture(scope="module")
async def stack() -> AsyncIterator[Stack]:
    """Run everything for the tours alone: a review that another test left waiting would get their reviewer first."""
    async with Stack.temporary() as running:
        await running.wait_ready(health="training.freshness")
        yield running


@pytest.mark.parametrize(
    ("page", "commands"), [("README.md", 14), ("docs/tours/program.md", 23), ("docs/tours/offer.md", 20)]
)
async def test_a_tour_prints_what_it_says(page: str, commands: int, stack: Stack) -> None:
    tour = list(steps(page))
    assert len(tour) == commands
    await walk(tour, stack)
