"""What the replica knows of programs."""

from typing import Final
from uuid import UUID

from sqlalchemy import Uuid, bindparam, select

from chassis.postgres import Connection
from chassis.sql import Statement
from offer_svc.adapters.tables import KNOWN_PROGRAM
from offer_svc.domain.context import ProgramFacts, ProgramState

_FACTS: Final = Statement(
    select(KNOWN_PROGRAM).where(KNOWN_PROGRAM.c.program_id == bindparam("program_id", type_=Uuid()))
)


class ReplicaPrograms:
    """Reads programs from the replica."""

    async def facts(self, connection: Connection, program_id: UUID) -> ProgramFacts | None:
        """Return what is known of a program as it is decided; a guarded commit makes sure that it still holds."""
        row = await _FACTS.fetchrow(connection, {"program_id": program_id})
        if row is None:
            return None
        return ProgramFacts(program_id, ProgramState(row["state"]), row["revision"], row["cancel_offers"])
