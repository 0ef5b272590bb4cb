"""Half-open spans of time with optional bounds."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Window:
    """A span from `start` up to, and without, `end`; an absent bound is no bound."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """Tell whether no instant lies in it."""
        return self.start is not None and self.end is not None and self.end <= self.start

    def contains(self, instant: datetime) -> bool:
        """Tell whether the instant lies in it; the end does not."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant < self.end)


ALWAYS = Window()
