"""Epochs, what was published of each offer, and a journal that is kept by time."""

from bus.migration_epochs import add_epochs, drop_epochs
from bus.migration_published import add_published, drop_published
from bus.migration_retention import add_retention, drop_retention

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    add_epochs()
    add_published("offer", "offer_id")
    add_retention()


def downgrade() -> None:
    """Take back."""
    drop_retention()
    drop_published("offer")
    drop_epochs()
