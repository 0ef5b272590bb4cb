"""What the journal and the rows say of an offer's seats, counted anew by other code than the service's.

The judge reads every revision in order, and holds against it: never oversold, no seat lost, whoever came first is
first, one live reservation for each participant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
from training.offer.v1 import events_pb2 as pb

_TAKES = {"seats_held": "HELD", "waitlist_promoted": "HELD", "hold_extended": "HELD", "seats_confirmed": "CONFIRMED"}
_GIVES = {"seats_released": "RELEASED", "hold_expired": "EXPIRED", "waitlist_left": "RELEASED"}
_STATES = {1: "WAITING", 2: "HELD", 3: "CONFIRMED", 4: "RELEASED", 5: "EXPIRED", 6: "CANCELLED"}
_LIVE = {"WAITING", "HELD", "CONFIRMED"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One revision in the journal."""

    revision: int
    seq: int
    principal: str
    record: pb.OfferRevisionRecord
    event: pb.OfferEvent | None


@dataclass(frozen=True, slots=True)
class Row:
    """One reservation's row."""

    participant: str | None
    state: str
    seats: int


@dataclass(slots=True)
class Count:
    """What a reader of the journal has counted so far."""

    maximum: int = 0
    opening: int = 0
    states: dict[str, str] = field(default_factory=dict)
    seats: dict[str, int] = field(default_factory=dict)
    line: list[str] = field(default_factory=list)
    pending: bool = False
    closed: bool = False

    @property
    def taken(self) -> int:
        """Count the seats that are taken."""
        held = sum(self.seats[each] for each, state in self.states.items() if state in {"HELD", "CONFIRMED"})
        return self.opening + held

    def take(self, change: pb.OfferChange) -> None:
        """Count one change."""
        kind = change.WhichOneof("kind")
        assert kind is not None
        body = getattr(change, kind)
        if kind in {"created", "capacity_set", "definition_changed"}:
            self.maximum, self.opening = body.capacity.maximum, body.capacity.opening_balance
        elif kind == "promotion_pending":
            self.pending = body.pending
        elif kind in {"sales_closed", "sales_reopened"}:
            self.closed = kind == "sales_closed"
        elif kind == "waitlist_joined":
            self._new(body, "WAITING")
            self.line.append(body.reservation_id)
        elif kind == "seats_held":
            assert not self.line, "seats were given past those who wait"
            self._new(body, "HELD")
        elif kind == "waitlist_promoted":
            assert self.line[0] == body.reservation_id, "a seat was given past the first who waits"
            self._leave_line(body.reservation_id)
            self.states[body.reservation_id] = "HELD"
        elif kind in _TAKES | _GIVES:
            assert self.states[body.reservation_id] in _LIVE, f"{kind} of what was over"
            if kind == "waitlist_left":
                self._leave_line(body.reservation_id)
            self.states[body.reservation_id] = (_TAKES | _GIVES)[kind]
        elif kind == "called_off":
            ends = {"WAITING": "RELEASED", "HELD": "RELEASED", "CONFIRMED": "CANCELLED"}
            self.states = {each: ends.get(state, state) for each, state in self.states.items()}
            self.line, self.pending = [], False

    def _new(self, body: pb.ReservationChanged, state: str) -> None:
        assert body.reservation_id not in self.states, "a reservation was made twice"
        self.states[body.reservation_id], self.seats[body.reservation_id] = state, body.seats

    def _leave_line(self, reservation_id: str) -> None:
        self.line.remove(reservation_id)


async def journal_of(dsn: str, offer_id: str) -> Sequence[Entry]:
    """Read the revisions of an offer, in order."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT revision, seq, principal, public, private FROM journal WHERE aggregate_id = $1 ORDER BY revision",
            UUID(offer_id),
        )
    finally:
        await connection.close()
    return [
        Entry(
            row["revision"],
            row["seq"],
            row["principal"],
            pb.OfferRevisionRecord.FromString(row["private"]),
            pb.OfferEvent.FromString(row["public"]) if row["public"] else None,
        )
        for row in rows
    ]


async def rows_of(dsn: str, offer_id: str) -> Mapping[str, Row]:
    """Read the rows of an offer's reservations."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT reservation_id, participant, status, seats FROM reservation WHERE offer_id = $1", UUID(offer_id)
        )
    finally:
        await connection.close()
    return {str(row["reservation_id"]): Row(row["participant"], _STATES[row["status"]], row["seats"]) for row in rows}


async def judge(dsn: str, offer_id: str) -> Count:
    """Read the whole journal of an offer, check every revision, compare the end with the rows; return the count."""
    entries, rows, count = await journal_of(dsn, offer_id), await rows_of(dsn, offer_id), Count()
    assert [entry.revision for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.seq for entry in entries] == sorted(entry.seq for entry in entries)
    whose = {reservation_id: row.participant for reservation_id, row in rows.items()}
    for entry in entries:
        for change in entry.record.changes:
            count.take(change)
        where = f"at revision {entry.revision} ({entry.record.command})"
        assert count.taken <= count.maximum, f"oversold {where}"
        if count.line and not count.pending and not count.closed:
            assert count.seats[count.line[0]] > count.maximum - count.taken, f"a seat was lost {where}"
        live = [whose[each] for each, state in count.states.items() if state in _LIVE and whose[each] is not None]
        assert len(live) == len(set(live)), f"a participant had two live reservations {where}"
        if entry.event is not None:
            shown = entry.event.offer
            held = sum(count.seats[each] for each, state in count.states.items() if state == "HELD")
            told = (shown.seats_taken, shown.seats_held, shown.waiting, shown.capacity.maximum)
            assert told == (count.taken, held, len(count.line), count.maximum), f"told otherwise {where}"
    assert {each: row.state for each, row in rows.items()} == count.states
    assert {each: row.seats for each, row in rows.items()} == count.seats
    return count
