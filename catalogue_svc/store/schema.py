"""The read model's tables.

Each generation has them in a schema of its own, and readers see those of the current one through views (see
`bus.read_store.read_model`). They are never migrated: another version is another read model, filled from the sources
beside the old one.

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
from training.offer.v1.offer_pb2 import Offer

from bus.audit.listed import checksum_column, event_column
from bus.following.checkpoint import checkpoint_table
from bus.following.parked_table import parked_table
from bus.read_store.read_model import definition_of

READ_MODEL: Final = "read_model_2"
"""This version of the read model; readers look names up in the schema of that name."""

METADATA: Final = MetaData()
CHECKPOINT: Final = checkpoint_table(METADATA)
parked_table(METADATA)

# Columns other than ids, revisions and bytes serve filters and order only. Enum values are whole int32 numbers, since a
# sender may know more of them.
PROGRAM: Final = Table(
    "program",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    event_column(),
    Column("state", Integer, nullable=False),
    Column("level", Integer, nullable=False),
    Column("categories", ARRAY(Text), nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("language_ranges", ARRAY(Text), nullable=False),
    Column("texts", Integer, nullable=False),  # how many rows of program_text it has
    checksum_column(),
)

PROGRAM_TEXT: Final = Table(
    "program_text",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("ordinal", Integer, primary_key=True),  # 0 is the base language
    Column("language", Text, nullable=False),
    Column("card", LargeBinary, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    checksum_column(),  # seeded with the program's revision
)

OFFER: Final = Table(
    "offer",
    METADATA,
    Column("offer_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    event_column(),
    Column("program_id", Uuid, nullable=False),
    Column("state", Integer, nullable=False),
    Column("mode", Integer, nullable=False),
    Column("start_time", DateTime(timezone=True), nullable=False),
    Column("free_seats", BigInteger, nullable=False),
    Column("language_ranges", ARRAY(Text), nullable=False),
    Column("card", LargeBinary, nullable=False),
    Column("detail", LargeBinary, nullable=False),
    checksum_column(),
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
    Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
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

SHOWN: Final = ("offer", "program", "program_text", "checkpoint", "parked", "feed", "change")
"""The tables that readers see, in the order in which statements and transactions come to them."""


def definition() -> list[str]:
    """Return the statements that make the tables and their first rows."""
    return [
        *definition_of(METADATA),
        # What is sent in full seldom compresses well; out of line, but as it is, it is read at once.
        "ALTER TABLE program_text ALTER COLUMN detail SET STORAGE EXTERNAL",
        "ALTER TABLE offer ALTER COLUMN detail SET STORAGE EXTERNAL",
        "INSERT INTO feed DEFAULT VALUES",
    ]
