"""The views of the command database in PostgreSQL."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, SmallInteger, Text, Uuid, bindparam, func, literal_column, or_, select

from chassis.listing import LatestFirst, Listed, Place
from chassis.postgres import Connection, Connections
from chassis.sql import Statement
from program_svc.adapters.tables import PROGRAM
from program_svc.application.views import ProgramFilter
from program_svc.domain.errors import program_not_found
from program_svc.domain.program import State

_ID: Final = PROGRAM.c.program_id == bindparam("program_id", type_=Uuid())
_GET: Final = Statement(select(PROGRAM.c.state).where(_ID))
_IS_RELEASED: Final = Statement(
    select(literal_column("1"))
    .select_from(PROGRAM)
    .where(_ID, PROGRAM.c.status == literal_column(str(int(State.RELEASED))))
)


def _list() -> LatestFirst:
    states = bindparam("states", type_=ARRAY(SmallInteger()))
    author = bindparam("author", type_=Text())
    return LatestFirst(
        PROGRAM,
        "program_id",
        or_(func.cardinality(states) == literal_column("0"), PROGRAM.c.status == func.any(states)),
        or_(author == literal_column("''"), PROGRAM.c.author == author),
    )


_LIST: Final = _list()


class PostgresProgramViews:
    """Reads programs from the command database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def get(self, program_id: UUID) -> bytes:
        """Return a program's stored message. Raises ResourceNotFound."""
        row = await _GET.fetchrow(self._connections, {"program_id": program_id})
        if row is None:
            raise program_not_found(program_id)
        return bytes(row["state"])

    async def list(self, chosen: ProgramFilter, after: Place | None, most: int) -> Sequence[Listed]:
        """Return the programs after a place, latest change first."""
        values = {"states": [int(state) for state in chosen.states], "author": chosen.author}
        return await _LIST.after(self._connections, values, after, most)

    async def is_released(self, connection: Connection, program_id: UUID) -> bool:
        """Tell whether a program is released now."""
        return await _IS_RELEASED.fetchrow(connection, {"program_id": program_id}) is not None
