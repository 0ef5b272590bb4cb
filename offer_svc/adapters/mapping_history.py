"""The history of an offer, as its private records tell it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from training.offer.v1 import events_pb2 as pb

from offer_svc.adapters.mapping_values import instant_message

_CHANGED_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "price_list_set": ("price_list",),
    "sessions_scheduled": ("schedule", "booking_mode"),
    "made_public": ("state", "publish_time"),
    "called_off": ("state", "cancellation", "seats"),
    "capacity_set": ("capacity",),
    "sales_closed": ("sales_closed",),
    "sales_reopened": ("sales_closed",),
    "moved": ("schedule", "booking_mode", "previous_dates", "leave_until"),
    "deleted": ("state",),
    "ended": ("state", "complete_time", "seats"),
    "minimum_decided": ("at_risk", "decide_time"),
    "seats_held": ("seats",),
    "hold_extended": (),
    "seats_confirmed": ("seats",),
    "seats_released": ("seats",),
    "hold_expired": ("seats",),
    "waitlist_joined": ("seats",),
    "waitlist_left": ("seats",),
    "waitlist_promoted": ("seats",),
    "promotion_pending": ("seats",),
    "participant_erased": (),
}
"""Which fields of `Offer` a change touches; of those that tell it themselves, see `_changed_fields`."""


class Recorded(Protocol):
    """What the journal keeps of a revision."""

    @property
    def revision(self) -> int:
        """Return its number."""
        ...

    @property
    def recorded_at(self) -> datetime:
        """Return when it was accepted."""
        ...

    @property
    def principal(self) -> str:
        """Return who caused it."""
        ...

    @property
    def private(self) -> bytes:
        """Return its private record."""
        ...


def history_entry(recorded: Recorded) -> pb.HistoryEntry:
    """Tell a revision: who, when, by which command, and what changed."""
    kept = pb.OfferRevisionRecord.FromString(recorded.private)
    return pb.HistoryEntry(
        revision=recorded.revision,
        time=instant_message(recorded.recorded_at),
        actor=recorded.principal,
        command=kept.command,
        changed_fields=dict.fromkeys(name for change in kept.changes for name in _changed_fields(change)),
        changes=kept.changes,
    )


def _changed_fields(change: pb.OfferChange) -> Sequence[str]:
    """Return the names in `Offer` of what a change touches; a kind of later versions is told without them."""
    kind = change.WhichOneof("kind")
    match kind:
        case None:
            return ()
        case "created":
            return ("state", *(given.name for given, _ in change.created.ListFields()))
        case "definition_changed":
            return change.definition_changed.changed_fields
        case _:
            return _CHANGED_FIELDS[kind]
