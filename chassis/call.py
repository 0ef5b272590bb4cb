"""The call that is being answered: who called what, for how long, as part of which trace."""

import re
from contextvars import ContextVar
from random import Random
from time import monotonic
from typing import Final

from chassis.drain import Drain
from chassis.principal import Metadata, Principal

CORRELATION_KEY: Final = "x-correlation-id"
"""The metadata key under which a caller gives a correlation id, and the one under which an error returns it."""

_random_bits = Random().getrandbits  # noqa: S311 - trace ids are names, not secrets
_TRACEPARENT: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-(?P<flags>[0-9a-f]{2})"
    r"(?P<rest>-.*)?"
)
_CORRELATION_ID: Final = re.compile(r"[0-9A-Za-z._:/+=@-]{1,128}")


def continue_trace(incoming: str | bytes | None) -> str:
    """Return the W3C `traceparent` of a new span in the caller's trace, or in a new one if the caller names none."""
    span = f"{_random_bits(64) or 1:016x}"
    found = _TRACEPARENT.fullmatch(incoming) if isinstance(incoming, str) else None
    if found is None or (found["version"] == "00" and found["rest"] is not None):
        return f"00-{_random_bits(128) or 1:032x}-{span}-00"
    return f"00-{found['trace']}-{span}-{found['flags']}"


class Call:
    """One call, as its handler and all that works for it see it; nobody changes it.

    What few calls need (`traceparent`, `correlation_id`) is made when first asked for, and is the same from then on.
    """

    __slots__ = (
        "_correlation_id",
        "_metadata",
        "_traceparent",
        "deadline",
        "drain",
        "method",
        "principal",
    )

    def __init__(
        self,
        method: str,
        principal: Principal,
        metadata: Metadata,
        *,
        deadline: float | None,
        drain: Drain,
    ) -> None:
        self.method: Final = method
        self.principal: Final = principal
        self.deadline: Final = deadline  # of the monotonic clock, in seconds; None: without one
        self.drain: Final = drain
        self._metadata = metadata
        self._traceparent: str | None = None
        self._correlation_id: str | None = None

    @property
    def traceparent(self) -> str:
        """The W3C trace context of this call: the caller's trace, a span of its own."""
        if self._traceparent is None:
            self._traceparent = continue_trace(self._metadata.get("traceparent"))
        return self._traceparent

    @property
    def correlation_id(self) -> str:
        """What ties together all that one request caused: the caller's `x-correlation-id`, or the id of the trace."""
        if self._correlation_id is None:
            given = self._metadata.get(CORRELATION_KEY)
            well_formed = isinstance(given, str) and _CORRELATION_ID.fullmatch(given)
            self._correlation_id = str(given) if well_formed else self.traceparent[3:35]
        return self._correlation_id

    def remaining(self) -> float | None:
        """Return the seconds left until the deadline, at least 0; None without a deadline."""
        return None if self.deadline is None else max(0.0, self.deadline - monotonic())


_current: ContextVar[Call] = ContextVar("training_call")
enter_call = _current.set


def current_call() -> Call:
    """Return the call that is being answered; raise LookupError outside of one."""
    return _current.get()


def find_call() -> Call | None:
    """Return the call that is being answered, or None outside of one."""
    return _current.get(None)
