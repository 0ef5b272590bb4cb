"""The replica of released programs, made of the program service's events."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Boolean, Integer, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from training.program.v1.events_pb2 import ProgramEvent

from bus.body import agree, decode, is_empty
from bus.event import Event
from bus.newest import newest
from bus.subscriber import Undecodable
from chassis.postgres import Connection
from chassis.sql import Statement
from offer_svc.adapters.tables import RELEASED_PROGRAM


@dataclass(frozen=True, slots=True)
class ReleasedProgram:
    """What the replica keeps of one program; the state is a number that the source may know and this service not."""

    id: UUID
    revision: int
    state: int
    cancel_offers: bool = False


class ProgramReplica:
    """Makes rows of the program source's events."""

    def row(self, event: Event) -> ReleasedProgram | None:
        """Return the row that shows the event's state. Raises Undecodable."""
        if is_empty(event):
            return None
        body = decode(ProgramEvent, event)
        if not body.HasField("program"):
            raise Undecodable(f"{event.type} carries no program")
        agree(event, body.program.program_id, body.program)
        return ReleasedProgram(event.aggregate_id, event.revision, body.program.state, body.program.cancel_offers)

    async def write(self, connection: Connection, rows: Sequence[ReleasedProgram]) -> None:
        """Write the rows that are newer than what is there."""
        given = newest(rows)
        values = {name: [getattr(row, name) for row in given] for name in ReleasedProgram.__slots__}
        await _WRITE.execute(connection, values)


def _write() -> Statement:
    given = (
        func.unnest(
            bindparam("id", type_=ARRAY(Uuid())),
            bindparam("revision", type_=ARRAY(BigInteger())),
            bindparam("state", type_=ARRAY(Integer())),
            bindparam("cancel_offers", type_=ARRAY(Boolean())),
        )
        .table_valued(*ReleasedProgram.__slots__)
        .render_derived("given")
    )
    insertion = upsert(RELEASED_PROGRAM).from_select([column.name for column in RELEASED_PROGRAM.c], select(*given.c))
    return Statement(
        insertion.on_conflict_do_update(
            index_elements=[RELEASED_PROGRAM.c.program_id],
            set_={name: insertion.excluded[name] for name in ("revision", "state", "cancel_offers")},
            where=insertion.excluded.revision > RELEASED_PROGRAM.c.revision,
        )
    )


_WRITE: Final = _write()
