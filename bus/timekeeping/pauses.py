"""How long what stays due is left alone: ever longer while it fails or finds nothing to do, hardly while it goes on."""

from collections.abc import Callable, Container, Hashable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Final, Generic, TypeVar

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 60.0
PATIENCE: Final = 100
"""How often in a row something may change and still be due before it takes breaths."""
BREATH_SECONDS: Final = 0.1
"""How long it is left alone from then on after each change: much work goes on, and a loop without end burns no core."""

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class _Tried:
    """What was tried since it became due: how often it changed, how long it pauses now and until when, and why."""

    changes: int = 0
    seconds: float = 0.0
    until: float = 0.0
    reason: str = ""


class Pauses(Generic[Key]):
    """The pauses of everything that was tried and may still be due."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._tried: dict[Key, _Tried] = {}

    def __len__(self) -> int:
        """Count what is left alone now."""
        return sum(map(self.holds, self._tried))

    def holds(self, key: Key) -> bool:
        """Tell whether something is to be left alone now."""
        tried = self._tried.get(key)
        return tried is not None and self._clock() < tried.until

    def seconds_left(self) -> float:
        """Tell for how long nothing more ends its pause; infinity if nothing pauses."""
        now = self._clock()
        return min((tried.until - now for tried in self._tried.values() if tried.until > now), default=inf)

    def prolong(self, key: Key, reason: str) -> bool:
        """Let it pause for longer than the last time; tell whether the reason is a new one."""
        tried = self._tried.setdefault(key, _Tried())
        tried.seconds = min(max(2 * tried.seconds, FIRST_SECONDS), LONGEST_SECONDS)
        tried.until = self._clock() + tried.seconds
        is_new, tried.reason = tried.reason != reason, reason
        return is_new

    def changed(self, key: Key) -> None:
        """Take note of a change: the pause ends, and after very many of them each is followed by a breath."""
        tried = self._tried.setdefault(key, _Tried())
        tried.changes += 1
        tried.seconds, tried.reason = 0.0, ""
        tried.until = self._clock() + BREATH_SECONDS if tried.changes > PATIENCE else 0.0

    def keep(self, due: Container[Key]) -> None:
        """Forget what is not due any more."""
        self._tried = {key: tried for key, tried in self._tried.items() if key in due}
