"""The rows of the source, every value as its own text."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypedDict

DATA: Final = Path(__file__).resolve().parents[2].parent / "shared" / "data"
"""Where the data lies unless told otherwise: beside the project, in `../shared/data`."""


class Course(TypedDict):
    """A course, as its latest term had it."""

    course_id: str
    term: str
    name: str
    dept: str
    credits: str
    description: str | None
    prereqs: str | None


class MeetingRow(TypedDict):
    """One listed meeting of a section; any column can be blank."""

    days: str
    start: str
    end: str
    building: str
    room: str


class Section(TypedDict):
    """A section of a course in a term; only `term` and `section_id` together name it."""

    section_id: str
    course_id: str
    term: str
    seats: str
    open_seats: str
    waitlist: str
    meetings: list[MeetingRow]


def courses(data: Path) -> Iterator[Course]:
    """Read the courses."""
    return _lines(data / "umd-courses.jsonl.gz")


def sections(data: Path) -> Iterator[Section]:
    """Read the sections."""
    return _lines(data / "umd-sections.jsonl.gz")


def _lines(path: Path) -> Iterator[Any]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)
