from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.refusal import InvalidField, Refusal
from program_svc.domain.changes import ReviewerChange, ReviewerRegistered, ReviewerRemoved, ReviewerUpdated
from program_svc.domain.commands import RegisterReviewer, RemoveReviewer, ReviewerCommand, UpdateReviewer
from program_svc.domain.context import Context, Rules
from program_svc.domain.registry import apply_reviewer, decide_reviewer, evolve_reviewer
from program_svc.domain.reviewer import Reviewer, ReviewerState, reviewer_id
from tests.unit.program.samples import NOW, candidate, context
from tests.unit.program.strategies import reviewer_changes, reviewers

REGISTER = RegisterReviewer("bob", ("cloud",), 2)
UPDATE = UpdateReviewer("bob", ("law",), 5, ("categories", "max_open_reviews"))
REMOVE = RemoveReviewer("bob")
BOB = Reviewer("bob", 1, 1, NOW, NOW, NOW, ReviewerState.REGISTERED, NOW, ("cloud",), 2)
REMOVED = replace(BOB, state=ReviewerState.REMOVED)


def carry_out(state: Reviewer | None, command: ReviewerCommand, given_: Context) -> Reviewer:
    return apply_reviewer(state, decide_reviewer(state, command, given_), given_)


@pytest.mark.parametrize(
    ("state", "command", "expected"),
    [
        (None, REGISTER, ReviewerState.REGISTERED),
        (None, UPDATE, "RESOURCE_NOT_FOUND"),
        (None, REMOVE, "RESOURCE_NOT_FOUND"),
        (BOB, REGISTER, "RESOURCE_EXISTS"),
        (BOB, UPDATE, ReviewerState.REGISTERED),
        (BOB, REMOVE, ReviewerState.REMOVED),
        (REMOVED, REGISTER, ReviewerState.REGISTERED),
        (REMOVED, UPDATE, "RESOURCE_NOT_FOUND"),
        (REMOVED, REMOVE, "RESOURCE_NOT_FOUND"),
    ],
)
def test_every_state_of_a_reviewer_allows_exactly_its_commands(
    state: Reviewer | None, command: ReviewerCommand, expected: ReviewerState | str
) -> None:
    if isinstance(expected, str):
        with pytest.raises(Refusal) as refused:
            carry_out(state, command, context("paul"))
        assert refused.value.reason == expected
        assert refused.value.metadata == {"resource_type": "training.program.v1.Reviewer", "resource_name": "bob"}
        return
    after = carry_out(state, command, context("paul"))
    assert after.state == expected
    assert after.revision == (1 if state is None else 2)


def test_a_reviewer_is_registered_with_what_they_know_and_take() -> None:
    assert decide_reviewer(None, REGISTER, context("paul")) == (ReviewerRegistered("bob", ("cloud",), 2),)
    assert carry_out(None, REGISTER, context("paul")) == BOB


def test_a_reviewer_who_does_not_say_takes_as_many_reviews_as_is_configured() -> None:
    for state, command in ((None, RegisterReviewer("bob")), (BOB, replace(UPDATE, max_open_reviews=None))):
        assert carry_out(state, command, context("paul")).max_open_reviews == 3
        assert carry_out(state, command, context("paul", rules=Rules(max_open_reviews=7))).max_open_reviews == 7


def test_a_reviewer_registered_again_begins_anew_under_the_same_id() -> None:
    again = carry_out(REMOVED, RegisterReviewer("bob", ("law",), 4), context("paul", after=60))
    later = NOW + timedelta(seconds=60)
    assert again == Reviewer("bob", 2, 2, later, NOW, later, ReviewerState.REGISTERED, later, ("law",), 4)
    namespace = UUID(int=1)
    assert reviewer_id(namespace, "bob") == reviewer_id(namespace, "bob") != reviewer_id(namespace, "Bob")


def test_whose_id_it_is_nobody_can_tell_who_does_not_know_the_namespace() -> None:
    assert reviewer_id(UUID(int=1), "bob") != reviewer_id(UUID(int=2), "bob")


def test_an_update_takes_only_the_fields_named() -> None:
    assert decide_reviewer(BOB, replace(UPDATE, fields=("categories",)), context()) == (ReviewerUpdated(("law",), 2),)
    assert decide_reviewer(BOB, replace(UPDATE, fields=("max_open_reviews",)), context()) == (
        ReviewerUpdated(("cloud",), 5),
    )


def test_an_update_that_changes_nothing_makes_no_revision() -> None:
    same = UpdateReviewer("bob", ("cloud",), 2, ("categories", "max_open_reviews"))
    assert decide_reviewer(BOB, same, context()) == ()
    assert decide_reviewer(BOB, replace(UPDATE, fields=()), context()) == ()
    assert apply_reviewer(BOB, (), context(after=60)) is BOB


def test_every_revision_of_a_reviewer_is_one_of_the_definition() -> None:
    after = carry_out(BOB, UPDATE, context(after=60))
    later = NOW + timedelta(seconds=60)
    assert (after.revision, after.definition_revision, after.definition_time, after.update_time) == (2, 2, later, later)
    assert (after.create_time, after.register_time, after.categories, after.max_open_reviews) == (NOW, NOW, ("law",), 5)


@pytest.mark.parametrize("load", [0, -1, 101])
def test_a_reviewer_takes_one_to_a_hundred_reviews_at_once(load: int) -> None:
    for state, command in (
        (None, replace(REGISTER, max_open_reviews=load)),
        (BOB, replace(UPDATE, max_open_reviews=load)),
    ):
        with pytest.raises(InvalidField) as refused:
            decide_reviewer(state, command, context())
        assert [(found.field, found.found, found.needed) for found in refused.value.violations] == [
            ("max_open_reviews", str(load), "1 to 100")
        ]
    for bound in (1, 100):
        assert carry_out(None, replace(REGISTER, max_open_reviews=bound), context()).max_open_reviews == bound


def test_names_and_categories_have_no_control_characters() -> None:
    for state, command in ((None, REGISTER), (BOB, UPDATE)):
        with pytest.raises(InvalidField) as refused:
            decide_reviewer(state, replace(command, principal="b\x00b", categories=("fine", "\x01")), context())
        assert [found.field for found in refused.value.violations] == ["principal", "categories[1]"]


@given(st.none() | reviewers, reviewer_changes)
def test_every_change_folds_onto_every_reviewer(state: Reviewer | None, change: ReviewerChange) -> None:
    after = evolve_reviewer(state, change, context())
    if state is None:
        assert (after is None) == (not isinstance(change, ReviewerRegistered))
    else:
        assert after is not None
        assert (after.principal, after.revision, after.create_time) == (
            state.principal,
            state.revision,
            state.create_time,
        )


@pytest.mark.parametrize("changes", [(), (ReviewerRemoved(),)])
def test_changes_that_register_nobody_make_no_reviewer(changes: tuple[ReviewerChange, ...]) -> None:
    with pytest.raises(ValueError, match="no reviewer yet"):
        apply_reviewer(None, changes, context())


def test_a_reviewer_is_free_below_their_cap() -> None:
    assert [candidate("bob", load=load, cap=2).is_free for load in (0, 1, 2, 3)] == [True, True, False, False]


@pytest.mark.parametrize("principal", ["", " ", "\n\t"])
def test_a_reviewer_has_a_name(principal: str) -> None:
    for state, command in ((None, REGISTER), (BOB, UPDATE)):
        with pytest.raises(InvalidField) as refused:
            decide_reviewer(state, replace(command, principal=principal), context("paul"))
        assert [(found.field, found.rule) for found in refused.value.violations] == [("principal", "principal.present")]
