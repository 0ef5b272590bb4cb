"""The replica of released programs, made of the program service's events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Integer, Uuid, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from training.program.v1.events_pb2 import ProgramEvent

from bus.audit.listed import Listed, checksum
from bus.event import Event
from bus.following.body import agree, decode, is_empty
from bus.following.newest import newest
from bus.following.projection import Undecodable
from chassis.postgres import Connection
from chassis.sql import Statement
from offer_svc.adapters.tables import RELEASED_PROGRAM


@dataclass(frozen=True, slots=True)
class ReleasedProgram:
    """What the replica keeps of one program; the state is a number that the source may know and this service not."""

    id: UUID
    revision: int
    event_id: UUID
    state: int
    cancel_offers: bool = False


class ProgramReplica:
    """Makes rows of the program source's events."""

    listed: Final = Listed(RELEASED_PROGRAM.c.program_id)

    def row(self, event: Event) -> ReleasedProgram | None:
        """Return the row that shows the event's state. Raises Undecodable."""
        if is_empty(event):
            return None
        body = decode(ProgramEvent, event)
        if not body.HasField("program"):
            raise Undecodable(f"{event.type} carries no program")
        agree(event, body.program.program_id, body.program)
        program = body.program
        return ReleasedProgram(event.aggregate_id, event.revision, event.event_id, program.state, program.cancel_offers)

    async def write(self, connection: Connection, rows: Sequence[ReleasedProgram]) -> None:
        """Write the rows that are newer than what is there."""
        given = newest(rows)
        values = {name: [getattr(row, name) for row in given] for name in ReleasedProgram.__slots__}
        await _WRITE.execute(connection, values)

    async def delete(self, connection: Connection, ids: Sequence[UUID]) -> None:
        """Delete the rows of these programs."""
        await _DELETE.execute(connection, {"ids": ids})

    async def columns(self, connection: Connection, aggregate_id: UUID) -> Mapping[str, str]:
        """Return what is there of one program, as text by column."""
        return await self.listed.columns(connection, aggregate_id)


def _write() -> Statement:
    given = (
        func.unnest(
            bindparam("id", type_=ARRAY(Uuid())),
            bindparam("revision", type_=ARRAY(BigInteger())),
            bindparam("event_id", type_=ARRAY(Uuid())),
            bindparam("state", type_=ARRAY(Integer())),
            bindparam("cancel_offers", type_=ARRAY(Boolean())),
        )
        .table_valued(*ReleasedProgram.__slots__)
        .render_derived("given")
    )
    insertion = upsert(RELEASED_PROGRAM).from_select(
        [column.name for column in RELEASED_PROGRAM.c], select(*given.c, checksum(given.c))
    )
    return Statement(
        insertion.on_conflict_do_update(
            index_elements=[RELEASED_PROGRAM.c.program_id],
            set_={column.name: column for column in insertion.excluded if column.name != "program_id"},
            where=insertion.excluded.revision > RELEASED_PROGRAM.c.revision,
        )
    )


_WRITE: Final = _write()
_DELETE: Final = Statement(
    delete(RELEASED_PROGRAM).where(RELEASED_PROGRAM.c.program_id == func.any(bindparam("ids", type_=ARRAY(Uuid()))))
)
