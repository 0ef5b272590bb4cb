"""Rows read ahead by a thread, so that a slow pipe or disk never keeps results waiting."""

import threading
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from trainingctl.refused import RefusedRow
from trainingctl.rows import Row

READ_AHEAD: Final = 128
"""Rows in memory that are not yet sent."""


class Feed:
    """A bounded queue between the reading thread and the event loop; `wake` runs on the loop when there is news."""

    def __init__(self, rows: Iterator[Row | RefusedRow], loop: AbstractEventLoop, wake: Callable[[], None]) -> None:
        self._rows = rows
        self._loop = loop
        self._wake = wake
        self._ready: deque[Row | RefusedRow] = deque()
        self._room = threading.Semaphore(READ_AHEAD)
        self._closed = False
        self._read_all = False
        self._failure: Exception | None = None
        # A read that never returns, of a terminal for example, must not keep the process alive.
        self._thread = threading.Thread(target=self._read, name="rows", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading; what is read ahead is dropped."""
        self._closed = True
        self._room.release()

    @property
    def exhausted(self) -> bool:
        """Whether every row was taken."""
        return self._read_all and not self._ready

    def take(self) -> Row | RefusedRow | None:
        """Return the next row, or nothing if none is there now. Raises what the reader raised."""
        if self._ready:
            row = self._ready.popleft()
            self._room.release()
            return row
        if self._failure is not None:
            raise self._failure
        return None

    def _read(self) -> None:
        try:
            for row in self._rows:
                self._room.acquire()
                if self._closed:
                    return
                self._ready.append(row)
                self._loop.call_soon_threadsafe(self._wake)
        except Exception as error:  # noqa: BLE001 - the loop raises it, where it can be seen
            self._failure = error
        finally:
            self._read_all = self._failure is None
            if not self._closed:
                self._loop.call_soon_threadsafe(self._wake)
