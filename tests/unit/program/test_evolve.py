from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_svc.domain.changes import (
    Change,
    ContentChanged,
    ProgramCreated,
    VersionApproved,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionSubmitted,
)
from program_svc.domain.evolve import apply, evolve
from program_svc.domain.program import Program, Retirement, State
from tests.unit.program.samples import (
    COMPLETE,
    NOW,
    PROGRAM_ID,
    contents,
    context,
    ids,
    program,
    programs,
    retirements,
    texts,
    waivers,
)

changes_ = st.one_of(
    st.builds(ProgramCreated, ids, texts, st.just(()), contents),
    st.builds(ContentChanged, contents, st.just(("title",))),
    st.just(VersionSubmitted()),
    st.builds(VersionApproved, texts, st.booleans()),
    st.builds(VersionReleased, st.lists(waivers, max_size=2).map(tuple)),
    st.builds(VersionRetired, retirements),
    st.just(VersionReopened()),
)


@given(st.none() | programs, changes_)
def test_every_change_folds_onto_every_state(state: Program | None, change: Change) -> None:
    after = evolve(state, change, context())
    if state is None:
        assert (after is None) == (not isinstance(change, ProgramCreated))
    else:
        assert after is not None
        assert (after.program_id, after.revision, after.author) == (state.program_id, state.revision, state.author)


def test_one_command_is_one_revision_however_many_changes_it_makes() -> None:
    before = program(State.APPROVED)
    changes = (ContentChanged(COMPLETE, ("title",)), VersionReopened())
    after = apply(before, changes, context(after=7))
    assert after.revision == before.revision + 1
    assert after.update_time == after.definition_time == NOW + timedelta(seconds=7)
    assert (after.definition_revision, after.create_time) == (after.revision, before.create_time)


def test_no_changes_make_no_revision() -> None:
    before = program(State.DRAFT)
    assert apply(before, (), context(after=7)) is before


def test_a_created_program_begins_at_revision_one() -> None:
    made = apply(None, (ProgramCreated(PROGRAM_ID, "alice", (), COMPLETE), VersionReleased()), context())
    assert (made.revision, made.definition_revision, made.state) == (1, 1, State.RELEASED)
    assert made.create_time == made.update_time == made.definition_time == NOW


@pytest.mark.parametrize("changes", [(), (VersionSubmitted(),)])
def test_changes_that_create_nothing_make_no_program(changes: tuple[Change, ...]) -> None:
    with pytest.raises(ValueError, match="no program yet"):
        apply(None, changes, context())


def test_a_program_with_neither_version_has_no_state() -> None:
    released = program(State.RELEASED)
    assert Program(released.program_id, 1, 1, NOW, NOW, NOW, "alice", (), working=None).state is State.UNSPECIFIED


@pytest.mark.parametrize(
    ("state", "change"),
    [
        (State.DRAFT, ProgramCreated(PROGRAM_ID, "mallory", (), COMPLETE)),
        (State.DRAFT, VersionRetired(Retirement("outdated", None, NOW))),
        (State.RELEASED, VersionSubmitted()),
        (State.RELEASED, VersionReleased()),
    ],
)
def test_a_change_that_does_not_fit_leaves_the_state_as_it_is(state: State, change: Change) -> None:
    before = program(state)
    assert evolve(before, change, context(after=7)) is before
