"""The journal and the programs, as they begin."""

import sqlalchemy as sa
from alembic import op

from bus.journal.migrations import create_journal, drop_journal

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    create_journal()
    op.create_table(
        "program",
        sa.Column("program_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("program_id"),
    )
    op.create_index("program_author", "program", ["author", "updated_at", "program_id"], unique=False)
    op.create_index("program_updated", "program", ["updated_at", "program_id"], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_table("program")
    drop_journal()
