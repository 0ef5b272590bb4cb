"""What the end of a stream means, and how long to wait before the next try."""

import random
import time
from enum import Enum, auto
from typing import Final

import grpc
import grpc.aio
from google.protobuf.message import DecodeError
from google.rpc.status_pb2 import Status

from chassis.status import DETAILS_KEY

_PASSING: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
    }
)
_FINAL: Final = frozenset(
    {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED}
)
_WRITE_FAILED: Final = "Internal error from Core"
"""What gRPC says by itself of a stream that ended while a row was being written, in place of the service's status."""
_PASSING_NUMBERS: Final = frozenset(code.value[0] for code in _PASSING | {grpc.StatusCode.RESOURCE_EXHAUSTED})


class Meaning(Enum):
    """What a failed stream calls for."""

    CONNECT_AGAIN = auto()
    SUSPECT_ROWS = auto()  # one of the unanswered rows is what ended it
    UNCERTAIN = auto()  # either of both
    GIVE_UP = auto()


class ImportAborted(Exception):
    """The import can't go on; `reachable` tells whether a service answered at all."""

    def __init__(self, message: str, *, reachable: bool) -> None:
        super().__init__(message)
        self.reachable: Final = reachable


async def status_of(call: grpc.aio.Call) -> Status:
    """Return the status with which a stream ended, with the service's details if it gave any."""
    code = await call.code()
    for key, value in await call.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                break
    details = await call.details() or ""
    return Status(code=code.value[0], message=details)


def meaning_of(status: Status) -> Meaning:
    """Tell what the end of a stream calls for."""
    code = next((code for code in grpc.StatusCode if code.value[0] == status.code), grpc.StatusCode.UNKNOWN)
    # Without details it is not a service that is too busy, but gRPC that finds a message too large.
    busy = code is grpc.StatusCode.RESOURCE_EXHAUSTED and bool(status.details)
    if code is grpc.StatusCode.OK or code in _PASSING or busy:
        return Meaning.CONNECT_AGAIN
    if code is grpc.StatusCode.INTERNAL and status.message == _WRITE_FAILED:
        return Meaning.UNCERTAIN
    return Meaning.GIVE_UP if code in _FINAL else Meaning.SUSPECT_ROWS


def passes(status: Status) -> bool:
    """Tell whether the same row may well be accepted a little later."""
    return status.code in _PASSING_NUMBERS


class Patience:
    """How long nothing may get on; every sign of progress renews it. All times in seconds."""

    FIRST_PAUSE: Final = 0.1
    LONGEST_PAUSE: Final = 2.0

    def __init__(self, retry_for: float) -> None:
        self._retry_for = retry_for
        self.renew()

    def renew(self) -> None:
        """Note that something got on."""
        self._since = time.monotonic()
        self._pause = self.FIRST_PAUSE

    @property
    def exhausted(self) -> bool:
        """Whether nothing got on for too long."""
        return time.monotonic() - self._since >= self._retry_for

    def next_pause(self) -> float:
        """Return how long to wait before the next try: twice as long each time, by chance a little less."""
        pause, self._pause = self._pause, min(2 * self._pause, self.LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads callers, hides nothing
