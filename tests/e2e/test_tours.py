"""The pages that show the system at work print what it says."""

import pytest

from chassis.stack.stack import Stack
from tests.e2e.tour import steps, walk


@pytest.mark.parametrize(
    ("page", "commands"), [("README.md", 14), ("docs/tours/program.md", 23), ("docs/tours/offer.md", 20)]
)
async def test_a_tour_prints_what_it_says(page: str, commands: int, stack: Stack) -> None:
    tour = list(steps(page))
    assert len(tour) == commands
    await walk(tour, stack)
