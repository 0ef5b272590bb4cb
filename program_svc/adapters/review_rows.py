"""How a commit changes who reviews a program, and how many reviews each reviewer has open.

The reviewers who join or leave are locked first, in the order of their ids, and those who join only if they are free:
no race passes a reviewer's cap.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Uuid,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql.dml import Update

from bus.commands.commit import done, written
from program_svc.adapters.tables import REVIEW, REVIEWER, REVIEWER_LOAD
from program_svc.domain.reviewer import ReviewerState, reviewer_id

_PROGRAM_ID: Final = bindparam("aggregate_id", type_=Uuid())
_JOINING: Final = bindparam("joining", type_=ARRAY(Uuid()))
_LEAVING: Final = bindparam("leaving", type_=ARRAY(Uuid()))

IS_REGISTERED: Final = REVIEWER.c.status == literal_column(str(int(ReviewerState.REGISTERED)))
IS_FREE: Final = and_(IS_REGISTERED, REVIEWER_LOAD.c.open_reviews < REVIEWER.c.max_open_reviews)
"""Holds of reviewers who take another review; of a reviewer joined with their load."""


def review_parameters(had: AbstractSet[str], has: AbstractSet[str], namespace: UUID) -> Mapping[str, object]:
    """Return the parameters that take the assignments from those a program had to those it has."""
    joining, leaving = (sorted(reviewer_id(namespace, name) for name in names) for names in (has - had, had - has))
    return {"joining": joining, "leaving": leaving, "reviewers_held": len(joining) + len(leaving)}


def lock_reviewers() -> CTE:
    """Lock the reviewers who join, those of them who are free, and those who leave."""
    by = REVIEWER.c.reviewer_id
    return (
        select(by)
        .join(REVIEWER_LOAD, REVIEWER_LOAD.c.reviewer_id == by)
        .where(or_(and_(by == func.any(_JOINING), IS_FREE), by == func.any(_LEAVING)))
        .order_by(by)
        .with_for_update()
        .cte("held_reviewers")
    )


def write_reviews(aggregate: CTE) -> list[CTE]:
    """Drop the reviews that end, write those that begin, and count both."""
    left = (
        delete(REVIEW)
        .where(REVIEW.c.program_id == _PROGRAM_ID, REVIEW.c.reviewer_id == func.any(_LEAVING), written(aggregate))
        .returning(REVIEW.c.reviewer_id)
        .cte("left_reviews")
    )
    new = func.unnest(_JOINING).table_valued("reviewer_id").render_derived("new_reviews")
    rows = select(_PROGRAM_ID, new.c.reviewer_id).where(written(aggregate), done(left))
    joined = (
        insert(REVIEW)
        .from_select(["program_id", "reviewer_id"], rows)
        .returning(REVIEW.c.reviewer_id)
        .cte("joined_reviews")
    )
    counted_in = _count(aggregate, joined, _JOINING, "+ 1").cte("counted_in")
    return [left, joined, counted_in, _count(aggregate, counted_in, _LEAVING, "- 1").cte("counted_out")]


def _count(aggregate: CTE, before: CTE, who: ColumnElement[Any], change: str) -> Update:
    load = REVIEWER_LOAD
    return (
        update(load)
        .where(load.c.reviewer_id == func.any(who), written(aggregate), done(before))
        .values(open_reviews=literal_column(f"open_reviews {change}"))
        .returning(load.c.reviewer_id)
    )
