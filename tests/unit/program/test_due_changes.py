"""The duty on programs whose time has come: neither of its two commands keeps the other from being tried."""

import asyncio
from typing import Any, cast

import pytest

from bus.commands.path import CommandCall
from program_svc.adapters.due import ScheduledChanges
from program_svc.application.commands import Programs
from program_svc.domain.commands import Command, FireRelease, FireRetirement
from tests.unit.program.samples import PROGRAM_ID


class Failing:
    """Executes nothing, and fails with some of the commands."""

    def __init__(self, *failing: type) -> None:
        self.failing = failing
        self.tried: list[type] = []

    async def execute(self, command: Command, call: CommandCall) -> Any:  # noqa: ANN401, ARG002 - stands for Programs
        """Note the command, and fail if it is one of those."""
        self.tried.append(type(command))
        if isinstance(command, self.failing):
            raise RuntimeError(type(command).__name__)  # noqa: TRY004 - a failure of any kind
        return type("Done", (), {"changed": True})


@pytest.mark.parametrize("failing", [(FireRelease,), (FireRetirement,), (FireRelease, FireRetirement)])
def test_a_release_or_retirement_that_fails_is_told_after_both_were_tried(failing: tuple[type, ...]) -> None:
    programs = Failing(*failing)
    duty = ScheduledChanges(cast("Programs", programs))
    with pytest.raises(RuntimeError, match=failing[0].__name__):
        asyncio.run(duty.perform(PROGRAM_ID, cast("CommandCall", None)))
    assert programs.tried == [FireRelease, FireRetirement]


def test_a_program_of_which_something_was_due_has_changed() -> None:
    programs = Failing()
    assert asyncio.run(ScheduledChanges(cast("Programs", programs)).perform(PROGRAM_ID, cast("CommandCall", None)))
