"""The key that seals quotes, kept in the database so that all processes read what one has sealed."""

from secrets import token_bytes
from typing import Final

from sqlalchemy import LargeBinary, bindparam, select
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.postgres import Connections
from chassis.sql import Statement
from offer_svc.adapters.tables import QUOTE_KEY

_BYTES: Final = 32
_MAKE: Final = Statement(
    upsert(QUOTE_KEY).values(secret=bindparam("secret", type_=LargeBinary())).on_conflict_do_nothing()
)
_READ: Final = Statement(select(QUOTE_KEY.c.secret))


async def quote_key(connections: Connections) -> bytes:
    """Return the key; the first process that asks makes it."""
    await _MAKE.execute(connections, {"secret": token_bytes(_BYTES)})
    row = await _READ.fetchrow(connections)
    if row is None:
        raise LookupError("the key was made and is not there")
    return bytes(row["secret"])
