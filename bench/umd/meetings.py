"""The meetings of a section: which of the listed ones are one, when they are, how and where they are held.

    same days and times     one meeting, whatever the rooms: HYBRID if it is in a room and online, else as all are;
                            of several rooms the first listed one is the place
    no time                 dropped: blank, only a room, or only the word ONLINE beside timed ones
    room ONLINE             (once written ONLNE) held over the network, without a place
    no building             the venue is TBA, as the source itself writes where it is not known

What can't be read is left out of the rule, so that the server says that it is required.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from google.type.date_pb2 import Date
from google.type.dayofweek_pb2 import FRIDAY, MONDAY, SATURDAY, SUNDAY, THURSDAY, TUESDAY, WEDNESDAY
from google.type.timeofday_pb2 import TimeOfDay
from training.offer.v1.offer_pb2 import Place, SessionTraits, WeeklyRule
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_HYBRID, DELIVERY_MODE_ONLINE, DELIVERY_MODE_ONSITE

from bench.umd.rows import MeetingRow
from bench.umd.terms import Term

ZONE: Final = "America/New_York"
UNKNOWN_VENUE: Final = "TBA"

_ONLINE_ROOMS: Final = frozenset({"ONLINE", "ONLNE"})
_DAYS: Final = {
    "M": MONDAY,
    "Tu": TUESDAY,
    "W": WEDNESDAY,
    "Th": THURSDAY,
    "F": FRIDAY,
    "Sa": SATURDAY,
    "Su": SUNDAY,
}
_DAY: Final = re.compile("|".join(_DAYS))
_TIME: Final = re.compile(r"(1[0-2]|[1-9]):([0-5][0-9])(am|pm)")


def weekly_rules(listed: Iterable[MeetingRow], term: Term) -> list[WeeklyRule]:
    """Return a weekly rule for each meeting that has a time, in the order in which they are first listed."""
    return [_rule(rows, term) for rows in _merged(listed)]


def days_of(text: str) -> list[int]:
    """Read days written in a row, such as `MTuWThFSaSu`; nothing where the text is anything else."""
    days = _DAY.findall(text)
    return [_DAYS[day] for day in days] if "".join(days) == text else []


def time_of(text: str) -> TimeOfDay | None:
    """Read a time such as `12:30pm`; 12am is midnight, 12pm is noon."""
    parts = _TIME.fullmatch(text)
    if parts is None:
        return None
    hour = int(parts[1]) % 12 + (12 if parts[3] == "pm" else 0)
    return TimeOfDay(hours=hour, minutes=int(parts[2]))


def _merged(listed: Iterable[MeetingRow]) -> Iterator[Sequence[MeetingRow]]:
    meetings: dict[tuple[str, str, str], list[MeetingRow]] = {}
    for row in listed:
        if row["start"] or row["end"]:
            meetings.setdefault((row["days"], row["start"], row["end"]), []).append(row)
    yield from meetings.values()


def _rule(rows: Sequence[MeetingRow], term: Term) -> WeeklyRule:
    first, last = term.first, term.last
    return WeeklyRule(
        first_date=Date(year=first.year, month=first.month, day=first.day),
        last_date=Date(year=last.year, month=last.month, day=last.day),
        days=days_of(rows[0]["days"]),
        start=time_of(rows[0]["start"]),
        end=time_of(rows[0]["end"]),
        time_zone=ZONE,
        traits=_traits(rows),
    )


def _traits(rows: Sequence[MeetingRow]) -> SessionTraits:
    rooms = [row for row in rows if row["room"] not in _ONLINE_ROOMS]
    if not rooms:
        return SessionTraits(mode=DELIVERY_MODE_ONLINE)
    place = Place(venue=rooms[0]["building"] or UNKNOWN_VENUE, room=rooms[0]["room"])
    mode = DELIVERY_MODE_ONSITE if len(rooms) == len(rows) else DELIVERY_MODE_HYBRID
    return SessionTraits(mode=mode, place=place)
