"""Making what is recorded older than it is, so that it can be trimmed without waiting for it.

`age(line)` and then `trim(line)` is all that a test needs; what is to go has to be published before.
"""

from datetime import timedelta
from uuid import UUID

from bus.journal.partitions import cover, database_time, width_of
from bus.journal.retention import Bounds, Retention
from bus.journal.tables import JOURNAL
from chassis.postgres import Connections
from tests.contract.line import Line

BOUNDS = Bounds()


async def age(line: Line, days: float = 60.0, *, only: UUID | None = None) -> None:
    """Let all that a line has recorded so far, or all of one aggregate, have been recorded so many days earlier."""
    await age_recorded(line.commands, days, only=only)


async def trim(line: Line, bounds: Bounds = BOUNDS) -> None:
    """Do one round of retention on a line's journal."""
    assert await retention(line, bounds).round()


def retention(line: Line, bounds: Bounds = BOUNDS, holder: str = "keeper") -> Retention:
    """Make a keeper of a line's bounds."""
    return Retention(line.dsn, bounds, holder)


async def age_recorded(commands: Connections, days: float = 60.0, *, only: UUID | None = None) -> None:
    """Age what a command database has recorded; it lies in a partition of that time then, as if it had been."""
    earlier = timedelta(days=days)
    since = await database_time(commands) - earlier - timedelta(minutes=5)
    await cover(commands, JOURNAL.journal, width_of(BOUNDS.journal), since=since)
    aged = "SET recorded_at = recorded_at - $1::interval"
    await commands.execute(f"UPDATE journal {aged} WHERE $2::uuid IS NULL OR aggregate_id = $2", earlier, only)
    if only is None:
        await commands.execute(f"UPDATE idempotency {aged}", earlier)
