"""The registry of reviewers: who is registered, for which categories, for how many reviews at once."""

from dataclasses import replace
from typing import Final, assert_never

from chassis.refusal import InvalidField, Violation
from program_svc.domain.changes import ReviewerChange, ReviewerRegistered, ReviewerRemoved, ReviewerUpdated
from program_svc.domain.commands import RegisterReviewer, RemoveReviewer, ReviewerCommand, UpdateReviewer
from program_svc.domain.content_rules import check_texts
from program_svc.domain.context import Context
from program_svc.domain.errors import reviewer_exists, reviewer_not_found
from program_svc.domain.reviewer import Reviewer, ReviewerState

MAXIMUM_OPEN_REVIEWS: Final = 100


def decide_reviewer(state: Reviewer | None, command: ReviewerCommand, context: Context) -> tuple[ReviewerChange, ...]:
    """Return the changes that the command makes, none if there is nothing to do, or raise a Refusal."""
    match command:
        case RegisterReviewer():
            return _register(state, command, context)
        case UpdateReviewer():
            return _update(state, command, context)
        case RemoveReviewer():
            _registered(state, command)
            return (ReviewerRemoved(),)
        case _:
            assert_never(command)


def _register(state: Reviewer | None, command: RegisterReviewer, context: Context) -> tuple[ReviewerChange, ...]:
    _check(command)
    if state is not None and state.state is ReviewerState.REGISTERED:
        raise reviewer_exists(command.principal)
    return (ReviewerRegistered(command.principal, command.categories, _load(command, context)),)


def _update(state: Reviewer | None, command: UpdateReviewer, context: Context) -> tuple[ReviewerChange, ...]:
    _check(command)
    reviewer = _registered(state, command)
    categories = command.categories if "categories" in command.fields else reviewer.categories
    load = _load(command, context) if "max_open_reviews" in command.fields else reviewer.max_open_reviews
    if (categories, load) == (reviewer.categories, reviewer.max_open_reviews):
        return ()
    return (ReviewerUpdated(categories, load),)


def _registered(state: Reviewer | None, command: UpdateReviewer | RemoveReviewer) -> Reviewer:
    if state is None or state.state is not ReviewerState.REGISTERED:
        raise reviewer_not_found(command.principal)
    return state


def _load(command: RegisterReviewer | UpdateReviewer, context: Context) -> int:
    return context.rules.max_open_reviews if command.max_open_reviews is None else command.max_open_reviews


def _check(command: RegisterReviewer | UpdateReviewer) -> None:
    categories = [(f"categories[{at}]", category) for at, category in enumerate(command.categories)]
    check_texts(("principal", command.principal), *categories)
    if not command.principal.strip():
        nobody = Violation("principal", "principal.present", "nothing", "who reviews")
        raise InvalidField("The request breaks rules of its fields.", violations=(nobody,))
    load = command.max_open_reviews
    if load is not None and not 1 <= load <= MAXIMUM_OPEN_REVIEWS:
        found = Violation("max_open_reviews", "max_open_reviews.range", str(load), f"1 to {MAXIMUM_OPEN_REVIEWS}")
        raise InvalidField("The request breaks rules of its fields.", violations=(found,))


def apply_reviewer(state: Reviewer | None, changes: tuple[ReviewerChange, ...], context: Context) -> Reviewer:
    """Fold the changes of one command into one new revision.

    Raises ValueError when there is neither a reviewer nor a ReviewerRegistered: no decision makes such changes.
    """
    after = state
    for change in changes:
        after = evolve_reviewer(after, change, context)
    if after is None:
        raise ValueError("There is no reviewer yet, and the changes do not register one.")
    if state is None or not changes:
        return after
    revision, now = state.revision + 1, context.now
    return replace(after, revision=revision, definition_revision=revision, definition_time=now, update_time=now)


def evolve_reviewer(state: Reviewer | None, change: ReviewerChange, context: Context) -> Reviewer | None:
    """Fold one change; one that does not fit the state leaves it as it is."""
    if state is None:
        return _first(change, context) if isinstance(change, ReviewerRegistered) else None
    match change:
        case ReviewerRegistered():
            return replace(
                state,
                state=ReviewerState.REGISTERED,
                register_time=context.now,
                categories=change.categories,
                max_open_reviews=change.max_open_reviews,
            )
        case ReviewerUpdated():
            return replace(state, categories=change.categories, max_open_reviews=change.max_open_reviews)
        case ReviewerRemoved():
            return replace(state, state=ReviewerState.REMOVED)
        case _:
            assert_never(change)


def _first(change: ReviewerRegistered, context: Context) -> Reviewer:
    return Reviewer(
        principal=change.principal,
        revision=1,
        definition_revision=1,
        definition_time=context.now,
        create_time=context.now,
        update_time=context.now,
        state=ReviewerState.REGISTERED,
        register_time=context.now,
        categories=change.categories,
        max_open_reviews=change.max_open_reviews,
    )
