"""Epochs, what was published of each program, and a journal that is kept by time."""

from bus.journal.migration_epochs import add_epochs, drop_epochs
from bus.journal.migration_published import add_published, drop_published
from bus.journal.migration_retention import add_retention, drop_retention

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    add_epochs()
    add_published("program", "program_id")
    add_retention()


def downgrade() -> None:
    """Take back."""
    drop_retention()
    drop_published("program")
    drop_epochs()
