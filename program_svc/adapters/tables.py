"""The tables of the program service's database."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from bus.journal.published import published_columns
from bus.journal.tables import journal_tables

METADATA: Final = MetaData()
JOURNAL: Final = journal_tables(METADATA)


class Words(TSVECTOR):
    """A set of words, written as PostgreSQL reads it: `apple tree`."""

    render_bind_cast = True


PROGRAM: Final = Table(
    "program",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("working_status", SmallInteger),
    Column("authors", ARRAY(Text), nullable=False, server_default="{}"),
    Column("titles", Words, nullable=False, server_default=""),
    Column("categories", ARRAY(Text), nullable=False, server_default="{}"),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("waiting_since", DateTime(timezone=True)),
    Column("barred", ARRAY(Text)),
    Column("state", LargeBinary, nullable=False),
    *published_columns(),
    Index("program_updated", "updated_at", "program_id"),
    # One index for all: each of its columns is found as fast, and a commit writes to one list instead of three.
    Index("program_words", "titles", "categories", "authors", postgresql_using="gin"),
    Index("program_due", "due_at", "program_id", postgresql_where=literal_column("due_at IS NOT NULL")),
    Index(
        "program_waiting", "waiting_since", "program_id", postgresql_where=literal_column("waiting_since IS NOT NULL")
    ),
)
"""The programs. `state` is the serialized `Program`; the other columns are what the views and the timekeeper need.
`authors` are the author and the co-authors.

`due_at` is when time itself next has something to do with the program. `barred` are those who can't be assigned to it
while it waits for reviewers (`waiting_since`): its authors, and those who review it already.
"""

PROGRAM_VERSION: Final = Table(
    "program_version",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("details", LargeBinary, nullable=False),
)
"""The versions that are no part of their program any more: superseded or rejected. `details` is a `ProgramVersion`."""

REVIEW_COMMENT: Final = Table(
    "review_comment",
    METADATA,
    Column("comment_id", Uuid, primary_key=True),
    Column("program_id", Uuid, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("resolved_at", DateTime(timezone=True)),
    Column("details", LargeBinary, nullable=False),
    Index("review_comment_program", "program_id", "created_at", "comment_id"),
)
"""The comments on all versions. `details` is the serialized `ReviewComment`."""

REVIEWER: Final = Table(
    "reviewer",
    METADATA,
    Column("reviewer_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("max_open_reviews", Integer, nullable=False),
    Column("registered_at", DateTime(timezone=True), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Index("reviewer_name", "name", unique=True),
)
"""Everybody who was ever registered as a reviewer. `state` is the serialized `Reviewer`, `name` the principal."""

REVIEWER_NAMESPACE: Final = Table(
    "reviewer_namespace",
    METADATA,
    Column("single", Boolean, primary_key=True, server_default="true"),
    Column("namespace", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    CheckConstraint("single", name="reviewer_namespace_single"),
)
"""The secret of which, with the principal, a `reviewer_id` is made: one row, as old as the registry.

The ids are seen in subjects and in the journal, by people who must not learn who reviews.
"""

REVIEWER_LOAD: Final = Table(
    "reviewer_load",
    METADATA,
    Column("reviewer_id", Uuid, primary_key=True),
    Column("open_reviews", Integer, nullable=False),
    postgresql_with={"fillfactor": 50},
)
"""How many reviews each reviewer has open: the number of their `review` rows, counted as programs are assigned.

It is apart from the reviewer, whose revisions are not made by assigning programs.
"""

REVIEW: Final = Table(
    "review",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("reviewer_id", Uuid, primary_key=True),
    Index("review_reviewer", "reviewer_id", "program_id"),
)
"""Who is assigned to which program now."""
