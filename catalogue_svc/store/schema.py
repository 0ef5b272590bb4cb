"""The read model's tables.

They stand in a PostgreSQL schema named by the read model's version. They are never migrated: another version is
another schema, filled from the streams, beside the old one.

Whatever readers see changes only in a transaction that also moves a checkpoint, so equal versions of all checkpoints in
two snapshots mean that both show the same entries.

An entry's bytes are stored in two parts, ready to send: `card` is the BASIC view, and `card` followed by `detail` is
the FULL view (Protobuf merges what is concatenated).
"""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from training.offer.v1.offer_pb2 import Offer

from bus.checkpoint import checkpoint_table
from bus.lease import lease_table
from chassis.postgres import Connections

READ_MODEL: Final = "read_model_1"
"""The schema of this version of the read model."""

METADATA: Final = MetaData()
CHECKPOINT: Final = checkpoint_table(METADATA)
LEASE: Final = lease_table(METADATA)

# Columns other than ids, revisions and bytes serve filters and order only. Enum values are whole int32 numbers, since a
# sender may know more of them.
PROGRAM: Final = Table(
    "program",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("state", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("language_ranges", ARRAY(Text), nullable=False),
    Column("texts", Integer, nullable=False),  # how many rows of program_text it has
)

PROGRAM_TEXT: Final = Table(
    "program_text",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("ordinal", Integer, primary_key=True),  # 0 is the base language
    Column("language", Text, nullable=False),
    Column("card", LargeBinary, nullable=False),
    Column("detail", LargeBinary, nullable=False),
)

OFFER: Final = Table(
    "offer",
    METADATA,
    Column("offer_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("program_id", Uuid, nullable=False),
    Column("state", Integer, nullable=False),
    Column("mode", Integer, nullable=False),
    Column("start_time", DateTime(timezone=True), nullable=False),
    Column("free_seats", BigInteger, nullable=False),
    Column("language_ranges", ARRAY(Text), nullable=False),
    Column("card", LargeBinary, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    postgresql_with={"fillfactor": 85},  # seats and prices change often, in place: no index has them
)

FEED: Final = Table(
    "feed",
    METADATA,
    Column("feed", SmallInteger, primary_key=True, server_default="1"),
    Column("incarnation", Uuid, nullable=False, server_default=func.gen_random_uuid()),
    Column("position", BigInteger, nullable=False, server_default="0"),
)
"""One row: which read store this is, and the position of its last change."""

CHANGE: Final = Table(
    "change",
    METADATA,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, nullable=False),
    Column("id", Uuid, nullable=False),
)
"""What changed, at positions without gaps, in the order of commit."""

PROGRAM_KIND: Final = 1
OFFER_KIND: Final = 2

# The order of lists; offers that have ended are many and seldom asked for, so they have an index apart.
Index(
    "offer_listed",
    OFFER.c.start_time,
    OFFER.c.offer_id,
    postgresql_where=OFFER.c.state == text(str(Offer.STATE_PUBLISHED)),
)
Index("offer_all", OFFER.c.start_time, OFFER.c.offer_id)
Index("offer_of_program", OFFER.c.program_id, OFFER.c.start_time, OFFER.c.offer_id)
# Deliberate: it costs a write about a fifth, but programs change seldom and every filter on them can use it. Modes,
# languages and free seats of offers select too little to be worth an index.
Index(
    "program_facets",
    PROGRAM.c.categories,
    PROGRAM.c.tags,
    PROGRAM.c.language_ranges,
    postgresql_using="gin",
)

_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call]
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('training read model'))"


def definition() -> list[str]:
    """Return the statements that make the tables and their first rows."""
    tables = METADATA.sorted_tables
    made = [str(CreateTable(table).compile(dialect=_DIALECT)) for table in tables]
    made += [
        str(CreateIndex(index).compile(dialect=_DIALECT))
        for table in tables
        for index in sorted(table.indexes, key=str)
    ]
    # What is sent in full seldom compresses well; out of line, but as it is, it is read at once.
    made += ["ALTER TABLE program_text ALTER COLUMN detail SET STORAGE EXTERNAL"]
    made += ["ALTER TABLE offer ALTER COLUMN detail SET STORAGE EXTERNAL"]
    return [*made, "INSERT INTO feed DEFAULT VALUES"]


async def create(connections: Connections, schema: str = READ_MODEL) -> None:
    """Make the schema and its tables unless they are there; any number of processes may do it at once."""
    async with connections.transaction() as connection:
        await connection.execute(_LOCK)
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        await connection.execute(f'SET LOCAL search_path TO "{schema}"')
        if await connection.fetchval("SELECT to_regclass('feed')") is None:
            for statement in definition():
                await connection.execute(statement)
