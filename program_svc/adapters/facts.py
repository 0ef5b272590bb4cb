"""What commands on programs depend on beside the program: reviewers and their loads, comments, other programs."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from training.program.v1.review_pb2 import ReviewComment

from chassis.postgres import Connection
from chassis.sql import Statement
from program_svc.adapters import mapping
from program_svc.adapters.review_rows import IS_FREE, IS_REGISTERED
from program_svc.adapters.tables import PROGRAM, REVIEW_COMMENT, REVIEWER, REVIEWER_LOAD
from program_svc.domain.comment import Comment
from program_svc.domain.program import State
from program_svc.domain.reviewer import Candidate

MOST_CANDIDATES: Final = 1000
"""How many reviewers are looked at; of more, those with the smallest load."""

_IS_RELEASED: Final = Statement(
    select(literal_column("1"))
    .select_from(PROGRAM)
    .where(
        PROGRAM.c.program_id == bindparam("program_id", type_=Uuid()),
        PROGRAM.c.status == literal_column(str(int(State.RELEASED))),
    )
)
_COMMENTS: Final = Statement(
    select(REVIEW_COMMENT.c.details).where(
        REVIEW_COMMENT.c.comment_id == func.any(bindparam("comment_ids", type_=ARRAY(Uuid())))
    )
)


def _candidates(takes: ColumnElement[bool], *, held: bool) -> Statement:
    """Find the registered reviewers who can be given the review, those known to the program first.

    `held` locks them until the transaction ends, as a commit locks those who join: in the order of their ids.
    """
    reviewer, load = REVIEWER.c, REVIEWER_LOAD.c
    is_known = reviewer.name == func.any(bindparam("known", type_=ARRAY(Text())))
    query: Select[Any] = (
        select(
            reviewer.name,
            reviewer.categories,
            load.open_reviews,
            reviewer.max_open_reviews,
            reviewer.registered_at,
            is_known.label("known"),
        )
        .join_from(REVIEWER, REVIEWER_LOAD, load.reviewer_id == reviewer.reviewer_id)
        .where(IS_REGISTERED, or_(takes, is_known))
    )
    found = (query.order_by(reviewer.reviewer_id).with_for_update() if held else query).cte("found").c
    return Statement(
        select(found.name, found.categories, found.open_reviews, found.max_open_reviews, found.registered_at)
        .order_by(found.known.desc(), found.open_reviews, found.registered_at, found.name)
        .limit(bindparam("most", type_=BigInteger()))
    )


def _is_wanted() -> ColumnElement[bool]:
    """Hold of reviewers for whom another program waits."""
    waiting = PROGRAM.alias("waiting").c
    return exists(
        select(literal_column("1")).where(
            waiting.waiting_since.is_not(None),
            waiting.program_id != bindparam("program_id", type_=Uuid()),
            REVIEWER.c.name != func.all(waiting.barred),
        )
    )


_FREE: Final = {held: _candidates(IS_FREE, held=held) for held in (False, True)}
_FREE_IN_TURN: Final = {held: _candidates(and_(IS_FREE, ~_is_wanted()), held=held) for held in (False, True)}


class PostgresFacts:
    """Reads them in the command database, on the connection of the command."""

    async def candidates(
        self, connection: Connection, program_id: UUID, known: Sequence[str], *, in_turn: bool
    ) -> tuple[Candidate, ...]:
        """Return the registered reviewers who are free, and those known to the program if they are registered.

        `in_turn` leaves out those for whom another program waits. In a transaction, which is how a command is tried
        that others overtook, they are locked: whoever is chosen among them is free when it commits.
        """
        values: dict[str, object] = {"known": known, "most": MOST_CANDIDATES}
        held = connection.is_in_transaction()
        if in_turn:
            rows = await _FREE_IN_TURN[held].fetch(connection, {**values, "program_id": program_id})
        else:
            rows = await _FREE[held].fetch(connection, values)
        return tuple(
            Candidate(
                row["name"],
                tuple(row["categories"]),
                row["open_reviews"],
                row["max_open_reviews"],
                row["registered_at"],
            )
            for row in rows
        )

    async def comments(self, connection: Connection, comment_ids: Sequence[UUID]) -> tuple[Comment, ...]:
        """Return the comments with these ids, of any program."""
        rows = await _COMMENTS.fetch(connection, {"comment_ids": comment_ids})
        return tuple(mapping.read_comment(ReviewComment.FromString(row["details"])) for row in rows)

    async def is_released(self, connection: Connection, program_id: UUID) -> bool:
        """Tell whether a program is released now."""
        return await _IS_RELEASED.fetchrow(connection, {"program_id": program_id}) is not None
