"""From the source's rows to rows for `trainingctl import`: `python -m bench.umd.convert FOLDER`.

Nothing is refused here: what no offer can be goes to the server as it is.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_DNS, UUID, uuid5
from zoneinfo import ZoneInfo

from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money
from training.offer.v1.offer_pb2 import BOOKING_MODE_WARN, Capacity, PriceList, PriceTier, SchedulePlan
from training.offer.v1.offer_service_pb2 import ImportOffersRequest, OfferDefinition
from training.program.v1.program_pb2 import Prerequisites, ProgramContent, Waiver
from training.program.v1.program_service_pb2 import ImportProgramsRequest

from bench.umd.meetings import ZONE, weekly_rules
from bench.umd.rows import DATA, Course, Section, courses, sections
from bench.umd.terms import TERMS, TODAY, Term

LANGUAGE: Final = "en"
WAIVER: Final = Waiver(rules=["*"], reason="The course is live in the university's own catalogue.")
PRICE_LIST: Final = PriceList(tiers=[PriceTier(name="Standard", price=Money(currency_code="USD", units=480))])
"""Invented: the source has no prices."""

_NAMESPACE: Final = uuid5(NAMESPACE_DNS, "umd.training.example")
_LARGEST: Final = 2**31 - 1
_UNREADABLE: Final = -1


@dataclass(frozen=True, slots=True)
class Files:
    """Where the rows were written, and how many there are."""

    programs: Path
    offers: Path
    program_rows: int
    offer_rows: int


def program_id(course_id: str) -> UUID:
    """Return the id of a course's program."""
    return uuid5(_NAMESPACE, f"course/{course_id}")


def offer_id(term: str, section_id: str) -> UUID:
    """Return the id of a section's offer; the source uses a section's own id again in later terms."""
    return uuid5(_NAMESPACE, f"section/{term}/{section_id}")


def program_row(course: Course) -> ImportProgramsRequest:
    """Convert a course; its texts stay as they are."""
    prerequisites = course["prereqs"]
    return ImportProgramsRequest(
        row_id=course["course_id"],
        program_id=str(program_id(course["course_id"])),
        content=ProgramContent(
            title=course["name"],
            description=course["description"] or "",
            prerequisites=Prerequisites(text=prerequisites) if prerequisites else None,
            categories=[course["dept"]],
            tags=[course["course_id"]],
            language_code=LANGUAGE,
            credits=Decimal(value=course["credits"]),
        ),
        waiver=WAIVER,
    )


def offer_row(section: Section, today: date) -> ImportOffersRequest:
    """Convert a section."""
    seats, still_open = _number(section["seats"]), _number(section["open_seats"])
    return ImportOffersRequest(
        row_id=f"{section['term']}/{section['section_id']}",
        offer_id=str(offer_id(section["term"], section["section_id"])),
        definition=OfferDefinition(
            program_id=str(program_id(section["course_id"])),
            capacity=Capacity(maximum=seats, opening_balance=seats - still_open),
            language_codes=[LANGUAGE],
        ),
        plan=_plan(section, TERMS[section["term"]].after(today)),
        price_list=PRICE_LIST,
    )


def convert(data: Path, folder: Path, today: date) -> Files:
    """Write `programs.jsonl` and `offers.jsonl` into the folder."""
    programs, offers = folder / "programs.jsonl", folder / "offers.jsonl"
    return Files(
        programs,
        offers,
        _write(programs, (program_row(course) for course in courses(data))),
        _write(offers, (offer_row(section, today) for section in sections(data))),
    )


def main() -> None:
    """Convert as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m bench.umd.convert", description=__doc__)
    parser.add_argument("folder", type=Path, help="where programs.jsonl and offers.jsonl are written")
    add_options(parser)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    convert(options.data, options.folder, options.today)


def add_options(parser: argparse.ArgumentParser, today: date = TODAY) -> None:
    """Declare what every command on this data takes."""
    parser.add_argument("--data", type=Path, default=DATA, help="the folder of the data (default: ../shared/data)")
    parser.add_argument(
        "--today", type=date.fromisoformat, default=today, help="terms begin after this day (default: %(default)s)"
    )


def _plan(section: Section, term: Term) -> SchedulePlan:
    rules = weekly_rules(section["meetings"], term)
    if rules:
        return SchedulePlan(weekly_rules=rules, booking_mode=BOOKING_MODE_WARN)
    # Half-open, so it ends with the last day's midnight.
    window = Interval(start_time=_midnight(term.first), end_time=_midnight(term.last + timedelta(days=1)))
    return SchedulePlan(access_window=window, booking_mode=BOOKING_MODE_WARN)


def _midnight(day: date) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(datetime.combine(day, time(), ZoneInfo(ZONE)))
    return moment


def _number(text: str) -> int:
    """Read a whole number; what is none, or too large for the field, becomes one that the server refuses."""
    number = int(text) if text.isdecimal() else _UNREADABLE
    return number if number <= _LARGEST else _UNREADABLE


def _write(path: Path, rows: Iterable[Message]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for line in _lines(rows):
            file.write(line)
            count += 1
    return count


def _lines(rows: Iterable[Message]) -> Iterator[str]:
    for row in rows:
        yield MessageToJson(row, indent=None, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
