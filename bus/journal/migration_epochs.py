"""How epochs came into a command database; each service's migrations call the step."""

import sqlalchemy as sa
from alembic import op


def add_epochs() -> None:
    """Remember under which identity of the database each epoch began; the present one is taken to be under this one."""
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
    op.execute(
        "INSERT INTO epoch (epoch, system_identifier, timeline, database_oid, lane_oid, cause) "
        "SELECT DISTINCT lane.epoch, control.system_identifier, "
        "('0x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bigint, "
        "(SELECT oid::bigint FROM pg_database WHERE datname = current_database()), 'lane'::regclass::oid::bigint, "
        "'the first that was recorded' FROM lane, pg_control_system() AS control"
    )


def drop_epochs() -> None:
    """Take `add_epochs` back."""
    op.drop_table("epoch")
