"""The views of comments and reviewers in PostgreSQL."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    bindparam,
    literal_column,
    not_,
    or_,
    select,
    tuple_,
)
from training.program.v1.review_pb2 import Reviewer

from chassis.listing import Place
from chassis.postgres import Connections
from chassis.sql import Statement
from program_svc.adapters.program_views import PostgresProgramViews
from program_svc.adapters.review_rows import IS_REGISTERED
from program_svc.adapters.tables import REVIEW_COMMENT, REVIEWER, REVIEWER_LOAD

_MOST: Final = bindparam("most", type_=BigInteger())


def _comments() -> Statement:
    comment = REVIEW_COMMENT.c
    version = bindparam("version", type_=Integer())
    after = bindparam("after_time", type_=DateTime(timezone=True))
    place = tuple_(comment.created_at, comment.comment_id)
    return Statement(
        select(comment.created_at, comment.comment_id, comment.details)
        .where(
            comment.program_id == bindparam("program_id", type_=Uuid()),
            or_(version == literal_column("0"), comment.version == version),
            or_(not_(bindparam("open_only", type_=Boolean())), comment.resolved_at.is_(None)),
            or_(after.is_(None), place > tuple_(after, bindparam("after_id", type_=Uuid()))),
        )
        .order_by(comment.created_at, comment.comment_id)
        .limit(_MOST)
    )


def _reviewers() -> Statement:
    after = bindparam("after", type_=Text())
    load = REVIEWER_LOAD.c
    return Statement(
        select(REVIEWER.c.name, REVIEWER.c.state, load.open_reviews)
        .join_from(REVIEWER, REVIEWER_LOAD, load.reviewer_id == REVIEWER.c.reviewer_id)
        .where(IS_REGISTERED, or_(after.is_(None), REVIEWER.c.name > after))
        .order_by(REVIEWER.c.name)
        .limit(_MOST)
    )


_COMMENTS: Final = _comments()
_REVIEWERS: Final = _reviewers()


class PostgresReviewViews:
    """Reads comments and reviewers from the command database."""

    def __init__(self, connections: Connections, programs: PostgresProgramViews) -> None:
        self._connections = connections
        self._programs = programs

    async def comments(
        self, program_id: UUID, after: Place | None, most: int, *, version: int, open_only: bool
    ) -> Sequence[tuple[Place, bytes]]:
        """Return the comments on a version (0: on all) after a place, oldest first. Raises ResourceNotFound."""
        await self._programs.get(program_id)
        values = {
            "program_id": program_id,
            "version": version,
            "open_only": open_only,
            "after_time": after and after.update_time,
            "after_id": after and after.id,
            "most": most,
        }
        rows = await _COMMENTS.fetch(self._connections, values)
        return [(Place(row["created_at"], row["comment_id"]), row["details"]) for row in rows]

    async def reviewers(self, after: str | None, most: int) -> Sequence[tuple[str, bytes]]:
        """Return the registered reviewers after a name, by name, with their load."""
        rows = await _REVIEWERS.fetch(self._connections, {"after": after, "most": most})
        # In Protobuf, concatenation is merge: the stored message is told with the one field that is counted apart.
        return [
            (row["name"], row["state"] + Reviewer(open_reviews=row["open_reviews"]).SerializeToString()) for row in rows
        ]
