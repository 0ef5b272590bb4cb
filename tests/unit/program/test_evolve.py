from dataclasses import replace
from datetime import timedelta
from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_svc.domain.changes import (
    Change,
    ChangesRequested,
    CommentAdded,
    CommentResolved,
    ContentChanged,
    ProgramCreated,
    ProgramDeleted,
    ReleaseFailed,
    ReleaseScheduled,
    ReleaseUnscheduled,
    RetirementScheduled,
    ReviewDequeued,
    ReviewersAssigned,
    ReviewersDropped,
    ReviewQueued,
    VersionApproved,
    VersionRejected,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionRevised,
    VersionSubmitted,
    VersionWithdrawn,
)
from program_svc.domain.evolve import apply, evolve
from program_svc.domain.program import Program, Retirement, State
from tests.unit.program.samples import COMMENT_ID, COMPLETE, LATER, NOW, PROGRAM_ID, comment, context, program, revised
from tests.unit.program.strategies import changes, whole_programs


@given(st.none() | whole_programs, changes)
def test_every_change_folds_onto_every_state(state: Program | None, change: Change) -> None:
    after = evolve(state, change, context())
    if state is None:
        assert (after is None) == (not isinstance(change, ProgramCreated))
    else:
        assert after is not None
        assert (after.program_id, after.revision, after.author) == (state.program_id, state.revision, state.author)


def test_one_command_is_one_revision_however_many_changes_it_makes() -> None:
    before = program(State.APPROVED)
    after = apply(before, (ContentChanged(COMPLETE, ("title",)), VersionReopened()), context(after=7))
    assert after.revision == before.revision + 1
    assert after.update_time == after.definition_time == NOW + timedelta(seconds=7)
    assert (after.definition_revision, after.create_time) == (after.revision, before.create_time)


def test_no_changes_make_no_revision() -> None:
    before = program(State.DRAFT)
    assert apply(before, (), context(after=7)) is before


def test_a_created_program_begins_at_revision_one() -> None:
    made = apply(None, (ProgramCreated(PROGRAM_ID, "alice", (), COMPLETE), VersionReleased()), context())
    assert (made.revision, made.definition_revision, made.state) == (1, 1, State.RELEASED)
    assert made.create_time == made.update_time == made.definition_time == made.public_time == NOW
    assert (made.public_revision, made.version_count) == (1, 1)


@pytest.mark.parametrize("made", [(), (VersionSubmitted(),)])
def test_changes_that_create_nothing_make_no_program(made: tuple[Change, ...]) -> None:
    with pytest.raises(ValueError, match="no program yet"):
        apply(None, made, context())


def test_every_kind_of_change_is_folded() -> None:
    kinds: set[type] = set()
    for kind in get_args(Change):
        kinds.update(get_args(kind) or (kind,))
    assert {type(example) for example in EXAMPLES} == kinds


def test_a_program_with_neither_version_is_deleted() -> None:
    assert replace(program(State.DRAFT), working=None).state is State.DELETED


SIDE_BY_SIDE: Final[tuple[Change, ...]] = (
    VersionApproved("bob", complete=False),
    ReviewersAssigned(("bob",)),
    ReviewersDropped(("bob",)),
    ReviewQueued(),
    ReviewDequeued(),
    CommentAdded(comment(blocking=True)),
    CommentResolved(COMMENT_ID, "bob", blocking=True),
)
EXAMPLES: Final[tuple[Change, ...]] = (
    *SIDE_BY_SIDE,
    ProgramCreated(PROGRAM_ID, "alice", (), COMPLETE),
    ContentChanged(COMPLETE, ("title",)),
    VersionSubmitted(),
    VersionReleased(),
    VersionRetired(Retirement("outdated", None, NOW)),
    VersionReopened(),
    VersionWithdrawn(),
    ChangesRequested("bob", "more"),
    VersionRejected("bob", "off topic"),
    ReleaseScheduled(LATER),
    ReleaseUnscheduled(),
    ReleaseFailed(()),
    VersionRevised(2),
    RetirementScheduled(Retirement("outdated", None, LATER)),
    ProgramDeleted(),
)


@pytest.mark.parametrize("change", EXAMPLES, ids=lambda change: type(change).__name__)
def test_comments_assignments_and_partial_approvals_alone_leave_the_definition(change: Change) -> None:
    before = program(State.IN_REVIEW)
    after = apply(before, (change,), context(after=7))
    assert (after.revision, after.update_time) == (before.revision + 1, NOW + timedelta(seconds=7))
    kept = (before.definition_revision, before.definition_time)
    changed = (after.revision, after.update_time)
    assert (after.definition_revision, after.definition_time) == (kept if change in SIDE_BY_SIDE else changed)


def test_one_change_that_defines_makes_the_revision_one_that_does() -> None:
    after = apply(program(State.DRAFT), (VersionSubmitted(), ReviewQueued()), context(after=7))
    assert after.definition_revision == after.revision


@pytest.mark.parametrize("change", EXAMPLES, ids=lambda change: type(change).__name__)
def test_only_a_release_and_a_retirement_are_public(change: Change) -> None:
    before = revised(State.RELEASED, State.APPROVED)
    assert (before.public_revision, before.public_time) == (4, NOW)
    after = apply(before, (change,), context(after=7))
    public = (after.revision, NOW + timedelta(seconds=7))
    kept = (before.public_revision, before.public_time)
    expected = public if isinstance(change, VersionReleased | VersionRetired) else kept
    assert (after.public_revision, after.public_time) == expected


def test_before_its_first_release_nothing_of_a_program_is_public() -> None:
    assert (program(State.APPROVED).public_revision, program(State.APPROVED).public_time) == (0, None)


@pytest.mark.parametrize(
    ("state", "change"),
    [
        (State.DRAFT, ProgramCreated(PROGRAM_ID, "mallory", (), COMPLETE)),
        (State.DRAFT, VersionRetired(Retirement("outdated", None, NOW))),
        (State.RELEASED, VersionSubmitted()),
        (State.RELEASED, VersionReleased()),
        (State.RELEASED, ProgramDeleted()),
        (State.DELETED, VersionRevised(2)),
        (State.DELETED, VersionReleased()),
    ],
)
def test_a_change_that_does_not_fit_leaves_the_state_as_it_is(state: State, change: Change) -> None:
    before = program(state)
    assert evolve(before, change, context(after=7)) is before
