"""How a commit changes the reservations of an offer: one by one as commands name them, or all of a state at once.

A participant's name is written when its row is made and never again, except to erase it: so a commit that was decided
before an erasure can't bring the name back.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    DateTime,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

from bus.commands.commit import done, written
from offer_svc.adapters.tables import RESERVATION
from offer_svc.domain.changes import OfferCalledOff, OfferEnded, ParticipantErased
from offer_svc.domain.keeping import CALLED_OFF, ENDED
from offer_svc.domain.reservation import Reservation

_TIME: Final = DateTime(timezone=True)
_CHANGED: Final[Mapping[str, TypeEngine[Any]]] = {
    "status": SmallInteger(),
    "expires_at": _TIME,
    "updated_at": _TIME,
    "details": LargeBinary(),
}
_MADE: Final[Mapping[str, TypeEngine[Any]]] = {
    "reservation_id": Uuid(),
    "participant": Text(),
    "seats": Integer(),
    "wait_number": BigInteger(),
    "created_at": _TIME,
    **_CHANGED,
}
_MADE_NAMES: Final = tuple(f"made_{name}" for name in _MADE)
_CHANGED_NAMES: Final = ("changed_reservation_id", *(f"changed_{name}" for name in _CHANGED))


class ReservationRows:
    """The rows that one commit makes and changes: each once, as it is after all of the commit's revisions."""

    __slots__ = ("changed", "made")

    def __init__(self) -> None:
        self.made: dict[object, tuple[object, ...]] = {}
        self.changed: dict[object, tuple[object, ...]] = {}

    def make(self, row: Reservation, details: bytes) -> None:
        """Take a reservation that is new."""
        self.made[row.reservation_id] = (
            row.reservation_id,
            row.participant,
            row.seats,
            row.wait_number,
            row.create_time,
            row.state.value,
            row.expire_time,
            row.update_time,
            details,
        )

    def change(self, row: Reservation, details: bytes) -> None:
        """Take a reservation as it is after a further change."""
        self._change((row.reservation_id, row.state.value, row.expire_time, row.update_time, details))

    def add(self, later: "ReservationRows") -> None:
        """Take what a further revision makes and changes."""
        self.made |= later.made
        for row in later.changed.values():
            self._change(row)

    def parameters(self) -> dict[str, object]:
        """Return the parameters that write them."""
        made, changed = self.made.values(), self.changed.values()
        return {
            **{name: [row[place] for row in made] for place, name in enumerate(_MADE_NAMES)},
            **{name: [row[place] for row in changed] for place, name in enumerate(_CHANGED_NAMES)},
        }

    def _change(self, row: tuple[object, ...]) -> None:
        made = self.made.get(row[0])
        if made is None:
            self.changed[row[0]] = row
        else:
            self.made[row[0]] = made[: -len(_CHANGED)] + row[1:]


SAME_RESERVATIONS: Final[Mapping[str, object]] = ReservationRows().parameters()
"""The parameters of a commit that makes and changes none."""

NONE_ENDED: Final[Mapping[str, object]] = {"ended_from": [], "ended_to": [], "ended_at": None, "erased_ids": []}
"""The parameters of a commit that neither ends nor erases any."""


def ending(change: OfferCalledOff | OfferEnded, at: datetime) -> Mapping[str, object]:
    """Return the parameters that end the reservations of an offer that is over, without loading them."""
    ends = CALLED_OFF if isinstance(change, OfferCalledOff) else ENDED
    return {
        "ended_from": [state.value for state in ends],
        "ended_to": [state.value for state in ends.values()],
        "ended_at": at,
    }


def erasing(change: ParticipantErased) -> Mapping[str, object]:
    """Return the parameters that take the name off reservations."""
    return {"erased_ids": list(change.reservation_ids)}


def _given(prefix: str, columns: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    arrays = (bindparam(f"{prefix}_{name}", type_=ARRAY(kind)) for name, kind in columns.items())
    return func.unnest(*arrays).table_valued(*columns).render_derived(f"given_{prefix}")


def write_reservations(aggregate: CTE, after: CTE) -> Sequence[CTE]:
    """Change, make, end and erase reservations, once the part before is done.

    Those that are given up come before those that are made, since a participant has one live reservation of an offer.
    """
    table, offer_id = RESERVATION, bindparam("aggregate_id", type_=Uuid())
    given = _given("changed", {"reservation_id": Uuid(), **_CHANGED})
    changed = (
        update(table)
        .where(
            table.c.reservation_id == given.c.reservation_id,
            # Said once more, so that a plan made while the table was small looks them up by their ids, too.
            table.c.reservation_id == func.any(bindparam("changed_reservation_id", type_=ARRAY(Uuid()))),
            written(aggregate),
            done(after),
        )
        .values({name: given.c[name] for name in _CHANGED})
        .returning(table.c.reservation_id)
        .cte("changed_reservations")
    )
    new = _given("made", _MADE)
    rows = select(offer_id, *(new.c[name] for name in _MADE)).where(written(aggregate), done(changed))
    made = (
        insert(table).from_select(["offer_id", *_MADE], rows).returning(table.c.reservation_id).cte("made_reservations")
    )
    ends, ended_at = _given("ended", {"from": SmallInteger(), "to": SmallInteger()}), bindparam("ended_at", type_=_TIME)
    ended = (
        update(table)
        .where(
            ended_at.is_not(None),  # without it, nothing is looked at
            table.c.offer_id == offer_id,
            table.c.status == ends.c["from"],
            written(aggregate),
            done(made),
        )
        .values(status=ends.c.to, expires_at=null(), updated_at=ended_at)
        .returning(table.c.reservation_id)
        .cte("ended_reservations")
    )
    erased_ids = bindparam("erased_ids", type_=ARRAY(Uuid()))
    erased = (
        update(table)
        .where(
            func.cardinality(erased_ids) > literal_column("0"),  # without any, nothing is looked at
            table.c.offer_id == offer_id,
            table.c.reservation_id == func.any(erased_ids),
            written(aggregate),
            done(ended),
        )
        .values(participant=null(), updated_at=bindparam("updated_at", type_=_TIME))
        .returning(table.c.reservation_id)
        .cte("erased_reservations")
    )
    return changed, made, ended, erased
