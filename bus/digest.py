"""The digest by which a copy is compared with its source: the same formula on both sides, or nothing is ever equal."""

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Subquery, Text, cast, func, literal_column
from sqlalchemy.dialects.postgresql import BIT

_SIXTY_FOUR_BITS: Final = 2**64 - 1


def digest_of(rows: Subquery) -> ColumnElement[Any]:
    """Return the SQL for the digest of rows with `id`, `revision` and `event_id`, in whatever order; 0 of none."""
    hashed = func.md5(
        func.uuid_send(rows.c.id).op("||")(func.int8send(rows.c.revision)).op("||")(func.uuid_send(rows.c.event_id))
    )
    bits = cast(literal_column("'x'", Text()).op("||")(func.left(hashed, literal_column("16"))), BIT(64))
    return func.coalesce(func.bit_xor(cast(bits, BigInteger)), literal_column("0"))


def as_told(digest: int) -> int:
    """Return a digest as it is told, without a sign."""
    return digest & _SIXTY_FOUR_BITS
