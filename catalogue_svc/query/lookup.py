"""Reads by id: from the cache, else from the database in one statement with the versions of its snapshot."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.selectable import LateralFromClause

from bus.following.parking import open_parked
from catalogue_svc.query.cache import EntryCache, Key
from catalogue_svc.query.errors import not_found, program_coming
from catalogue_svc.query.standing import Standing, parked_among, told
from catalogue_svc.store.languages import candidates
from catalogue_svc.store.reading import TRIES, read_vector, versions, went_back
from catalogue_svc.store.schema import OFFER, PROGRAM_TEXT
from catalogue_svc.store.texts import storable
from chassis.postgres import Connections
from chassis.sql import Executor, Statement
from chassis.wire import field

_ENTRY: Final = 1
_OFFER: Final = 1
_CARD: Final = 2
_ID: Final = bindparam("id", type_=Uuid())


_ALWAYS: Final = select(literal_column("1").label("one")).subquery("always")
"""One row, so that there is one however little is found.

What is found stands before the versions, since statements come to the tables that readers see in one order
(`store.schema.SHOWN`).
"""


def best_text(program_id: ColumnElement[UUID]) -> LateralFromClause:
    """Return the SQL for a program's text in the best of the languages asked for, else in its base language."""
    asked = bindparam("languages", type_=ARRAY(Text()))
    return (
        select(PROGRAM_TEXT.c.card, PROGRAM_TEXT.c.detail)
        .where(PROGRAM_TEXT.c.program_id == program_id)
        .order_by(func.array_position(asked, PROGRAM_TEXT.c.language, type_=Integer()), PROGRAM_TEXT.c.ordinal)
        .limit(literal_column("1"))
        .lateral("text")
    )


def _program(*, full: bool) -> Select[tuple[object, ...]]:
    text = best_text(_ID)
    detail = text.c.detail if full else literal_column("''::bytea")
    return select(versions().label("versions"), text.c.card, detail.label("detail")).select_from(
        _ALWAYS.outerjoin(text, true())
    )


def _offer(*, full: bool) -> Select[tuple[object, ...]]:
    text = best_text(OFFER.c.program_id)
    detail = OFFER.c.detail if full else literal_column("''::bytea")
    shown = (
        select(OFFER.c.card, detail.label("detail"), OFFER.c.program_id, text.c.card.label("program_card"))
        .select_from(OFFER.join(text, true()))
        .where(OFFER.c.offer_id == _ID)
        .subquery("shown")
    )
    return select(versions().label("versions"), *shown.c).select_from(_ALWAYS.outerjoin(shown, true()))


_PROGRAM: Final = {full: Statement(_program(full=full)) for full in (False, True)}
_SHOWN_OFFER: Final = {full: Statement(_offer(full=full)) for full in (False, True)}

_PROGRAM_OF: Final = Statement(select(OFFER.c.program_id).where(OFFER.c.offer_id == _ID))


class Lookup:
    """Answers reads by id with the bytes of a response."""

    def __init__(self, connections: Connections, standing: Standing, cache: EntryCache) -> None:
        self._connections = connections
        self._standing = standing
        self._cache = cache

    async def program(self, program_id: str, languages: Sequence[str], *, full: bool) -> bytes:
        """Return the response with a program. Raises ResourceNotFound."""
        key = ("program", program_id, full, *languages)
        return self._kept(key) or await self._read(key, _PROGRAM[full], languages)

    async def offer(self, offer_id: str, languages: Sequence[str], *, full: bool) -> bytes:
        """Return the response with an offer and its program. Raises ResourceNotFound."""
        key = ("offer", offer_id, full, *languages)
        return self._kept(key) or await self._read(key, _SHOWN_OFFER[full], languages)

    async def program_of(self, offer_id: str) -> UUID | None:
        """Return the id of an offer's program, whether or not that is there; None when the offer is not."""
        row = await _PROGRAM_OF.fetchrow(self._connections, {"id": UUID(offer_id)})
        return None if row is None else row["program_id"]

    def check_coming(self, program_id: UUID) -> None:
        """Raise ProjectionBehind for an offer's program that is not there, unless an event of it is parked."""
        if not self._standing.parked_among([program_id]):
            raise program_coming(program_id, self._standing.vector.get("program"))

    def _kept(self, key: Key) -> bytes | None:
        """Return the response with an entry of the cache; without a state that it is known to be true of there is none.

        It is known no more when the read model was lost.
        """
        entry = self._cache.get(key) if self._standing.versions else None
        if entry is None:
            return None
        return entry + self._standing.suffix() + self._standing.parked_among(self._cache.subjects(key))

    async def _read(self, key: Key, statement: Statement, languages: Sequence[str]) -> bytes:
        kind, told_id = str(key[0]), str(key[1])
        values = {"id": UUID(told_id), "languages": candidates(storable(languages))}
        row = await _only(statement, self._connections, values)
        if row["card"] is None:
            raise not_found(kind, told_id)
        if row["versions"] != self._standing.versions:
            return await self._read_exactly(kind, told_id, statement, values)
        entry, subjects = _entry(kind, values["id"], row)
        self._cache.put(key, entry, subjects)
        return entry + self._standing.suffix() + self._standing.parked_among(subjects)

    async def _read_exactly(self, kind: str, told_id: str, statement: Statement, values: dict[str, object]) -> bytes:
        """Read once more, with the positions of the same snapshot: the follower has reached another state."""
        as_of, reached = self._standing.as_of(), self._standing.vector
        tries = TRIES
        while True:
            async with self._connections.transaction(readonly=True, snapshot=True) as connection:
                row = await _only(statement, connection, values)
                vector, parked = await read_vector(connection), await open_parked(connection)
            tries -= 1
            if not tries or not went_back(vector, reached):
                break
        if row["card"] is None:
            raise not_found(kind, told_id)
        entry, subjects = _entry(kind, values["id"], row)
        return entry + told(vector, as_of) + parked_among(parked, subjects)


async def _only(statement: Statement, on: Executor, values: dict[str, object]) -> asyncpg.Record:
    row = await statement.fetchrow(on, values)
    if row is None:
        raise LookupError("a query that always has a row returned none")
    return row


def _entry(kind: str, row_id: object, row: asyncpg.Record) -> tuple[bytes, tuple[UUID, ...]]:
    """Return the response's entry field, and the ids that it shows something of."""
    if not isinstance(row_id, UUID):
        raise TypeError("an id is a UUID")
    if kind == "program":
        return field(_ENTRY, row["card"] + row["detail"]), (row_id,)
    return field(_ENTRY, offer_field(row["card"] + row["detail"]) + program_field(row["program_card"])), (
        row_id,
        row["program_id"],
    )


def offer_field(offer: bytes) -> bytes:
    """Return the field of an OfferEntry that holds the offer."""
    return field(_OFFER, offer)


def program_field(card: bytes) -> bytes:
    """Return the field of an OfferEntry that holds its program's card."""
    return field(_CARD, card)
