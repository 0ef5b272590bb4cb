"""Words that stand nowhere else, planted in private fields and looked for in everything that leaves a service."""

from collections.abc import Iterable, Sequence

import asyncpg
import nats
from google.protobuf.message import Message
from nats.errors import TimeoutError as NothingMore
from nats.js.api import AckPolicy, ConsumerConfig

_FETCH = 200


class Markers:
    """Makes markers, each named by the field in which it is planted."""

    def __init__(self) -> None:
        self._planted: dict[bytes, str] = {}

    def plant(self, field: str) -> str:
        """Return a word for a field; it survives lower-casing and stemming."""
        word = f"zqx{len(self._planted):04d}qzx"
        self._planted[word.encode()] = field
        return word

    def __len__(self) -> int:
        return len(self._planted)

    @property
    def fields(self) -> set[str]:
        """Name all fields with a marker."""
        return set(self._planted.values())

    def found_in(self, texts: Iterable[bytes]) -> set[str]:
        """Name the fields whose markers stand in any of these."""
        found: set[str] = set()
        for text in texts:
            lower = text.lower()
            if b"zqx" in lower:
                found |= {field for word, field in self._planted.items() if word in lower}
        return found


async def stream_bytes(nats_url: str, stream: str) -> list[bytes]:
    """Return every message of a stream: subject, headers and body."""
    client = await nats.connect(nats_url)
    try:
        jetstream = client.jetstream()
        subscription = await jetstream.pull_subscribe(
            "", stream=stream, config=ConsumerConfig(ack_policy=AckPolicy.NONE)
        )
        found: list[bytes] = []
        total = (await jetstream.stream_info(stream)).state.messages
        while len(found) < total:
            try:
                messages = await subscription.fetch(_FETCH, timeout=2)
            except NothingMore:
                break
            found += [f"{each.subject} {each.headers}".encode() + each.data for each in messages]
        assert len(found) >= total
        return found
    finally:
        await client.close()


async def database_bytes(dsn: str) -> list[bytes]:
    """Return every row of every table of a database, as it is on the wire."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch(  # of a table that is divided, its parts
            "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')"
        )
        found: list[bytes] = []
        for schema, table in tables:

            async def keep(data: bytes, into: list[bytes] = found) -> None:
                into.append(bytes(data))

            await connection.copy_from_table(table, schema_name=schema, output=keep, format="binary")
        return found
    finally:
        await connection.close()


def message_bytes(messages: Sequence[Message]) -> list[bytes]:
    """Return answers as they were sent."""
    return [message.SerializeToString() for message in messages]
