"""From the time on the wall to the instant it stands for."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def instant_of(local: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the instant of a local time in UTC, or nothing where the zone's clocks never show that time.

    A local time that comes twice, when clocks go back, is its first.
    """
    try:
        instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        shown = instant.astimezone(zone).replace(tzinfo=None, fold=0)
    except OverflowError:  # beyond the years that a datetime has
        return None
    return instant if shown == local else None
