"""The sample's calendar: offers that always lie ahead, and are the same ones however often they are loaded.

A season is 13 weeks from a Monday. Rows of the sample name days by their season, `<W14-2>` being the Tuesday 14 weeks
after its first: as a whole value a `google.type.Date`, within a text an ISO date. Since sessions lie in the weeks 13 to
25, all of them are ahead throughout the season in which they are loaded, and those of one season never meet those of
the next, which has offers of its own: the offer ids are made of the row's name and the season. A row that names no day
of the season is one and the same offer for ever.
"""

import re
import uuid
from datetime import date, timedelta
from typing import Final, TypeAlias

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

WEEKS: Final = 13
_FIRST_MONDAY: Final = date(2024, 1, 1)
_DAY: Final = re.compile(r"<W(\d{1,2})-([1-7])>")
_NAMESPACE: Final = uuid.UUID("6f2a4c1e-8d3b-5a7f-9c60-2b1d7e5f4a93")


def season_of(day: date) -> date:
    """Return the Monday on which the season of a day began."""
    weeks = (day - _FIRST_MONDAY).days // 7
    return _FIRST_MONDAY + timedelta(weeks=weeks // WEEKS * WEEKS)


def dated(value: Json, season: date) -> Json:
    """Return a JSON value with the days that it names."""
    if isinstance(value, dict):
        return {key: dated(each, season) for key, each in value.items()}
    if isinstance(value, list):
        return [dated(each, season) for each in value]
    if not isinstance(value, str):
        return value
    whole = _DAY.fullmatch(value)
    if whole is not None:
        day = _day(whole, season)
        return {"year": day.year, "month": day.month, "day": day.day}
    return _DAY.sub(lambda named: _day(named, season).isoformat(), value)


def offer_row(row: dict[str, Json], season: date) -> dict[str, Json]:
    """Return a row of the sample's offers as ImportOffers takes it: with its days and its id."""
    told = {key: dated(value, season) for key, value in row.items()}
    name = f"offer {row['row_id']}"
    told["offer_id"] = str(uuid.uuid5(_NAMESPACE, name if told == row else f"{name} {season.isoformat()}"))
    return told


def _day(named: re.Match[str], season: date) -> date:
    return season + timedelta(weeks=int(named[1]), days=int(named[2]) - 1)
