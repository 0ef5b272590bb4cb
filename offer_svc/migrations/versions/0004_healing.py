"""Epochs, what was published of each offer, a journal that is kept by time.

The replica of the programs is a read model from here on: its tables stand in schemas of their own, made of the program
service's snapshot. The ones that were here are dropped with what they hold.
"""

import sqlalchemy as sa
from alembic import op

from bus.journal.migration_epochs import add_epochs, drop_epochs
from bus.journal.migration_published import add_published, drop_published
from bus.journal.migration_retention import add_retention, drop_retention
from offer_svc.migrations.public_revisions import remember_public_revisions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    add_epochs()
    add_published("offer", "offer_id")
    remember_public_revisions()
    add_retention()
    op.drop_table("released_program")
    op.drop_table("checkpoint")


def downgrade() -> None:
    """Take back; the replica begins empty, and is filled from the stream."""
    _create_replica()
    drop_retention()
    drop_published("offer")
    drop_epochs()


def _create_replica() -> None:
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
    op.create_table(
        "released_program",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Integer(), nullable=False),
        sa.Column("cancel_offers", sa.Boolean(), server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("program_id"),
    )
    op.create_index(
        "released_program_cancelling",
        "released_program",
        ["program_id"],
        unique=False,
        postgresql_where=sa.text("state = 6 AND cancel_offers"),
    )
