"""The views of programs in PostgreSQL: one program, some, and lists by filters."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Select,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import TSQUERY

from chassis.listing import LatestFirst, Listed, Place
from chassis.postgres import Connections
from chassis.refusal import ResourceNotFound, Violation
from chassis.sql import Statement
from program_svc.adapters.rows import words_of
from program_svc.adapters.tables import PROGRAM, REVIEW, REVIEWER
from program_svc.application.views import ProgramFilter
from program_svc.domain.errors import RESOURCE_TYPE, program_not_found
from program_svc.domain.program import State

_EXISTS: Final = PROGRAM.c.status != literal_column(str(int(State.DELETED)))
_GET: Final = Statement(
    select(PROGRAM.c.state).where(PROGRAM.c.program_id == bindparam("program_id", type_=Uuid()), _EXISTS)
)
_GET_ALL: Final = Statement(
    select(PROGRAM.c.program_id, PROGRAM.c.state).where(
        PROGRAM.c.program_id == func.any(bindparam("program_ids", type_=ARRAY(Uuid()))), _EXISTS
    )
)


def _chosen() -> Mapping[str, ColumnElement[bool]]:
    """Write the condition of each filter, under the name of its parameter."""
    program, time = PROGRAM.c, DateTime(timezone=True)
    states = bindparam("states", type_=ARRAY(SmallInteger()))
    reviewer = select(REVIEWER.c.reviewer_id).where(REVIEWER.c.name == bindparam("reviewer", type_=Text()))
    reviews: Select[Any] = select(REVIEW.c.program_id).where(REVIEW.c.reviewer_id == reviewer.scalar_subquery())
    return {
        "states": or_(program.status == func.any(states), program.working_status == func.any(states)),
        "authors": program.authors.op("@>")(bindparam("authors", type_=ARRAY(Text()))),
        "reviewer": program.program_id.in_(reviews),
        "categories": program.categories.op("@>")(bindparam("categories", type_=ARRAY(Text()))),
        "words": program.titles.op("@@")(cast(bindparam("words", type_=Text()), TSQUERY)),
        "updated_from": program.updated_at >= bindparam("updated_from", type_=time),
        "updated_until": program.updated_at < bindparam("updated_until", type_=time),
    }


_CHOSEN: Final = _chosen()
_AWAITING: Final = PROGRAM.c.waiting_since.is_not(None)


class PostgresProgramViews:
    """Reads programs from the command database.

    Each combination of filters has a statement of its own, so that the database plans for just these filters.
    """

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._lists: dict[tuple[frozenset[str], bool], LatestFirst] = {}

    async def get(self, program_id: UUID) -> bytes:
        """Return a program's stored message. Raises ResourceNotFound."""
        row = await _GET.fetchrow(self._connections, {"program_id": program_id})
        if row is None:
            raise program_not_found(program_id)
        return bytes(row["state"])

    async def get_all(self, program_ids: Sequence[UUID]) -> Sequence[bytes]:
        """Return programs' stored messages in this order. Raises ResourceNotFound, which names all that are missing."""
        rows = await _GET_ALL.fetch(self._connections, {"program_ids": program_ids})
        found = {row["program_id"]: row["state"] for row in rows}
        missing = [program_id for program_id in dict.fromkeys(program_ids) if program_id not in found]
        if missing:
            raise _missing(missing)
        return [found[program_id] for program_id in program_ids]

    async def list(self, chosen: ProgramFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the programs after a place, latest change first."""
        values = _values(chosen)
        if values is None:
            return []
        key = (frozenset(values), chosen.awaiting_assignment)
        if key not in self._lists:
            conditions = [_EXISTS, *(_CHOSEN[name] for name in sorted(values))]
            awaiting = (_AWAITING,) if chosen.awaiting_assignment else ()
            self._lists[key] = LatestFirst(PROGRAM, "program_id", *conditions, *awaiting)
        return await self._lists[key].after(self._connections, values, after, most)


def _values(chosen: ProgramFilter) -> dict[str, object] | None:
    """Return the values of the filters that are given; None if no program can have them."""
    values: dict[str, object] = {}
    if chosen.states:
        values["states"] = [int(state) for state in chosen.states]
    if chosen.author:
        values["authors"] = [chosen.author]
    if chosen.reviewer:
        values["reviewer"] = chosen.reviewer
    if chosen.category:
        values["categories"] = [chosen.category]
    if chosen.text:
        words = words_of(chosen.text)
        if not words:
            return None
        # Words are of letters and digits only: nothing in them can be read as more than a word.
        values["words"] = " & ".join(f"{word}:*" for word in words)
    if chosen.updated_from is not None:
        values["updated_from"] = chosen.updated_from
    if chosen.updated_until is not None:
        values["updated_until"] = chosen.updated_until
    return values


def _missing(program_ids: Sequence[UUID]) -> ResourceNotFound:
    if len(program_ids) == 1:
        return program_not_found(program_ids[0])
    return ResourceNotFound(
        f"There are no programs {', '.join(map(str, program_ids))}.",
        metadata={"resource_type": RESOURCE_TYPE, "resource_name": str(program_ids[0])},
        violations=tuple(Violation(str(program_id), "", "", "") for program_id in program_ids),
    )
