"""Single values between protobuf and the domain; whatever the wire can carry becomes a value or a violation.

A reader that finds a fault notes it and returns a stand-in; the caller refuses when it has read everything, so that
every violation is told at once.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.decimal_pb2 import Decimal as DecimalMessage

from chassis.refusal import InvalidField, Violation

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NO_ID: Final = UUID(int=0)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
# Plain notation: an exponent would let a few bytes stand for a number of any size.
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})", re.ASCII)
_NANOS: Final = 1_000_000_000
_FIRST_SECOND: Final = -62_135_596_800  # 0001-01-01T00:00:00Z
_LAST_SECOND: Final = 253_402_300_799  # 9999-12-31T23:59:59Z
_LONGEST_DURATION: Final = 315_576_000_000  # 10,000 years, as google.protobuf.Duration says


def refuse(faults: list[Violation]) -> None:
    """Raise InvalidField if anything was found."""
    if faults:
        raise InvalidField("The request breaks rules of its fields.", violations=tuple(faults))


def read_id(text: str, path: str, faults: list[Violation]) -> UUID:
    """Read a UUID in its canonical form; upper case means the same."""
    if _UUID.fullmatch(text) is None:
        faults.append(Violation(path, "uuid.form", text, "a UUID, such as 0190163d-8694-739b-aea5-966c26f8ad91"))
        return _NO_ID
    return UUID(text)


def the_id(text: str, path: str) -> UUID:
    """Read the UUID that is all there is to read; raises InvalidField."""
    faults: list[Violation] = []
    id_ = read_id(text, path, faults)
    refuse(faults)
    return id_


def read_optional_id(text: str, path: str, faults: list[Violation]) -> UUID | None:
    """Read a UUID that may be absent."""
    return read_id(text, path, faults) if text else None


def read_time(message: Timestamp, path: str, faults: list[Violation]) -> datetime:
    """Read an instant in whole microseconds."""
    seconds, nanos = message.seconds, message.nanos
    if not (_FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos < _NANOS):
        faults.append(
            Violation(path, "timestamp.range", f"{seconds} s {nanos} ns", "an instant in the years 1 to 9999")
        )
        return EPOCH
    if nanos % 1000:
        faults.append(Violation(path, "timestamp.precision", f"{nanos} ns", "whole microseconds"))
    return EPOCH + timedelta(seconds=seconds, microseconds=nanos // 1000)


def read_duration(message: Duration, path: str, faults: list[Violation]) -> timedelta:
    """Read a duration in whole microseconds."""
    seconds, nanos = message.seconds, message.nanos
    if nanos == 0 and 0 <= seconds <= _LONGEST_DURATION:  # nearly always, and in a third of the time
        return timedelta(0, seconds)
    if not (abs(seconds) <= _LONGEST_DURATION and abs(nanos) < _NANOS and seconds * nanos >= 0):
        found = f"{seconds} s {nanos} ns"
        faults.append(Violation(path, "duration.range", found, "at most 10,000 years, seconds and nanos of one sign"))
        return timedelta()
    if nanos % 1000:
        faults.append(Violation(path, "duration.precision", f"{nanos} ns", "whole microseconds"))
    return timedelta(seconds=seconds, microseconds=nanos // 1000)


def read_decimal(message: DecimalMessage, path: str, faults: list[Violation]) -> Decimal:
    """Read a decimal number in plain notation; an empty one is zero, as google.type.Decimal says."""
    text = message.value
    if not text:
        return Decimal(0)
    if _DECIMAL.fullmatch(text) is None:
        needed = "a decimal number of up to 18 digits and 9 more after the point, without exponent"
        faults.append(Violation(path, "decimal.form", text[:50], needed))
        return Decimal(0)
    return Decimal(text)


def read_mask(
    mask: FieldMask, known: tuple[str, ...], given: Iterable[str], faults: list[Violation]
) -> tuple[str, ...]:
    """Read which of the known fields an update takes: those that are given unless it says, all of them with `*`."""
    paths = mask.paths
    if not paths:
        return tuple(given)
    faults.extend(
        Violation("update_mask", "field_mask.path", path, f"some of {', '.join(known)}, or *")
        for path in paths
        if path != "*" and path not in known
    )
    return known if "*" in paths else tuple(name for name in known if name in paths)


def fill_time(message: Timestamp, instant: datetime) -> None:
    """Write an instant into its message."""
    since = instant - EPOCH
    message.seconds = since.days * 86_400 + since.seconds
    message.nanos = since.microseconds * 1000


def fill_duration(message: Duration, duration: timedelta) -> None:
    """Write a duration into its message, seconds and nanos of one sign."""
    sign = 1
    if duration.days < 0:
        sign, duration = -1, -duration
    message.seconds = sign * (duration.days * 86_400 + duration.seconds)
    message.nanos = sign * duration.microseconds * 1000


def write_optional_id(id_: UUID | None) -> str:
    """Write a UUID that may be absent."""
    return "" if id_ is None else str(id_)


def microseconds(instant: datetime) -> int:
    """Count the microseconds since the epoch."""
    return (instant - EPOCH) // timedelta(microseconds=1)
