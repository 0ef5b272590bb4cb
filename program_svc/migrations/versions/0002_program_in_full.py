"""Stored responses name their subject; programs have reviewers, comments, versions kept, times that change them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TSVECTOR

from bus.journal.migrations import add_subject, drop_subject

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ADDED = ("working_status", "authors", "titles", "categories", "due_at", "waiting_since", "barred")
_TABLES = ("review", "reviewer_load", "reviewer_namespace", "reviewer", "review_comment", "program_version")


def upgrade() -> None:
    """Apply."""
    add_subject()
    _widen_programs()
    op.create_table(
        "program_version",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "number"),
    )
    op.create_table(
        "review_comment",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("comment_id"),
    )
    op.create_index(
        "review_comment_program", "review_comment", ["program_id", "created_at", "comment_id"], unique=False
    )
    _create_reviewers()


def _widen_programs() -> None:
    time = sa.DateTime(timezone=True)
    op.add_column("program", sa.Column("working_status", sa.SmallInteger(), nullable=True))
    op.add_column("program", sa.Column("authors", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.execute("UPDATE program SET authors = ARRAY[author]")  # co-authors follow with the program's next revision
    op.drop_index("program_author", "program")
    op.drop_column("program", "author")
    op.add_column("program", sa.Column("titles", TSVECTOR(), server_default="", nullable=False))
    op.add_column("program", sa.Column("categories", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("program", sa.Column("due_at", time, nullable=True))
    op.add_column("program", sa.Column("waiting_since", time, nullable=True))
    op.add_column("program", sa.Column("barred", sa.ARRAY(sa.Text()), nullable=True))
    words = ["titles", "categories", "authors"]
    op.create_index("program_words", "program", words, unique=False, postgresql_using="gin")
    for name, column in (("program_due", "due_at"), ("program_waiting", "waiting_since")):
        where = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "program", [column, "program_id"], unique=False, postgresql_where=where)


def _create_reviewers() -> None:
    op.create_table(
        "reviewer",
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("max_open_reviews", sa.Integer(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("reviewer_id"),
    )
    op.create_index("reviewer_name", "reviewer", ["name"], unique=True)
    op.create_table(
        "reviewer_namespace",
        sa.Column("single", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("namespace", sa.Uuid(), server_default=sa.func.gen_random_uuid(), nullable=False),
        sa.CheckConstraint("single", name="reviewer_namespace_single"),
        sa.PrimaryKeyConstraint("single"),
    )
    op.execute("INSERT INTO reviewer_namespace DEFAULT VALUES")
    op.create_table(
        "reviewer_load",
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.Column("open_reviews", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("reviewer_id"),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "review",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("reviewer_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("program_id", "reviewer_id"),
    )
    op.create_index("review_reviewer", "review", ["reviewer_id", "program_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    for table in _TABLES:
        op.drop_table(table)
    for index in ("program_waiting", "program_due", "program_words"):
        op.drop_index(index, "program")
    op.add_column("program", sa.Column("author", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE program SET author = authors[1]")
    op.alter_column("program", "author", server_default=None)
    op.create_index("program_author", "program", ["author", "updated_at", "program_id"], unique=False)
    for column in reversed(_ADDED):
        op.drop_column("program", column)
    drop_subject()
