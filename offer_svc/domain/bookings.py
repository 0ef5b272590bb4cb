"""Which rooms and trainers an offer's sessions need, when, and what it means that another offer has them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from unicodedata import normalize
from uuid import UUID

from offer_svc.domain.errors import DoubleBooking
from offer_svc.domain.offer import Offer, State
from offer_svc.domain.schedule import BookingMode, Place, Schedule

_ROOM: Final = "room:"


@dataclass(frozen=True, slots=True, order=True)
class Booking:
    """A room or a trainer for the time of one session, half-open."""

    resource: str
    start_time: datetime
    end_time: datetime
    offer_id: UUID


@dataclass(frozen=True, slots=True)
class Clash:
    """The time for which another offer has booked the same room or trainer."""

    resource: str
    start_time: datetime
    end_time: datetime
    offer_id: UUID


def held_by(offer: Offer | None) -> tuple[Booking, ...]:
    """List what an offer keeps from others: nothing before it is scheduled, nothing once it is called off."""
    if offer is None or offer.schedule is None or offer.state in {State.CANCELLED, State.DELETED}:
        return ()
    return bookings(offer.offer_id, offer.schedule)


def tolerated(mode: BookingMode | None, clashes: Sequence[Clash]) -> tuple[Clash, ...]:
    """Return the clashes of which the caller is warned, or refuse the first one if clashes are forbidden."""
    if clashes and mode is not BookingMode.WARN:
        first = clashes[0]
        raise DoubleBooking(first.resource, first.start_time, first.end_time)
    return tuple(clashes)


def bookings(offer_id: UUID, schedule: Schedule) -> tuple[Booking, ...]:
    """List the bookings of a schedule, sorted by resource and start: writers that keep this order do not deadlock."""
    return tuple(
        sorted(
            Booking(resource, session.start_time, session.end_time, offer_id)
            for session in schedule.sessions
            for resource in {*_rooms(session.traits.place), *map(trainer_name, session.traits.trainer_ids)}
        )
    )


def booking_key(resource: str) -> str:
    """Return what tells a resource from others: a room's name is the same one however it is spaced and capitalised."""
    if not resource.startswith(_ROOM):
        return resource
    venue, _, room = resource.removeprefix(_ROOM).partition("/")
    return room_name(_plain(venue.replace("%2F", "/").replace("%25", "%")), _plain(room))


def room_name(venue: str, room: str) -> str:
    """Name a room; a slash in the venue's name is written `%2F`, so that two rooms never share a name."""
    return f"{_ROOM}{venue.replace('%', '%25').replace('/', '%2F')}/{room}"


def trainer_name(trainer_id: str) -> str:
    """Name a trainer."""
    return f"trainer:{trainer_id.strip()}"


def _plain(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


def _rooms(place: Place | None) -> tuple[str, ...]:
    return (room_name(place.venue, place.room),) if place is not None and place.room.strip() else ()
