from dataclasses import replace

from hypothesis import given

from program_svc.domain.changes import Change
from program_svc.domain.commands import (
    ApproveProgram,
    Command,
    DeleteProgram,
    ReleaseProgram,
    RetireProgram,
    ReviseProgram,
    SubmitProgram,
)
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program, State
from program_svc.domain.versions import left_behind
from tests.unit.program.samples import PROGRAM_ID, carry_out, context, in_work, live, program, revised
from tests.unit.program.strategies import changes, whole_programs


def after(before: Program, command: Command, who: str) -> Program:
    made = carry_out(before, command, context(who))
    assert made is not None
    return made


def test_a_version_that_a_later_one_takes_the_place_of_is_superseded() -> None:
    before = revised(State.RELEASED, State.APPROVED)
    released = after(before, ReleaseProgram(PROGRAM_ID), "paul")
    assert left_behind(before, released) == (replace(live(before), state=State.SUPERSEDED),)


def test_a_rejected_version_that_was_revised_is_kept_as_it_was() -> None:
    for before in (program(State.REJECTED), revised(State.RELEASED, State.REJECTED)):
        assert left_behind(before, after(before, ReviseProgram(PROGRAM_ID), "alice")) == (in_work(before),)


def test_a_deleted_program_leaves_nothing() -> None:
    before = program(State.REJECTED)
    assert left_behind(before, after(before, DeleteProgram(PROGRAM_ID), "alice")) == ()


def test_what_stays_in_the_program_is_not_left_behind() -> None:
    assert left_behind(None, program(State.DRAFT)) == ()
    for before, command, who in (
        (program(State.DRAFT), SubmitProgram(PROGRAM_ID), "alice"),
        (program(State.IN_REVIEW), ApproveProgram(PROGRAM_ID), "bob"),
        (program(State.APPROVED), ReleaseProgram(PROGRAM_ID), "paul"),
        (program(State.RELEASED), ReviseProgram(PROGRAM_ID), "alice"),
        (program(State.RELEASED), RetireProgram(PROGRAM_ID, "outdated"), "paul"),
    ):
        assert left_behind(before, after(before, command, who)) == ()


def test_versions_are_numbered_on_whatever_became_of_those_before() -> None:
    state = program(State.REJECTED)
    for number in (2, 3, 4):
        state = after(state, ReviseProgram(PROGRAM_ID), "alice")
        assert (in_work(state).number, state.version_count) == (number, number)
        state = replace(state, working=replace(in_work(state), state=State.REJECTED))


@given(whole_programs, changes)
def test_every_version_is_in_the_program_or_left_behind(before: Program, change: Change) -> None:
    made = apply(before, (change,), context())
    if made.state is State.DELETED:
        return
    had = {version.number for version in (before.working, before.live) if version}
    has = {version.number for version in (made.working, made.live) if version}
    assert {version.number for version in left_behind(before, made)} == had - has
