"""The tables of the program service's database."""

from typing import Final

from sqlalchemy import BigInteger, Column, DateTime, Index, LargeBinary, MetaData, SmallInteger, Table, Text, Uuid

from bus.commit import AggregateTable
from bus.journal import journal_tables

METADATA: Final = MetaData()
JOURNAL: Final = journal_tables(METADATA)

PROGRAM: Final = Table(
    "program",
    METADATA,
    Column("program_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("author", Text, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("state", LargeBinary, nullable=False),
    Index("program_updated", "updated_at", "program_id"),
    Index("program_author", "author", "updated_at", "program_id"),
)
"""The programs. `state` is the serialized `Program`; the other columns are what the views need."""

PROGRAMS: Final = AggregateTable(PROGRAM, "program_id")
