"""How aggregates came to say what was published of them last; each service's migrations call the step.

A step never changes once it has run anywhere: it spells out the tables as they were then.
"""

import sqlalchemy as sa
from alembic import op


def add_published(table: str, id_column: str) -> None:
    """Let each row of an aggregate's table name its last public revision and that revision's event.

    Of what is there already, the journal tells: it was never trimmed before.
    """
    op.add_column(table, sa.Column("public_revision", sa.BigInteger(), nullable=True))
    op.add_column(table, sa.Column("public_event_id", sa.Uuid(), nullable=True))
    op.execute(
        f"UPDATE {table} SET public_revision = last.revision, public_event_id = last.event_id "  # noqa: S608 - the migrations' own names
        "FROM (SELECT DISTINCT ON (aggregate_id) aggregate_id, revision, event_id "
        "FROM journal WHERE public <> '' ORDER BY aggregate_id, revision DESC) AS last "
        f"WHERE {table}.{id_column} = last.aggregate_id"
    )


def drop_published(table: str) -> None:
    """Take `add_published` back."""
    op.drop_column(table, "public_event_id")
    op.drop_column(table, "public_revision")
