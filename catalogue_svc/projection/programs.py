"""Programs in the read model, with a text for each of their languages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from training.program.v1.events_pb2 import ProgramEvent

from bus.audit.listed import Listed, Part, checksum
from bus.event import Event
from bus.following.body import agree, decode, is_empty
from bus.following.newest import newest
from bus.following.projection import Undecodable
from catalogue_svc.projection.entries import Entry, entries
from catalogue_svc.store.changes import recording
from catalogue_svc.store.languages import ranges
from catalogue_svc.store.schema import PROGRAM, PROGRAM_KIND, PROGRAM_TEXT
from catalogue_svc.store.texts import joined, split
from chassis.postgres import Connection
from chassis.sql import Statement

_COLUMNS: Final = ("id", "revision", "event_id", "state", "level", "categories", "tags", "language_ranges", "texts")
_TEXT_COLUMNS: Final = ("of_program", "ordinal", "language", "card", "detail")
_LISTS: Final = frozenset({"categories", "tags", "language_ranges"})


@dataclass(frozen=True, slots=True)
class ProgramRow:
    """What is written of one program."""

    id: UUID
    revision: int
    event_id: UUID
    state: int
    level: int
    categories: str
    tags: str
    language_ranges: str
    entries: Sequence[Entry]

    @property
    def texts(self) -> int:
        """How many texts it has."""
        return len(self.entries)


class ProgramProjection:
    """Makes rows of the program source's events."""

    listed: Final = Listed(
        PROGRAM.c.program_id, Part(PROGRAM_TEXT.c.program_id, PROGRAM_TEXT.c.ordinal, PROGRAM.c.texts)
    )

    def row(self, event: Event) -> ProgramRow | None:
        """Return the row that shows the event's state. Raises Undecodable."""
        if is_empty(event):
            return None
        body = decode(ProgramEvent, event)
        if not body.HasField("program"):
            raise Undecodable(f"{event.type} carries no program")
        program = body.program
        agree(event, program.program_id, program)
        texts = entries(program)
        content = program.content
        return ProgramRow(
            event.aggregate_id,
            event.revision,
            event.event_id,
            program.state,
            content.level,
            joined(content.categories),
            joined(content.tags),
            joined(ranges(text.language for text in texts)),
            texts,
        )

    async def write(self, connection: Connection, rows: Sequence[ProgramRow]) -> None:
        """Write the rows that are newer than what is there, and record which."""
        given = newest(rows)
        columns: dict[str, object] = {name: [getattr(row, name) for row in given] for name in _COLUMNS}
        texts = [(row.id, number, text) for row in given for number, text in enumerate(row.entries)]
        columns["of_program"] = [program_id for program_id, _, _ in texts]
        columns["ordinal"] = [number for _, number, _ in texts]
        columns["language"] = [text.language.replace("\0", "") for _, _, text in texts]
        columns["card"] = [text.card for _, _, text in texts]
        columns["detail"] = [text.detail for _, _, text in texts]
        await _WRITE.execute(connection, columns)

    async def delete(self, connection: Connection, ids: Sequence[UUID]) -> None:
        """Delete these programs with their texts, and record which."""
        await _DELETE.execute(connection, {"ids": ids})

    async def columns(self, connection: Connection, aggregate_id: UUID) -> Mapping[str, str]:
        """Return what is there of one program and its texts, as text by column."""
        return await self.listed.columns(connection, aggregate_id)


def _write() -> Statement:
    """Return the statement; its parts touch rows of their own, since PostgreSQL runs them in any order."""
    given = (
        func.unnest(
            bindparam("id", type_=ARRAY(Uuid())),
            bindparam("revision", type_=ARRAY(BigInteger())),
            bindparam("event_id", type_=ARRAY(Uuid())),
            bindparam("state", type_=ARRAY(Integer())),
            bindparam("level", type_=ARRAY(Integer())),
            *(bindparam(name, type_=ARRAY(Text())) for name in ("categories", "tags", "language_ranges")),
            bindparam("texts", type_=ARRAY(Integer())),
        )
        .table_valued(*_COLUMNS, name="given")
        .render_derived()
    )
    texts = (
        func.unnest(
            bindparam("of_program", type_=ARRAY(Uuid())),
            bindparam("ordinal", type_=ARRAY(Integer())),
            bindparam("language", type_=ARRAY(Text())),
            bindparam("card", type_=ARRAY(LargeBinary())),
            bindparam("detail", type_=ARRAY(LargeBinary())),
        )
        .table_valued(*_TEXT_COLUMNS, name="given_text")
        .render_derived()
    )
    values: list[ColumnElement[Any]] = [split(column) if column.name in _LISTS else column for column in given.c]
    insertion = upsert(PROGRAM).from_select([column.name for column in PROGRAM.c], select(*values, checksum(values)))
    written = (
        insertion.on_conflict_do_update(
            index_elements=[PROGRAM.c.program_id],
            set_={column.name: column for column in insertion.excluded if column.name != "program_id"},
            where=insertion.excluded.revision > PROGRAM.c.revision,
        )
        .returning(PROGRAM.c.program_id, PROGRAM.c.revision, PROGRAM.c.texts)
        .cte("written")
    )
    dropped = (
        delete(PROGRAM_TEXT)
        .where(PROGRAM_TEXT.c.program_id == written.c.program_id, PROGRAM_TEXT.c.ordinal >= written.c.texts)
        .cte("dropped")
    )
    chosen = select(*texts.c, checksum(texts.c, written.c.revision)).where(texts.c.of_program == written.c.program_id)
    text_insertion = upsert(PROGRAM_TEXT).from_select([column.name for column in PROGRAM_TEXT.c], chosen)
    rewritten = text_insertion.on_conflict_do_update(
        index_elements=[PROGRAM_TEXT.c.program_id, PROGRAM_TEXT.c.ordinal],
        set_={name: text_insertion.excluded[name] for name in ("language", "card", "detail", "checksum")},
    ).cte("rewritten")
    return Statement(recording(written, PROGRAM_KIND, written.c.program_id).add_cte(dropped, rewritten))


def _delete() -> Statement:
    ids = func.any(bindparam("ids", type_=ARRAY(Uuid())))
    rows = delete(PROGRAM).where(PROGRAM.c.program_id == ids).returning(PROGRAM.c.program_id).cte("rows")
    texts = delete(PROGRAM_TEXT).where(PROGRAM_TEXT.c.program_id == ids).returning(PROGRAM_TEXT.c.program_id)
    gone = union(select(rows.c.program_id), select(texts.cte("texts").c.program_id)).cte("gone")
    return Statement(recording(gone, PROGRAM_KIND, gone.c.program_id))


_WRITE: Final = _write()
_DELETE: Final = _delete()
