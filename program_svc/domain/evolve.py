"""How changes make the next state."""

from dataclasses import replace
from typing import assert_never

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
from program_svc.domain.context import Context
from program_svc.domain.program import Approval, Program, State, Version


def apply(state: Program | None, changes: tuple[Change, ...], context: Context) -> Program:
    """Fold the changes of one command into one new revision.

    Raises ValueError when there is neither a program nor a ProgramCreated: no decision makes such changes.
    """
    after = state
    for change in changes:
        after = evolve(after, change, context)
    if after is None:
        raise ValueError("There is no program yet, and the changes do not create one.")
    if state is None or not changes:
        return after
    revision = state.revision + 1
    if not any(_defines(change) for change in changes):
        return replace(after, revision=revision, update_time=context.now)
    return replace(
        after,
        revision=revision,
        definition_revision=revision,
        definition_time=context.now,
        update_time=context.now,
    )


def evolve(state: Program | None, change: Change, context: Context) -> Program | None:
    """Fold one change; one that does not fit the state leaves it as it is."""
    if isinstance(change, ProgramCreated):
        return _created(change, context) if state is None else state
    if state is None:
        return None
    if isinstance(change, VersionRetired):
        if state.live is None:
            return state
        return replace(state, live=replace(state.live, state=State.RETIRED), retirement=change.retirement)
    if state.working is None:
        return state
    if isinstance(change, VersionReleased):
        released = replace(state.working, state=State.RELEASED, release_time=context.now, waivers=change.waivers)
        return replace(state, working=None, live=released)
    return replace(state, working=_worked_on(state.working, change, context))


def _created(change: ProgramCreated, context: Context) -> Program:
    return Program(
        program_id=change.program_id,
        revision=1,
        definition_revision=1,
        definition_time=context.now,
        create_time=context.now,
        update_time=context.now,
        author=change.author,
        co_authors=change.co_authors,
        working=Version(1, State.DRAFT, change.content),
    )


def _worked_on(
    version: Version,
    change: ContentChanged | VersionSubmitted | VersionApproved | VersionReopened,
    context: Context,
) -> Version:
    match change:
        case ContentChanged():
            return replace(version, content=change.content)
        case VersionSubmitted():
            return replace(version, state=State.IN_REVIEW, submit_time=context.now, approvals=())
        case VersionApproved():
            return replace(
                version,
                state=State.APPROVED if change.complete else version.state,
                approvals=(*version.approvals, Approval(change.reviewer, context.now)),
            )
        case VersionReopened():
            return replace(version, state=State.DRAFT, submit_time=None, approvals=())
        case _:
            assert_never(change)


def _defines(change: Change) -> bool:
    """Tell whether a change invalidates what others have read: reviewers who approve side by side do not."""
    return not isinstance(change, VersionApproved) or change.complete
