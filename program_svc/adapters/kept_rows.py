"""How a commit writes what is kept beside a program: comments, and the versions that it leaves behind."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    DateTime,
    Integer,
    LargeBinary,
    Uuid,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from bus.commands.commit import done, written
from program_svc.adapters import mapping
from program_svc.adapters.tables import PROGRAM_VERSION, REVIEW_COMMENT
from program_svc.domain.comment import Comment
from program_svc.domain.program import Version

_TIME: Final = DateTime(timezone=True)
_PROGRAM_ID: Final = bindparam("aggregate_id", type_=Uuid())


def comment_parameters(added: Sequence[Comment], answered: Sequence[Comment]) -> Mapping[str, object]:
    """Return the parameters that write new comments, and those resolved as they are now."""
    return {
        "comment_ids": [comment.comment_id for comment in added],
        "comment_versions": [comment.version for comment in added],
        "comment_times": [comment.create_time for comment in added],
        "comment_details": [mapping.comment_message(comment).SerializeToString() for comment in added],
        "resolved_ids": [comment.comment_id for comment in answered],
        "resolved_times": [comment.resolve_time for comment in answered],
        "resolved_details": [mapping.comment_message(comment).SerializeToString() for comment in answered],
    }


def version_parameters(versions: Sequence[Version], *, deleted: bool) -> Mapping[str, object]:
    """Return the parameters that keep versions, or that keep nothing of a deleted program."""
    return {
        "deleted": deleted,
        "version_numbers": [version.number for version in versions],
        "version_details": [mapping.version_message(version).SerializeToString() for version in versions],
    }


def write_comments(aggregate: CTE, before: CTE) -> list[CTE]:
    """Write comments, once the part before is done."""
    table = REVIEW_COMMENT
    columns = ["comment_id", "version", "created_at", "details"]
    new = (
        func.unnest(
            bindparam("comment_ids", type_=ARRAY(Uuid())),
            bindparam("comment_versions", type_=ARRAY(Integer())),
            bindparam("comment_times", type_=ARRAY(_TIME)),
            bindparam("comment_details", type_=ARRAY(LargeBinary())),
        )
        .table_valued(*columns)
        .render_derived("new_comments")
    )
    rows = select(_PROGRAM_ID, *(new.c[name] for name in columns)).where(written(aggregate), done(before))
    added = (
        insert(table).from_select(["program_id", *columns], rows).returning(table.c.comment_id).cte("added_comments")
    )
    given = (
        func.unnest(
            bindparam("resolved_ids", type_=ARRAY(Uuid())),
            bindparam("resolved_times", type_=ARRAY(_TIME)),
            bindparam("resolved_details", type_=ARRAY(LargeBinary())),
        )
        .table_valued("comment_id", "resolved_at", "details")
        .render_derived("given_comments")
    )
    answered = (
        update(table)
        .where(table.c.comment_id == given.c.comment_id, written(aggregate), done(added))
        .values(resolved_at=given.c.resolved_at, details=given.c.details)
        .returning(table.c.comment_id)
        .cte("resolved_comments")
    )
    return [added, answered]


def write_versions(aggregate: CTE, before: CTE) -> list[CTE]:
    """Keep the versions left behind; of a deleted program, keep nothing."""
    table = PROGRAM_VERSION
    new = (
        func.unnest(
            bindparam("version_numbers", type_=ARRAY(Integer())),
            bindparam("version_details", type_=ARRAY(LargeBinary())),
        )
        .table_valued("number", "details")
        .render_derived("new_versions")
    )
    rows = select(_PROGRAM_ID, new.c.number, new.c.details).where(written(aggregate), done(before))
    kept = (
        insert(table)
        .from_select(["program_id", "number", "details"], rows)
        .returning(table.c.number)
        .cte("kept_versions")
    )
    parts = [kept]
    for gone in (PROGRAM_VERSION, REVIEW_COMMENT):
        deleted = bindparam("deleted", type_=Boolean())
        of_program = (gone.c.program_id == _PROGRAM_ID, deleted, written(aggregate), done(parts[-1]))
        parts.append(delete(gone).where(*of_program).returning(gone.c.program_id).cte(f"deleted_{gone.name}"))
    return parts
