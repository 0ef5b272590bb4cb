"""The secret by which the ids of reviewers are made, kept in the database so that all processes make the same ones."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from chassis.postgres import Connections
from chassis.sql import Statement
from program_svc.adapters.tables import REVIEWER_NAMESPACE

_READ: Final = Statement(select(REVIEWER_NAMESPACE.c.namespace))


async def reviewer_namespace(connections: Connections) -> UUID:
    """Return the namespace, which the migrations made."""
    row = await _READ.fetchrow(connections)
    if row is None:
        raise LookupError("the namespace of reviewers was made and is not there")
    namespace: UUID = row["namespace"]
    return namespace
