"""The tables of the offer service's database."""

from typing import Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
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
    and_,
    literal_column,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint

from bus.audit.listed import checksum_column, event_column
from bus.following.checkpoint import checkpoint_table
from bus.following.parked_table import parked_table
from bus.journal.published import published_columns
from bus.journal.tables import journal_tables
from offer_svc.adapters.numbers import having
from offer_svc.domain.context import ProgramState
from offer_svc.domain.offer import State
from offer_svc.domain.reservation import LIVE, ReservationState

METADATA: Final = MetaData()
JOURNAL: Final = journal_tables(METADATA)

OFFER: Final = Table(
    "offer",
    METADATA,
    Column("offer_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("program_id", Uuid, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("starts_at", DateTime(timezone=True)),
    Column("trainers", ARRAY(Text), nullable=False),
    Column("state", LargeBinary, nullable=False),
    *published_columns(),
    Index("offer_updated", "updated_at", "offer_id"),
    Index("offer_program", "program_id", "updated_at", "offer_id"),
    Index("offer_due", "due_at", "offer_id", postgresql_where=literal_column("due_at IS NOT NULL")),
    Index("offer_published", "program_id", "offer_id", postgresql_where=having("status", State.PUBLISHED)),
    Index("offer_trainers", "trainers", postgresql_using="gin", postgresql_where=literal_column("trainers <> '{}'")),
)
"""The offers. `state` is the serialized `Offer`; the other columns are what the views and the timekeeper need.

`due_at` is when time itself next changes the offer: the decision deadline, its end, or seats to be given at once.
"""

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

RESERVATION: Final = Table(
    "reservation",
    METADATA,
    Column("reservation_id", Uuid, primary_key=True),
    Column("offer_id", Uuid, nullable=False),
    Column("participant", Text),
    Column("status", SmallInteger, nullable=False),
    Column("seats", Integer, nullable=False),
    Column("wait_number", BigInteger, nullable=False),
    Column("expires_at", DateTime(timezone=True)),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("details", LargeBinary, nullable=False),
    Index(
        "reservation_live",
        "offer_id",
        "participant",
        unique=True,
        postgresql_where=having("status", *LIVE),
    ),
    Index("reservation_held", "expires_at", "offer_id", postgresql_where=having("status", ReservationState.HELD)),
    Index(
        "reservation_waiting", "offer_id", "wait_number", postgresql_where=having("status", ReservationState.WAITING)
    ),
    Index("reservation_offer", "offer_id", "created_at", "reservation_id"),
    Index(
        "reservation_participant",
        "participant",
        "created_at",
        "reservation_id",
        postgresql_where=literal_column("participant IS NOT NULL"),
    ),
)
"""The reservations and the waitlists of the offers, changed in the commits of their offer's revisions only.

`details` is the serialized `Reservation` without its participant, whose name stands in one column and nowhere else: to
forget it is to clear that column. `status` and `updated_at` are right where `details` tell otherwise: calling an offer
off changes the columns of all its reservations at once. A participant has one live reservation of an offer at most.
"""

QUOTE_KEY: Final = Table(
    "quote_key",
    METADATA,
    Column("single", Boolean, primary_key=True, server_default="true"),
    Column("secret", LargeBinary, nullable=False),
    CheckConstraint("single", name="quote_key_single"),
)
"""The key that seals quotes: one row, made when the service first starts, the same for all its processes."""

READ_MODEL: Final = "program_replica_1"
"""This version of the copy of the programs, and the schema in which commands find the current generation's."""

REPLICA: Final = MetaData()
checkpoint_table(REPLICA)
parked_table(REPLICA)
RELEASED_PROGRAM: Final = Table(
    "released_program",
    REPLICA,
    Column("program_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    event_column(),
    Column("state", Integer, nullable=False),  # a whole int32 number: its source may know more states
    Column("cancel_offers", Boolean, nullable=False, server_default="false"),
    checksum_column(),
    Index(
        "released_program_cancelling",
        "program_id",
        postgresql_where=and_(having("state", ProgramState.RETIRED), literal_column("cancel_offers")),
    ),
)
"""The replica of the programs that were ever released, made of their source's events up to the checkpoint."""

KNOWN_PROGRAM: Final = RELEASED_PROGRAM.to_metadata(MetaData(), schema=READ_MODEL)
"""The same programs as commands read and lock them: through a view, whichever generation is current."""

SHOWN: Final = ("released_program", "checkpoint", "parked")
"""The tables of the replica that are read, in the order in which statements and transactions come to them."""
