"""Rows in the form of the real data, written for the tests."""

import gzip
import json
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from bench.umd.rows import Course, MeetingRow, Section

TODAY = date(2026, 11, 24)
COURSE: Course = {
    "course_id": "GLAS100",
    "term": "201912",
    "name": "Blowing Glass",
    "dept": "GLAS",
    "credits": "3",
    "description": "From sand to  vase.",
    "prereqs": "A steady hand.",
}
BLANK: MeetingRow = {"days": "", "start": "", "end": "", "building": "", "room": ""}
ONLINE_ANYTIME: MeetingRow = {**BLANK, "room": "ONLINE"}


def meeting(days: str, start: str, end: str, building: str = "", room: str = "ONLINE") -> MeetingRow:
    """Return a meeting, online unless it has a room."""
    return {"days": days, "start": start, "end": end, "building": building, "room": room}


def section(*meetings: MeetingRow, term: str = "201912", seats: str = "20", open_seats: str = "5") -> Section:
    """Return a section with these meetings."""
    return {
        "section_id": "GLAS100-0101",
        "course_id": "GLAS100",
        "term": term,
        "seats": seats,
        "open_seats": open_seats,
        "waitlist": "0",
        "meetings": list(meetings),
    }


def write(folder: Path, courses: Iterable[Course], sections: Iterable[Section]) -> Path:
    """Write the rows as the source's files and return their folder."""
    _write(folder / "umd-courses.jsonl.gz", courses)
    _write(folder / "umd-sections.jsonl.gz", sections)
    return folder


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
