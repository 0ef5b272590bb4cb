"""Single values between messages and the domain.

The wire can carry values that no calendar, clock or currency has. A reader notes each as a fault with its field's path
and goes on with a stand-in, so that the caller learns all of them at once; `Faults.refuse` ends the reading.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from google.type.decimal_pb2 import Decimal as DecimalMessage
from google.type.interval_pb2 import Interval
from google.type.money_pb2 import Money as MoneyMessage
from google.type.timeofday_pb2 import TimeOfDay

from chassis.refusal import InvalidField, Violation
from offer_svc.domain.pricing import Money
from offer_svc.domain.window import Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = -62_135_596_800  # 0001-01-01T00:00:00Z
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
_NANOS = 1_000_000_000
_LOCAL_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")
_DECIMAL = re.compile(r"[+-]?([0-9]{1,18}(\.[0-9]{0,18})?|\.[0-9]{1,18})([eE][+-]?[0-9]{1,2})?")
_NOT_PLACES = frozenset({"Factory", "localtime"})  # files beside the zones that name no place's time
_A_MICROSECOND = timedelta(microseconds=1)

E = TypeVar("E", bound=IntEnum)


class Faults:
    """What a message's fields break, collected while it is read."""

    __slots__ = ("_violations",)

    def __init__(self) -> None:
        self._violations: list[Violation] = []

    def note(self, path: str, rule: str, found: object, needed: str) -> None:
        """Keep one fault."""
        self._violations.append(Violation(path, rule, str(found), needed))

    def refuse(self) -> None:
        """Raise InvalidField if there is any fault."""
        if self._violations:
            paths = ", ".join(dict.fromkeys(violation.field for violation in self._violations))
            raise InvalidField(f"Invalid: {paths}.", violations=tuple(self._violations))


def uuid_from(text: str, path: str, faults: Faults) -> UUID:
    """Read an id."""
    try:
        return UUID(text)
    except ValueError:
        faults.note(path, "uuid", text, "a UUID")
        return UUID(int=0)


def enum_from(kind: Callable[[int], E], number: int, path: str, faults: Faults, otherwise: E) -> E:
    """Read an enum's value; the wire accepts numbers that have no name."""
    try:
        return kind(number)
    except ValueError:
        faults.note(path, "enum", number, "a defined value")
        return otherwise


def instant_from(message: Timestamp, path: str, faults: Faults) -> datetime:
    """Read an instant, to the microsecond: what is finer is cut off."""
    seconds, nanos = message.seconds, message.nanos
    if not (_FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos < _NANOS):
        faults.note(path, "timestamp", f"{seconds} s {nanos} ns", "a time in the years 1 to 9999")
        return _EPOCH
    return _EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def instant_message(instant: datetime) -> Timestamp:
    """Write an instant."""
    since = instant - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def optional_instant(instant: datetime | None) -> Timestamp | None:
    """Write an instant, if there is one."""
    return None if instant is None else instant_message(instant)


def microseconds_of(instant: datetime) -> int:
    """Count the microseconds since 1970."""
    return (instant - _EPOCH) // _A_MICROSECOND


def instant_at(microseconds: int) -> datetime:
    """Return the instant so many microseconds after 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def window_from(message: Interval, path: str, faults: Faults) -> Window:
    """Read an interval; its end may be its start, but not before it."""
    start = end = None
    if message.HasField("start_time"):
        start = instant_from(message.start_time, f"{path}.start_time", faults)
    if message.HasField("end_time"):
        end = instant_from(message.end_time, f"{path}.end_time", faults)
    if start is not None and end is not None and end < start:
        faults.note(path, "interval", f"{start} to {end}", "an end that is not before the start")
    return Window(start, end)


def window_message(window: Window) -> Interval:
    """Write an interval."""
    return Interval(
        start_time=None if window.start is None else instant_message(window.start),
        end_time=None if window.end is None else instant_message(window.end),
    )


def date_from(message: Date, path: str, faults: Faults) -> date:
    """Read a whole date."""
    try:
        return date(message.year, message.month, message.day)
    except ValueError:
        faults.note(path, "date", f"{message.year}-{message.month}-{message.day}", "a day of the calendar")
        return _EPOCH.date()


def time_from(message: TimeOfDay, path: str, faults: Faults) -> time:
    """Read a time of day, in whole seconds; 24:00 is not one."""
    hours, minutes, seconds, nanos = message.hours, message.minutes, message.seconds, message.nanos
    try:
        if nanos == 0:
            return time(hours, minutes, seconds)
    except ValueError:
        pass
    found = f"{hours}:{minutes}:{seconds} and {nanos} ns"
    faults.note(path, "time_of_day", found, "from 00:00:00 to 23:59:59 in whole seconds")
    return time()


def local_time_from(text: str, path: str, faults: Faults) -> datetime:
    """Read a local time such as `2027-03-01T09:00` or, with seconds, `2027-03-01T09:00:00`."""
    try:
        if _LOCAL_TIME.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:
        pass
    faults.note(path, "local_time", text, "a local time such as 2027-03-01T09:00:00")
    return _EPOCH.replace(tzinfo=None)


def zone_from(name: str, path: str, faults: Faults) -> ZoneInfo:
    """Read an IANA time zone's name; only known names are looked up."""
    if name in _zones():
        return ZoneInfo(name)
    faults.note(path, "time_zone", name, "an IANA time zone such as Europe/Berlin")
    return ZoneInfo("UTC")


def decimal_from(message: DecimalMessage, path: str, faults: Faults) -> Decimal:
    """Read a decimal number of at most 18 digits on each side; empty is zero."""
    text = message.value or "0"
    if _DECIMAL.fullmatch(text):
        return Decimal(text)
    faults.note(path, "decimal", text, "a decimal number such as 19 or 7.5")
    return Decimal(0)


def decimal_message(number: Decimal) -> DecimalMessage:
    """Write a decimal number without an exponent."""
    return DecimalMessage(value=f"{number:f}")


def shortest(number: str) -> str:
    """Return the shortest way to write a number, which is the same for equal ones."""
    written = number.rstrip("0").rstrip(".") if "." in number else number
    return "0" if written in {"-0", ""} else written


def money_from(message: MoneyMessage, path: str, faults: Faults) -> Money:
    """Read an amount; units and nanos may not disagree about the sign."""
    units, nanos = message.units, message.nanos
    if not -_NANOS < nanos < _NANOS or (units > 0 > nanos) or (units < 0 < nanos):
        found = f"{units} units {nanos} nanos"
        faults.note(path, "money", found, "less than a unit of nanos, of the units' sign")
        return Money(message.currency_code, Decimal(0))
    amount = Decimal(units) if nanos == 0 else Decimal(units * _NANOS + nanos).scaleb(-9)
    return Money(message.currency_code, amount)


def money_message(money: Money) -> MoneyMessage:
    """Write an amount exactly."""
    units, nanos = divmod(int(money.amount.scaleb(9)), _NANOS)
    return MoneyMessage(currency_code=money.currency, units=units, nanos=nanos)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - _NOT_PLACES)
