"""Reservations, quotes, what is due, and what the lists of offers are chosen by."""

import sqlalchemy as sa
from alembic import op

from bus.journal.migrations import add_subject, drop_subject

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    add_subject()
    _widen_offer()
    _create_reservation()
    op.create_table(
        "quote_key",
        sa.Column("single", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("single", name="quote_key_single"),
        sa.PrimaryKeyConstraint("single"),
    )
    op.add_column("released_program", sa.Column("cancel_offers", sa.Boolean(), server_default="false", nullable=False))
    op.create_index(
        "released_program_cancelling",
        "released_program",
        ["program_id"],
        unique=False,
        postgresql_where=sa.text("state = 6 AND cancel_offers"),
    )


def _widen_offer() -> None:
    op.add_column("offer", sa.Column("due_at", _TIME, nullable=True))
    op.add_column("offer", sa.Column("starts_at", _TIME, nullable=True))
    op.add_column("offer", sa.Column("trainers", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.alter_column("offer", "trainers", server_default=None)
    op.create_index(
        "offer_due", "offer", ["due_at", "offer_id"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "offer_published", "offer", ["program_id", "offer_id"], unique=False, postgresql_where=sa.text("status = 2")
    )
    op.create_index(
        "offer_trainers",
        "offer",
        ["trainers"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("trainers <> '{}'"),
    )


def _create_reservation() -> None:
    op.create_table(
        "reservation",
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("participant", sa.Text(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("wait_number", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", _TIME, nullable=True),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("reservation_id"),
    )
    op.create_index(
        "reservation_live",
        "reservation",
        ["offer_id", "participant"],
        unique=True,
        postgresql_where=sa.text("status IN (1, 2, 3)"),
    )
    op.create_index(
        "reservation_held",
        "reservation",
        ["expires_at", "offer_id"],
        unique=False,
        postgresql_where=sa.text("status = 2"),
    )
    op.create_index(
        "reservation_waiting",
        "reservation",
        ["offer_id", "wait_number"],
        unique=False,
        postgresql_where=sa.text("status = 1"),
    )
    op.create_index("reservation_offer", "reservation", ["offer_id", "created_at", "reservation_id"], unique=False)
    op.create_index(
        "reservation_participant",
        "reservation",
        ["participant", "created_at", "reservation_id"],
        unique=False,
        postgresql_where=sa.text("participant IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("released_program_cancelling", "released_program")
    op.drop_column("released_program", "cancel_offers")
    op.drop_table("quote_key")
    op.drop_table("reservation")
    for index in ("offer_trainers", "offer_published", "offer_due"):
        op.drop_index(index, "offer")
    for column in ("trainers", "starts_at", "due_at"):
        op.drop_column("offer", column)
    drop_subject()
