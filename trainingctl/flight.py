"""The rows under way: sent and not answered, or to be sent again."""

import time
from collections import deque
from collections.abc import Callable
from typing import Final

from trainingctl.rows import Row

IN_FLIGHT: Final = 64
"""Rows that a service has under way in one stream; more would only wait in its buffers."""


class Flight:
    """At most `limit` rows unanswered, and never two of one row id: a result names its row only by that.

    After a failure that one of the rows may have caused, the suspects fly alone until each is answered or found guilty.
    """

    def __init__(self, limit: int, wake: Callable[[], None]) -> None:
        self._limit = limit
        self._wake = wake
        self._unanswered: dict[str, Row] = {}
        self._due: deque[Row] = deque()
        self._resting = 0
        self._suspects: set[int] = set()
        self._waiting_since = 0.0

    @property
    def silence(self) -> float:
        """For how many seconds rows have been waiting without any answer; zero if none waits."""
        return time.monotonic() - self._waiting_since if self._unanswered else 0.0

    @property
    def empty(self) -> bool:
        """Whether no row is under way."""
        return not (self._unanswered or self._due or self._resting)

    @property
    def unanswered(self) -> int:
        """How many rows were sent and have no answer."""
        return len(self._unanswered)

    @property
    def has_room(self) -> bool:
        """Whether one more row may be sent."""
        # Resting rows keep their places, or a service in trouble would be given ever more of them.
        return len(self._unanswered) + self._resting < (1 if self._suspects else self._limit)

    def may_send(self, row: Row) -> bool:
        """Tell whether the row's answer could be told from those of the rows under way."""
        return row.message.row_id not in self._unanswered

    def next_due(self) -> Row | None:
        """Return a row that is to be sent again; such rows go before any new one."""
        if not self._due or not self.may_send(self._due[0]):
            return None
        return self._due.popleft()

    @property
    def has_due(self) -> bool:
        """Whether some row is to be sent again."""
        return bool(self._due)

    def send(self, row: Row) -> None:
        """Note that the row is on its way."""
        if not self._unanswered:
            self._waiting_since = time.monotonic()
        self._unanswered[row.message.row_id] = row

    def land(self, row_id: str) -> Row | None:
        """Return the row that was answered; none if nothing was asked."""
        row = self._unanswered.pop(row_id, None)
        if row is not None:
            self._waiting_since = time.monotonic()
            self._suspects.discard(id(row))
            self._wake()
        return row

    def rest(self) -> None:
        """Note that a row which was answered is to be sent again later."""
        self._resting += 1

    def rested(self, row: Row) -> None:
        """Send a row again after its rest."""
        self._resting -= 1
        self._due.append(row)
        self._wake()

    def lost(self) -> None:
        """Note that the stream ended: what was not answered is sent again, in its order."""
        self._due.extendleft(reversed(self._unanswered.values()))
        self._unanswered.clear()

    def suspect(self, *, certain: bool = True) -> Row | None:
        """Note that the stream ended because of some row, or may have; return the one that did it, if it is certain."""
        if certain and len(self._unanswered) == 1:
            (row,) = self._unanswered.values()
            if id(row) in self._suspects:
                return self.land(row.message.row_id)
        self._suspects.update(id(row) for row in self._unanswered.values())
        self.lost()
        return None
