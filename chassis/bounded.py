"""Calls that the process itself may end: at a deadline of its own, or because it drains."""

import asyncio
from time import monotonic

from chassis.errors import DeadlineExceeded
from chassis.refusal import Refusal


class Bounded:
    """A call under way, as the process may end it."""

    __slots__ = ("_refusal", "_task", "method")

    def __init__(self, method: str) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - gRPC answers every call in a task
        self.method = method
        self._refusal: Refusal | None = None
        self._task = task

    def end(self, refusal: Refusal) -> None:
        """Cancel the handler; the caller is told the refusal."""
        if self._refusal is None:
            self._refusal = refusal
            self._task.cancel()

    def ended(self) -> Refusal | None:
        """Return why the process ended the call, if it did and nobody else did; the cancellation is then done with."""
        return self._refusal if self._refusal is not None and self._task.uncancel() == 0 else None


class Deadline:
    """Ends calls that take longer than so many seconds.

    gRPC cancels at the client's deadline; this is for calls that have none, or too late a one. All wait equally long,
    so that the first to come is the first to end: one timer serves them all, where one for each would cost every call
    more than all the rest of its admission.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends: dict[Bounded, float] = {}
        self._armed = False

    def watch(self, call: Bounded) -> None:
        """Begin to watch a call."""
        self._ends[call] = monotonic() + self.seconds
        if not self._armed:
            self._arm(self.seconds)

    def release(self, call: Bounded) -> None:
        """Leave a call alone from now on."""
        self._ends.pop(call, None)

    def _arm(self, seconds: float) -> None:
        """Look again after so many seconds."""
        self._armed = True
        asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        """End the calls whose time is over, and wait for the next one."""
        self._armed = False
        now = monotonic()
        while self._ends:
            call, end = next(iter(self._ends.items()))
            if end > now:
                self._arm(end - now)
                return
            del self._ends[call]
            call.end(DeadlineExceeded.after(self.seconds))
