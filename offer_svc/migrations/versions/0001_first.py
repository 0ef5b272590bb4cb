"""The journal, the offers and their bookings, and the replica of released programs, as they begin."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from bus.journal.migrations import create_journal, drop_journal

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")  # for `=` in the exclusion constraint
    create_journal()
    op.create_table(
        "offer",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("offer_id"),
    )
    op.create_index("offer_program", "offer", ["program_id", "updated_at", "offer_id"], unique=False)
    op.create_index("offer_updated", "offer", ["updated_at", "offer_id"], unique=False)
    op.create_table(
        "booking",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("resource_key", sa.Uuid(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("during", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("forbids", sa.Boolean(), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("resource_key"), "="),
            (sa.column("during"), "&&"),
            where=sa.text("forbids"),
            using="gist",
            name="booking_forbids",
        ),
    )
    op.create_index("booking_offer", "booking", ["offer_id"], unique=False)
    op.create_index(
        "booking_warns",
        "booking",
        ["resource_key", "during"],
        unique=False,
        postgresql_using="gist",
        postgresql_where=sa.text("NOT forbids"),
    )
    op.create_table(
        "released_program",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("program_id"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("epochs", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("seqs", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("event_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("stopped", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("stream_created", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stream_sequence", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("source"),
    )


def downgrade() -> None:
    """Take back."""
    for table in ("checkpoint", "released_program", "booking", "offer"):
        op.drop_table(table)
    drop_journal()
    op.execute("DROP EXTENSION btree_gist")
