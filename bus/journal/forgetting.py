"""Forgetting a person in the stored responses, which would otherwise repeat the name for as long as they are kept."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import ARRAY, LargeBinary, Text, Uuid, bindparam, func, null, select, update

from bus.journal.tables import JOURNAL
from chassis.postgres import Connection
from chassis.sql import Statement

Redact = Callable[[str, bytes], bytes]
"""Returns the response of a method, both given, without the person."""

_STORED: Final = JOURNAL.idempotency
_AT_ONCE: Final = 500
_NO_REQUEST: Final = func.uuid_send(func.gen_random_uuid())
"""A random fingerprint, which no request has: whoever guesses a name could try it on the one that was there."""
_KEYS: Final = (_STORED.c.principal, _STORED.c.method, _STORED.c.request_id)
_ABOUT: Final = Statement(
    select(*_KEYS, _STORED.c.response)
    .where(_STORED.c.subject == bindparam("about", type_=Text()))
    .order_by(*_KEYS)  # two that forget the same person wait for each other, and never in a circle
    .limit(_AT_ONCE)
    .with_for_update()
)


def _rewriting() -> Statement:
    given = (
        func.unnest(
            bindparam("principals", type_=ARRAY(Text())),
            bindparam("methods", type_=ARRAY(Text())),
            bindparam("request_ids", type_=ARRAY(Uuid())),
            bindparam("responses", type_=ARRAY(LargeBinary())),
        )
        .table_valued("principal", "method", "request_id", "response")
        .render_derived("given")
    )
    same = (column == given.c[column.name] for column in _KEYS)
    values = {"response": given.c.response, "subject": null(), "fingerprint": _NO_REQUEST}
    return Statement(update(_STORED).where(*same).values(values))


_REWRITE: Final = _rewriting()


async def forget(connection: Connection, subject: str, redact: Redact) -> int:
    """Rewrite the stored responses about a person without that person; return how many there were.

    Run inside a transaction. The responses are nobody's from then on, so that forgetting again finds nothing. Nor can
    it be told which requests they answered: one that is repeated is refused as another request with its id.
    """
    forgotten = 0
    while rows := await _ABOUT.fetch(connection, {"about": subject}):
        await _REWRITE.execute(
            connection,
            {
                "principals": [row["principal"] for row in rows],
                "methods": [row["method"] for row in rows],
                "request_ids": [row["request_id"] for row in rows],
                "responses": [redact(row["method"], row["response"]) for row in rows],
            },
        )
        forgotten += len(rows)
    return forgotten
