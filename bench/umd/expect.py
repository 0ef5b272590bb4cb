"""What the catalogue must hold after the import, read from the source a second time and in another way.

It shares nothing with the converter, its ids and its dates of terms included: an error of one shows against the other.
Sessions are found by walking the days of a term, meetings are compared as times of the clock and not as text.
"""

import gzip
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from bench.umd.facts import Fact, Facts

_IDS: Final = uuid.UUID("d1cbd82b-c1ab-5dbd-9b65-bc59dc51fb5b")
_WALL: Final = ZoneInfo("America/New_York")
_ONE_DAY: Final = timedelta(days=1)
_FIRST_AND_LAST_DAYS: Final = {
    "201712": ("2018-01-02", "2018-01-22"),
    "201805": ("2018-05-29", "2018-08-17"),
    "201812": ("2019-01-02", "2019-01-22"),
    "201905": ("2019-05-28", "2019-08-16"),
    "201912": ("2020-01-02", "2020-01-22"),
    "202005": ("2020-06-01", "2020-08-21"),
}
_WEEK: Final = ("M", "Tu", "W", "Th", "F", "Sa", "Su")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The refusal that a row must get; `overlaps` are the pairs of starts of which its metadata must name one."""

    reason: str
    rule: str = ""
    overlaps: frozenset[tuple[datetime, datetime]] = frozenset()


@dataclass(frozen=True, slots=True)
class Expected:
    """The programs and offers by id, and the refusals by the name of the row."""

    programs: dict[str, Facts] = field(default_factory=dict)
    offers: dict[str, Facts] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class _Session:
    start: datetime
    end: datetime
    mode: str
    building: str
    room: str


def expect(data: Path, today: date) -> Expected:
    """Read the source."""
    expected = Expected()
    cards: dict[str, Facts] = {}
    for course in _objects(data / "umd-courses.jsonl.gz"):
        card = _card(course)
        cards[course["course_id"]] = card
        expected.programs[str(card["program_id"])] = card | _detail(course)
    for section in _objects(data / "umd-sections.jsonl.gz"):
        sessions = sorted(_sessions(section, today))
        refusal = _refusal(section, sessions)
        if refusal is not None:
            expected.refusals[f"{section['term']}/{section['section_id']}"] = refusal
            continue
        offer = _offer(section, sessions, today)
        card = cards[section["course_id"]]
        joined = {f"program.{path}": fact for path, fact in card.items()}
        expected.offers[str(offer["offer_id"])] = {f"offer.{path}": fact for path, fact in offer.items()} | joined
    return expected


def _objects(path: Path) -> Iterator[dict[str, Any]]:
    for line in gzip.decompress(path.read_bytes()).splitlines():
        yield json.loads(line)


def _id(name: str) -> str:
    return str(uuid.uuid5(_IDS, name))


def _set(facts: Mapping[str, Fact | None]) -> Facts:
    """Return what a message would carry: a field without a value is not set."""
    return {path: fact for path, fact in facts.items() if fact not in (None, "", 0)}


def _card(course: dict[str, Any]) -> Facts:
    return _set(
        {
            "program_id": _id("course/" + course["course_id"]),
            "revision": 1,
            "version": 1,
            "state": "STATE_RELEASED",
            "language_code": "en",
            "available_language_codes[0]": "en",
            "title": course["name"],
            "categories[0]": course["dept"],
            "tags[0]": course["course_id"],
            "credits.value": course["credits"],
        }
    )


def _detail(course: dict[str, Any]) -> Facts:
    return _set({"description": course["description"], "prerequisites.text": course["prereqs"]})


def _offer(section: dict[str, Any], sessions: list[_Session], today: date) -> Facts:
    taken = int(section["seats"]) - int(section["open_seats"])
    first, last = _days(section["term"], today)
    begins, ends = _local(first), _local(last + _ONE_DAY)
    modes = {session.mode for session in sessions} or {"SELF_PACED"}
    facts = _set(
        {
            "offer_id": _id(f"section/{section['term']}/{section['section_id']}"),
            "program_id": _id("course/" + section["course_id"]),
            "revision": 1,
            "state": "STATE_PUBLISHED",
            "mode": "DELIVERY_MODE_" + (modes.pop() if len(modes) == 1 else "HYBRID"),
            "start_time": sessions[0].start if sessions else begins,
            "end_time": sessions[-1].end if sessions else ends,
            "schedule.access_window.start_time": None if sessions else begins,
            "schedule.access_window.end_time": None if sessions else ends,
            "capacity.maximum": int(section["seats"]),
            "capacity.opening_balance": taken,
            "seats_taken": taken,
            "waitlist_open": True,
            "price_list.tiers[0].name": "Standard",
            "price_list.tiers[0].price.currency_code": "USD",
            "price_list.tiers[0].price.units": 480,
            "language_codes[0]": "en",
        }
    )
    for index, session in enumerate(sessions):
        facts.update((f"schedule.sessions[{index}].{path}", fact) for path, fact in _session(session).items())
    return facts


def _session(session: _Session) -> Facts:
    local_start, local_end = (moment.astimezone(_WALL) for moment in (session.start, session.end))
    return _set(
        {
            "start_time": session.start,
            "end_time": session.end,
            "time_zone": "America/New_York",
            "local_start": local_start.strftime("%Y-%m-%dT%H:%M:%S"),
            "local_end": local_end.strftime("%Y-%m-%dT%H:%M:%S"),
            "mode": f"DELIVERY_MODE_{session.mode}",
            "place.venue": session.building,
            "place.room": session.room,
        }
    )


def _sessions(section: dict[str, Any], today: date) -> Iterator[_Session]:
    listed: dict[tuple[frozenset[str], datetime, datetime], list[tuple[str, str]]] = {}
    for meeting in section["meetings"]:
        if meeting["start"]:
            clock = [datetime.strptime(meeting[name], "%I:%M%p") for name in ("start", "end")]  # noqa: DTZ007 - on the wall
            when = (_weekdays(meeting["days"]), clock[0], clock[1])
            listed.setdefault(when, []).append((meeting["building"], meeting["room"]))
    first, last = _days(section["term"], today)
    day = first
    while day <= last:
        for (weekdays, start, end), rooms in listed.items():
            if _WEEK[day.weekday()] in weekdays:
                until = day if end > start else day + _ONE_DAY
                yield _Session(_local(day, start), _local(until, end), *_held(rooms))
        day += _ONE_DAY


def _held(rooms: list[tuple[str, str]]) -> tuple[str, str, str]:
    """Return mode, building and room."""
    online = [room for _, room in rooms if room in ("ONLINE", "ONLNE")]
    if len(online) == len(rooms):
        return "ONLINE", "", ""
    building, room = next(place for place in rooms if place[1] not in online)
    return "HYBRID" if online else "ONSITE", building or "TBA", room


def _refusal(section: dict[str, Any], sessions: list[_Session]) -> Refusal | None:
    if int(section["seats"]) < 1:
        return Refusal("CAPACITY_INVALID", "capacity.seats")
    pairs = combinations(sessions, 2)
    overlaps = frozenset((one.start, two.start) for one, two in pairs if one.end > two.start and two.end > one.start)
    return Refusal("SESSIONS_OVERLAP", overlaps=overlaps) if overlaps else None


def _days(term: str, today: date) -> tuple[date, date]:
    first, last = (date.fromisoformat(day) for day in _FIRST_AND_LAST_DAYS[term])
    years = today.year - first.year + (1 if (first.month, first.day) <= (today.month, today.day) else 0)
    return first.replace(year=first.year + years), last.replace(year=last.year + years)


def _weekdays(text: str) -> frozenset[str]:
    found = set()
    while text:
        day = next(day for day in sorted(_WEEK, key=len, reverse=True) if text.startswith(day))
        found.add(day)
        text = text[len(day) :]
    return frozenset(found)


def _local(day: date, clock: datetime | None = None) -> datetime:
    hour, minute = (clock.hour, clock.minute) if clock is not None else (0, 0)
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=_WALL).astimezone(UTC)
