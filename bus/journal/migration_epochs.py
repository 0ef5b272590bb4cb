"""How epochs came into a command database; each service's migrations call the step."""

import sqlalchemy as sa
from alembic import op


def add_epochs() -> None:
    """Make room to remember under which identity of the database each epoch began.

    Nothing is recorded of the present one: a backup from before this step may be what is migrated, and that has
    forgotten what others saw. So the first connection begins an epoch; followers that are up to date go on in it.
    """
    op.create_table(
        "epoch",
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.Column("system_identifier", sa.BigInteger(), nullable=False),
        sa.Column("timeline", sa.BigInteger(), nullable=False),
        sa.Column("database_oid", sa.BigInteger(), nullable=False),
        sa.Column("lane_oid", sa.BigInteger(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("epoch"),
    )


def drop_epochs() -> None:
    """Take `add_epochs` back."""
    op.drop_table("epoch")
