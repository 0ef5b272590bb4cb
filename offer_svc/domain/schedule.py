"""When and where an offer takes place, and the plans from which that is made."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import IntEnum
from zoneinfo import ZoneInfo

from offer_svc.domain.window import Window


class DeliveryMode(IntEnum):
    """How an offer, or one session of it, is held."""

    ONSITE = 1
    ONLINE = 2
    HYBRID = 3
    SELF_PACED = 4


class BookingMode(IntEnum):
    """What happens when a room or a trainer is booked elsewhere at the time."""

    FORBID = 1
    WARN = 2


class Weekday(IntEnum):
    """The days of the week, as ISO 8601 numbers them."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """A postal address, field by field as `google.type.PostalAddress` explains them."""

    region_code: str = ""
    language_code: str = ""
    postal_code: str = ""
    sorting_code: str = ""
    administrative_area: str = ""
    locality: str = ""
    sublocality: str = ""
    address_lines: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """A point on the earth (WGS 84), in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is held; venue and room together can be booked once at a time."""

    venue: str
    room: str = ""
    address: PostalAddress | None = None
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class SessionTraits:
    """How and where a session is held, and who teaches it; the join URI is for those who hold a seat."""

    mode: DeliveryMode
    place: Place | None = None
    join_uri: str = ""
    trainer_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Session:
    """One meeting: its instants in UTC, and the local times and the zone in which it was planned."""

    start_time: datetime
    end_time: datetime
    local_start: datetime
    local_end: datetime
    time_zone: str
    traits: SessionTraits


def whole_mode(modes: Collection[DeliveryMode]) -> DeliveryMode:
    """Return how sessions of these different modes are held together."""
    return next(iter(modes)) if len(modes) == 1 else DeliveryMode.HYBRID


@dataclass(frozen=True, slots=True)
class Schedule:
    """Sessions in order, without overlap, or an access window with a start: never both, never neither."""

    sessions: Sequence[Session] = ()
    access_window: Window | None = None

    @property
    def mode(self) -> DeliveryMode:
        """Return how the whole is held: as its sessions are, HYBRID when they differ."""
        if self.access_window is not None:
            return DeliveryMode.SELF_PACED
        return whole_mode({session.traits.mode for session in self.sessions})

    @property
    def start_time(self) -> datetime | None:
        """Return when the first session starts or the access window opens."""
        return self.access_window.start if self.access_window is not None else self.sessions[0].start_time

    @property
    def end_time(self) -> datetime | None:
        """Return when the last session ends or the access window closes, if ever."""
        return self.access_window.end if self.access_window is not None else self.sessions[-1].end_time


@dataclass(frozen=True, slots=True)
class WeeklyRule:
    """Meetings on days of the week; an end at or before the start is on the next day."""

    first_date: date
    last_date: date
    days: tuple[Weekday, ...]
    start: time
    end: time
    zone: ZoneInfo
    traits: SessionTraits
    exceptions: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True)
class SingleSession:
    """One meeting by its own local times."""

    local_start: datetime
    local_end: datetime
    zone: ZoneInfo
    traits: SessionTraits


@dataclass(frozen=True, slots=True)
class SchedulePlan:
    """A schedule as a caller gives it."""

    weekly_rules: tuple[WeeklyRule, ...] = ()
    sessions: tuple[SingleSession, ...] = ()
    access_window: Window | None = None
    booking_mode: BookingMode = BookingMode.FORBID
