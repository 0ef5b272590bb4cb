"""How changes make the next state."""

from dataclasses import replace
from typing import assert_never

from program_svc.domain.changes import (
    AssignmentChange,
    Change,
    CommentChange,
    ProgramCreated,
    ProgramDeleted,
    RetirementScheduled,
    VersionApproved,
    VersionReleased,
    VersionRetired,
    VersionRevised,
    WorkingChange,
)
from program_svc.domain.context import Context
from program_svc.domain.evolve_working import worked_on
from program_svc.domain.program import Program, State, Version


def apply(state: Program | None, changes: tuple[Change, ...], context: Context) -> Program:
    """Fold the changes of one command into one new revision.

    Raises ValueError when there is neither a program nor a ProgramCreated: no decision makes such changes.
    """
    after = state
    for change in changes:
        after = evolve(after, change, context)
    if after is None:
        raise ValueError("There is no program yet, and the changes do not create one.")
    if state is not None and changes:
        after = replace(after, revision=state.revision + 1, update_time=context.now)
        if any(_defines(change) for change in changes):
            after = replace(after, definition_revision=after.revision, definition_time=context.now)
    if any(isinstance(change, VersionReleased | VersionRetired) for change in changes):
        after = replace(after, public_revision=after.revision, public_time=context.now)
    return after


def evolve(state: Program | None, change: Change, context: Context) -> Program | None:
    """Fold one change; one that does not fit the state leaves it as it is."""
    if isinstance(change, ProgramCreated):
        return _created(change, context) if state is None else state
    if state is None:
        return None
    if isinstance(change, WorkingChange):
        return state if state.working is None else replace(state, working=worked_on(state.working, change, context))
    return _turned(state, change, context)


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


def _turned(
    program: Program,
    change: VersionReleased | VersionRevised | RetirementScheduled | VersionRetired | ProgramDeleted,
    context: Context,
) -> Program:
    """Fold a change of which versions the program has, or of its end."""
    match change:
        case VersionReleased():
            return _released(program, change, context)
        case VersionRevised():
            return _revised(program, change)
        case RetirementScheduled():
            return replace(program, pending_retirement=change.retirement)
        case VersionRetired():
            if program.live is None:
                return program
            return _retired(program, program.live, change)
        case ProgramDeleted():
            return program if program.live is not None else replace(program, working=None)
        case _:
            assert_never(change)


def _released(program: Program, change: VersionReleased, context: Context) -> Program:
    if program.working is None:
        return program
    live = replace(
        program.working,
        state=State.RELEASED,
        release_time=context.now,
        waivers=change.waivers,
        release_failure=None,
    )
    return replace(program, working=None, live=live)


def _retired(program: Program, live: Version, change: VersionRetired) -> Program:
    """End the program, and with it the version being worked on, on which no command would be possible any more."""
    return replace(
        program,
        live=replace(live, state=State.RETIRED),
        working=None,
        retirement=change.retirement,
        pending_retirement=None,
    )


def _revised(program: Program, change: VersionRevised) -> Program:
    source = program.live or program.working
    if source is None:
        return program
    return replace(
        program,
        working=Version(change.version, State.DRAFT, source.content),
        version_count=max(change.version, program.version_count),
    )


def _defines(change: Change) -> bool:
    """Tell whether a change invalidates what others have read: those who review side by side do not."""
    if isinstance(change, VersionApproved):
        return change.complete
    return not isinstance(change, AssignmentChange | CommentChange)
