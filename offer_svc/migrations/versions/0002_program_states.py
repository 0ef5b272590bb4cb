"""The state of a replicated program is any number that its source may ever send."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.alter_column("released_program", "state", type_=sa.Integer(), existing_nullable=False)


def downgrade() -> None:
    """Take back; states that only a newer source knows become unknown."""
    op.execute("UPDATE released_program SET state = 0 WHERE state NOT BETWEEN -32768 AND 32767")
    op.alter_column("released_program", "state", type_=sa.SmallInteger(), existing_nullable=False)
