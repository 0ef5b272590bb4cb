"""What the commit of a program or a reviewer locks and writes beside it.

The reviewers who join or leave a program are locked first, in the order of their ids, then the programs that a
retirement depends on, in the same way: every commit takes its locks in one order, and no race passes a reviewer's cap.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    bindparam,
    func,
    insert,
    literal_column,
    or_,
    select,
)

from bus.commands.commit import AggregateTable, done, written
from program_svc.adapters.kept_rows import comment_parameters, version_parameters, write_comments, write_versions
from program_svc.adapters.review_rows import lock_reviewers, review_parameters, write_reviews
from program_svc.adapters.tables import PROGRAM, REVIEWER, REVIEWER_LOAD
from program_svc.domain.changes import (
    Change,
    CommentAdded,
    CommentResolved,
    ProgramDeleted,
    RetirementScheduled,
    VersionRetired,
)
from program_svc.domain.context import Context
from program_svc.domain.evolve_working import resolved
from program_svc.domain.program import Program, State
from program_svc.domain.reviewer import Reviewer
from program_svc.domain.versions import left_behind


def program_effects(
    before: Program | None,
    after: Program,
    changes: tuple[Change, ...],
    context: Context,
    *,
    reviewers: UUID,
) -> Mapping[str, object] | None:
    """Return the parameters of a commit that locks or writes more than the program; None if it does not.

    `reviewers` is the namespace of their ids.
    """
    had, has = set(before.assigned if before else ()), set(after.assigned)
    added = [change.comment for change in changes if isinstance(change, CommentAdded)]
    answered = [
        resolved(comment, change, context)
        for change in changes
        if isinstance(change, CommentResolved) and (comment := context.comment(change.comment_id)) is not None
    ]
    versions = left_behind(before, after)
    successor = _successor(changes)
    deleted = any(isinstance(change, ProgramDeleted) for change in changes)
    if had == has and not (added or answered or versions or successor or deleted):
        return None
    held = [] if successor is None else [after.program_id, successor]
    return {
        **review_parameters(had, has, reviewers),
        "successor_id": successor,
        "held": held,
        "programs_held": len(held),
        **comment_parameters(added, answered),
        **version_parameters(versions, deleted=deleted),
    }


def _successor(changes: tuple[Change, ...]) -> UUID | None:
    """Return the program that a retirement names as its successor, whoever asked for it."""
    for change in changes:
        if isinstance(change, VersionRetired | RetirementScheduled):
            return change.retirement.successor_program_id
    return None


def needs_guard(effects: Mapping[str, object] | None) -> bool:
    """Tell whether a commit with these effects is a guarded one: any that has some is."""
    return effects is not None


def reviewer_effects(before: Reviewer | None) -> Mapping[str, object] | None:
    """Return the parameters of a reviewer's commit that writes more than the reviewer: the first one does."""
    return {} if before is None else None


def _write_program(aggregate: CTE) -> Sequence[CTE]:
    parts = write_reviews(aggregate)
    parts = [*parts, *write_comments(aggregate, parts[-1])]
    return [*parts, *write_versions(aggregate, parts[-1])]


def _locks() -> Select[Any]:
    """Lock the reviewers who join, if they are all free, and those who leave; then the successor, if it is released.

    The program itself is locked together with its successor: two that name each other wait in one order.
    """
    reviewers = lock_reviewers()
    program = PROGRAM.c
    is_released = program.status == literal_column(str(int(State.RELEASED)))
    programs = (
        select(program.program_id)
        .where(
            program.program_id == func.any(bindparam("held", type_=ARRAY(Uuid()))),
            or_(program.program_id != bindparam("successor_id", type_=Uuid()), is_released),
            done(reviewers),
        )
        .order_by(program.program_id)
        .with_for_update(key_share=True)
        .cte("held_programs")
    )
    return select(literal_column("1").label("held")).where(
        _number_of(reviewers) == bindparam("reviewers_held", type_=Integer()),
        _number_of(programs) == bindparam("programs_held", type_=Integer()),
    )


def _number_of(part: CTE) -> ColumnElement[int]:
    return select(func.count()).select_from(part).scalar_subquery()


def _write_load(aggregate: CTE) -> Sequence[CTE]:
    """Begin to count the open reviews of a reviewer registered for the first time."""
    none: ColumnElement[int] = literal_column("0")
    rows = select(bindparam("aggregate_id", type_=Uuid()), none).where(written(aggregate))
    insertion = insert(REVIEWER_LOAD).from_select(["reviewer_id", "open_reviews"], rows)
    return [insertion.returning(REVIEWER_LOAD.c.reviewer_id).cte("begun_load")]


PROGRAMS: Final = AggregateTable(PROGRAM, "program_id", effects=_write_program, guard=_locks())
REVIEWERS: Final = AggregateTable(REVIEWER, "reviewer_id", effects=_write_load)
