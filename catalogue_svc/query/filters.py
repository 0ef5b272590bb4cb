"""The filters of lists, as SQL conditions and the values for them.

A filter's shape (which conditions it has) decides the statement, which is compiled once; its values are parameters.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    exists,
    literal_column,
)
from training.catalogue.v1.catalogue_service_pb2 import OfferFilter, ProgramFilter
from training.offer.v1.offer_pb2 import Offer
from training.program.v1.program_pb2 import Program

from catalogue_svc.query.errors import invalid
from catalogue_svc.store.languages import key
from catalogue_svc.store.schema import OFFER, PROGRAM, PROGRAM_TEXT
from catalogue_svc.store.texts import storable

Condition = Callable[[], ColumnElement[bool]]

_NANOS: Final = 1_000_000_000
_FIRST_SECOND: Final = -62_135_596_800  # 0001-01-01
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31


@dataclass(frozen=True, slots=True)
class Filter:
    """Names of conditions, in a fixed order, and the values of their parameters."""

    shape: tuple[str, ...]
    values: Mapping[str, object] = field(default_factory=dict)


def _in(column: ColumnElement[object], name: str, of: type[Integer | Uuid[UUID]]) -> Condition:
    return lambda: column == any_(bindparam(name, type_=ARRAY(of())))


def _overlaps(column: ColumnElement[list[str]], name: str) -> Condition:
    return lambda: column.bool_op("&&")(bindparam(name, type_=ARRAY(Text())))


PROGRAM_CONDITIONS: Final[Mapping[str, Condition]] = {
    "categories": _overlaps(PROGRAM.c.categories, "categories"),
    "levels": _in(PROGRAM.c.level, "levels", Integer),
    "program_languages": _overlaps(PROGRAM.c.language_ranges, "program_languages"),
    "tags": _overlaps(PROGRAM.c.tags, "tags"),
}

OFFER_CONDITIONS: Final[Mapping[str, Condition]] = {
    # A literal, so that PostgreSQL sees that the partial index holds what is asked for.
    "not_ended": lambda: OFFER.c.state == literal_column(str(Offer.STATE_PUBLISHED)),
    "program_ids": _in(OFFER.c.program_id, "program_ids", Uuid),
    "modes": _in(OFFER.c.mode, "modes", Integer),
    "offer_languages": _overlaps(OFFER.c.language_ranges, "offer_languages"),
    "start_from": lambda: OFFER.c.start_time >= bindparam("start_from", type_=DateTime(timezone=True)),
    "start_before": lambda: OFFER.c.start_time < bindparam("start_before", type_=DateTime(timezone=True)),
    "min_free_seats": lambda: OFFER.c.free_seats >= bindparam("min_free_seats", type_=BigInteger()),
}


def program_conditions(shape: Iterable[str]) -> list[ColumnElement[bool]]:
    """Return the conditions on programs in a list of them: retired ones are found by id only."""
    listed = PROGRAM.c.state == literal_column(str(Program.STATE_RELEASED))
    return [listed, *(PROGRAM_CONDITIONS[name]() for name in shape)]


def offer_conditions(shape: Iterable[str]) -> list[ColumnElement[bool]]:
    """Return the conditions on offers; one whose program is not there yet, or has lost its texts, is not shown."""
    names = list(shape)
    of_program = [PROGRAM_CONDITIONS[name]() for name in names if name in PROGRAM_CONDITIONS]
    own = [OFFER_CONDITIONS[name]() for name in names if name in OFFER_CONDITIONS]
    if of_program:
        own.append(exists().where(PROGRAM.c.program_id == OFFER.c.program_id, *of_program))
    return [*own, exists().where(PROGRAM_TEXT.c.program_id == OFFER.c.program_id)]


def program_filter(asked: ProgramFilter) -> Filter:
    """Return the filter that a request asks for."""
    given: dict[str, object] = {}
    if asked.categories:
        given["categories"] = storable(asked.categories)
    if asked.levels:
        given["levels"] = list(asked.levels)
    if asked.language_codes:
        given["program_languages"] = storable(map(key, asked.language_codes))
    if asked.tags:
        given["tags"] = storable(asked.tags)
    return Filter(tuple(given), given)


def offer_filter(asked: OfferFilter) -> Filter:
    """Return the filter that a request asks for. Raises InvalidField."""
    given: dict[str, object] = {}
    if asked.program_ids:
        given["program_ids"] = [UUID(program_id) for program_id in asked.program_ids]
    if asked.modes:
        given["modes"] = list(asked.modes)
    if asked.language_codes:
        given["offer_languages"] = storable(map(key, asked.language_codes))
    if asked.HasField("start"):
        given.update(_start(asked))
    if asked.min_free_seats > 0:
        given["min_free_seats"] = asked.min_free_seats
    of_program = program_filter(asked.program)
    given.update(of_program.values)
    shape = tuple(given) if asked.include_ended else ("not_ended", *given)
    return Filter(shape, given)


def _start(asked: OfferFilter) -> dict[str, object]:
    given: dict[str, object] = {}
    if asked.start.HasField("start_time"):
        given["start_from"] = instant("filter.start.start_time", asked.start.start_time)
    if asked.start.HasField("end_time"):
        given["start_before"] = instant("filter.start.end_time", asked.start.end_time)
    if len(given) == 2 and _order(asked.start.start_time) > _order(asked.start.end_time):  # noqa: PLR2004 - both ends
        raise invalid("filter.start", "interval.order", "", "an end that is not before the start")
    return given


def _order(time: Timestamp) -> tuple[int, int]:
    return time.seconds, time.nanos


def instant(path: str, time: Timestamp) -> datetime:
    """Return the first microsecond that is not before a time: starts are kept in whole ones. Raises InvalidField."""
    if not (_FIRST_SECOND <= time.seconds <= _LAST_SECOND and 0 <= time.nanos < _NANOS):
        needed = "a time from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59.999999999Z"
        raise invalid(path, "timestamp.range", f"{time.seconds} s, {time.nanos} ns", needed)
    microseconds = (
        min(-(-time.nanos // 1000), _NANOS // 1000 - 1) if time.seconds == _LAST_SECOND else -(-time.nanos // 1000)
    )
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=time.seconds, microseconds=microseconds)
