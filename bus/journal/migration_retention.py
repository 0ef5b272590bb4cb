"""How the journal came to be kept by time; each service's migrations call the step.

A step never changes once it has run anywhere: it spells out the tables as they were then.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

_DIVIDED = "RANGE (recorded_at)"


def add_retention() -> None:
    """Divide the journal by time and give the history a table of its own.

    What the journal has by now is not copied: it becomes the partition of everything until the next midnight.
    """
    op.execute("ALTER TABLE journal RENAME TO journal_before")
    op.execute("ALTER TABLE journal_before DROP CONSTRAINT journal_pkey")
    op.execute("DROP INDEX journal_aggregate")
    _create_journal("journal", divided=True)
    op.execute("CREATE TABLE journal_default PARTITION OF journal DEFAULT")
    _attach_what_there_was()
    op.create_table(
        "history",
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("aggregate_id", "revision", "recorded_at"),
        postgresql_partition_by=_DIVIDED,
    )
    op.execute("CREATE TABLE history_default PARTITION OF history DEFAULT")
    _key_responses_by("request_id, principal, method")
    op.create_index("idempotency_recorded", "idempotency", ["recorded_at"], unique=False)


def drop_retention() -> None:
    """Take `add_retention` back, unless that would lose a history: no journal takes in what was trimmed from it."""
    if op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM history)")):
        raise RuntimeError("the journal was trimmed: to go back would lose the history of what is no longer in it")
    op.drop_index("idempotency_recorded", "idempotency")
    _key_responses_by("principal, method, request_id")
    op.drop_table("history")
    op.execute("ALTER TABLE journal RENAME TO journal_divided")
    op.execute("ALTER TABLE journal_divided RENAME CONSTRAINT journal_pkey TO journal_divided_pkey")
    op.execute("ALTER INDEX journal_aggregate RENAME TO journal_divided_aggregate")
    _create_journal("journal", divided=False)
    op.execute("INSERT INTO journal SELECT * FROM journal_divided")
    op.drop_table("journal_divided")


def _create_journal(name: str, *, divided: bool) -> None:
    time = ["recorded_at"] if divided else []
    op.create_table(
        name,
        sa.Column("lane", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("previous_event_id", sa.Uuid(), nullable=True),
        sa.Column("aggregate_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("principal", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=True),
        sa.Column("traceparent", sa.Text(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("lane", "seq", *time),
        postgresql_partition_by=_DIVIDED if divided else None,
    )
    op.create_index("journal_aggregate", name, ["aggregate_id", "revision", *time], unique=True)


def _attach_what_there_was() -> None:
    latest = op.get_bind().scalar(sa.text("SELECT greatest(max(recorded_at), now()) FROM journal_before"))
    if not op.get_bind().scalar(sa.text("SELECT EXISTS (SELECT FROM journal_before)")):
        op.drop_table("journal_before")
        return
    op.execute("ALTER TABLE journal_before ADD PRIMARY KEY (lane, seq, recorded_at)")
    op.execute("CREATE UNIQUE INDEX journal_before_aggregate ON journal_before (aggregate_id, revision, recorded_at)")
    op.execute(
        "ALTER TABLE journal ATTACH PARTITION journal_before "
        f"FOR VALUES FROM (MINVALUE) TO ('{_midnight_after(latest)}')"
    )


def _midnight_after(time: datetime) -> str:
    """Return the midnight in UTC that ends the day of a time."""
    bind = op.get_bind()
    found = sa.text("SELECT (date_trunc('day', CAST(:time AS timestamptz), 'UTC') + interval '1 day')::text")
    return str(bind.scalar(found, {"time": time}))


def _key_responses_by(columns: str) -> None:
    op.execute(f"ALTER TABLE idempotency DROP CONSTRAINT idempotency_pkey, ADD PRIMARY KEY ({columns})")
