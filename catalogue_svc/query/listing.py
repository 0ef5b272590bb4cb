"""Reading lists by keyset: so many entries after a place, in one snapshot."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Uuid,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
    tuple_,
)

from catalogue_svc.query.cursor import BEGINNING, Place
from catalogue_svc.query.filters import Filter, offer_conditions, program_conditions
from catalogue_svc.query.lookup import best_text, offer_field, program_field
from catalogue_svc.store.schema import OFFER, PROGRAM
from chassis.postgres import Connection
from chassis.sql import Statement
from chassis.wire import field

_ENTRIES: Final = 1
_SHAPES_KEPT: Final = 1024
_MOST: Final = bindparam("most", type_=BigInteger())
_NO_DETAIL: Final[ColumnElement[bytes]] = literal_column("''::bytea")


@dataclass(frozen=True, slots=True)
class Question:
    """Which entries, in which view, with texts in which languages (`store.languages.candidates`)."""

    filter: Filter
    languages: Sequence[str]
    full: bool


class Entry(NamedTuple):
    """One entry, as the field of a response that holds it, and its place in the list; a tuple, since there are many."""

    field: bytes
    start: datetime
    id: UUID

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.start, self.id)


class Listing(Protocol):
    """A list of all entries of one kind, which show something of these `sources`."""

    sources: Collection[str]

    async def read(self, connection: Connection, question: Question, after: Place | None, most: int) -> list[Entry]:
        """Read the next entries in the connection's snapshot."""
        ...


@lru_cache(_SHAPES_KEPT)
def program_page(shape: tuple[str, ...], *, full: bool, resumed: bool) -> Statement:
    """Return the statement for a page of programs."""
    text = best_text(PROGRAM.c.program_id)
    page = (
        select(PROGRAM.c.program_id, text.c.card, (text.c.detail if full else _NO_DETAIL).label("detail"))
        .select_from(PROGRAM.join(text, true()))
        .where(*program_conditions(shape))
        .order_by(PROGRAM.c.program_id)
        .limit(_MOST)
    )
    if resumed:
        page = page.where(PROGRAM.c.program_id > bindparam("after_id", type_=Uuid()))
    return Statement(page)


@lru_cache(_SHAPES_KEPT)
def offer_page(shape: tuple[str, ...], *, full: bool, resumed: bool) -> Statement:
    """Return the statement for a page of offers, without their programs."""
    columns: list[ColumnElement[object]] = [OFFER.c.start_time, OFFER.c.offer_id, OFFER.c.program_id, OFFER.c.card]
    detail = (OFFER.c.detail if full else _NO_DETAIL).label("detail")
    page = (
        select(*columns, detail)
        .where(*offer_conditions(shape))
        .order_by(OFFER.c.start_time, OFFER.c.offer_id)
        .limit(_MOST)
    )
    if resumed:
        after = tuple_(bindparam("after_start", type_=DateTime(timezone=True)), bindparam("after_id", type_=Uuid()))
        page = page.where(tuple_(OFFER.c.start_time, OFFER.c.offer_id) > after)
    return Statement(page)


def _cards() -> Select[tuple[object, ...]]:
    asked = func.unnest(bindparam("program_ids", type_=ARRAY(Uuid())))
    program = asked.table_valued(column("program_id", Uuid())).render_derived()
    text = best_text(program.c.program_id)
    return select(program.c.program_id, text.c.card).select_from(program.join(text, true()))


_CARDS: Final = Statement(_cards())


class ProgramListing:
    """Released programs in order of their ids."""

    sources: Collection[str] = ("program",)

    async def read(self, connection: Connection, question: Question, after: Place | None, most: int) -> list[Entry]:
        """Read the next programs."""
        statement = program_page(question.filter.shape, full=question.full, resumed=after is not None)
        values = {**question.filter.values, "languages": question.languages, "most": most}
        if after is not None:
            values["after_id"] = after.id
        rows = await statement.fetch(connection, values)
        start = BEGINNING.start
        return [Entry(field(_ENTRIES, card + detail), start, program_id) for program_id, card, detail in rows]


class OfferListing:
    """Offers in order of their start and id."""

    sources: Collection[str] = ("offer", "program")

    async def read(self, connection: Connection, question: Question, after: Place | None, most: int) -> list[Entry]:
        """Read the next offers, then the cards of their programs, each once."""
        statement = offer_page(question.filter.shape, full=question.full, resumed=after is not None)
        values = {**question.filter.values, "most": most}
        if after is not None:
            values |= {"after_start": after.start, "after_id": after.id}
        rows = await statement.fetch(connection, values)
        if not rows:
            return []
        programs = {"program_ids": list({row["program_id"] for row in rows}), "languages": question.languages}
        found = await _CARDS.fetch(connection, programs)
        cards = {program_id: program_field(card) for program_id, card in found}
        return [
            Entry(field(_ENTRIES, offer_field(card + detail) + cards[program_id]), start, offer_id)
            for start, offer_id, program_id, card, detail in rows
        ]
