"""The tables of the offer service's database."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    literal_column,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from bus.checkpoint import checkpoint_table
from bus.journal import journal_tables

METADATA: Final = MetaData()
JOURNAL: Final = journal_tables(METADATA)
CHECKPOINT: Final = checkpoint_table(METADATA)

OFFER: Final = Table(
    "offer",
    METADATA,
    Column("offer_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("program_id", Uuid, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Index("offer_updated", "updated_at", "offer_id"),
    Index("offer_program", "program_id", "updated_at", "offer_id"),
)
"""The offers. `state` is the serialized `Offer`; the other columns are what the views need."""

BOOKING: Final = Table(
    "booking",
    METADATA,
    Column("offer_id", Uuid, nullable=False),
    Column("resource_key", Uuid, nullable=False),
    Column("resource", Text, nullable=False),
    Column("during", TSTZRANGE, nullable=False),
    Column("forbids", Boolean, nullable=False),
    Index("booking_offer", "offer_id"),
    ExcludeConstraint(
        ("resource_key", "="), ("during", "&&"), where=literal_column("forbids"), using="gist", name="booking_forbids"
    ),
    Index(
        "booking_warns",
        "resource_key",
        "during",
        postgresql_using="gist",
        postgresql_where=literal_column("NOT forbids"),
    ),
)
"""The rooms and trainers of the offers' sessions. No two bookings that forbid may share a resource and a time.

A resource is found by a key of fixed size, made of its name: an index of the names takes five times as long to write.
Each booking stands in one of the two indexes.
"""

RELEASED_PROGRAM: Final = Table(
    "released_program",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("state", Integer, nullable=False),  # a whole int32 number: its source may know more states
)
"""The replica of the programs that were ever released, made of their source's events up to the checkpoint."""
