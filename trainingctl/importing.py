"""One import: rows go out and results come in at the same time, over as many connections as it takes."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Final, cast

import grpc
import grpc.aio
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

from trainingctl.failures import ImportAborted, Meaning, Patience, meaning_of, passes, status_of
from trainingctl.feed import Feed
from trainingctl.flight import Flight
from trainingctl.kinds import ImportCall, ImportResponse, OpenImport, Outcome
from trainingctl.ledger import Ledger
from trainingctl.refused import RefusedRow, refused
from trainingctl.rows import Row

_REST: Final = 0.5
"""Seconds after which a row that was refused for a passing reason is sent again."""
_LONGEST_REST: Final = 5.0
LONGEST_SILENCE: Final = 60.0
"""Seconds without any answer after which a stream is given up; a row may wait for half of that, for what it needs."""
_SILENT: Final = Status(code=grpc.StatusCode.CANCELLED.value[0], message="the service has fallen silent")
_OUTCOMES: Final = {int(outcome.value): outcome for outcome in Outcome}


class Import:
    """Sends each row until it has a result, at most `in_flight` at once; memory does not grow with the file.

    A connection that is lost is made again, and only rows without a result are sent again: the service finds those it
    has UNCHANGED. When nothing got on for `retry_for` seconds the import gives up.
    """

    def __init__(
        self,
        open_stream: OpenImport,
        rows: Iterator[Row | RefusedRow],
        ledger: Ledger,
        *,
        in_flight: int,
        retry_for: float,
        longest_silence: float = LONGEST_SILENCE,
    ) -> None:
        self._open_stream = open_stream
        self._ledger = ledger
        self._news = asyncio.Event()
        self._flight = Flight(in_flight, self._news.set)
        self._feed = Feed(rows, asyncio.get_running_loop(), self._news.set)
        self._held: Row | None = None  # taken from the feed, and waiting for a row of the same id to land
        self._patience = Patience(retry_for)
        self._retry_for = retry_for
        self._longest_silence = longest_silence
        self._patience_by_row: dict[int, Patience] = {}

    async def run(self) -> None:
        """Import every row. Raises ImportAborted when that is not possible."""
        self._feed.start()
        try:
            while not self._finished:
                failure = await self._stream()
                if failure is not None:
                    await self._recover(failure)
        finally:
            self._feed.close()

    @property
    def _finished(self) -> bool:
        return self._feed.exhausted and self._held is None and self._flight.empty

    async def _stream(self) -> Status | None:
        """Send and receive over one connection; return the status if it ended before all was done."""
        call = self._open_stream()
        writing = asyncio.create_task(self._write(call), name="write rows")
        watching = asyncio.create_task(self._watch(call), name="watch for silence")
        try:
            with suppress(grpc.aio.AioRpcError):  # the status is asked for below
                while (response := await call.read()) is not grpc.aio.EOF:
                    self._answered(cast("ImportResponse", response))
            status = await status_of(call)
        except asyncio.CancelledError:
            if _is_cancelled():
                raise
            status = _SILENT  # gRPC tells so of a call that the watch has ended
        finally:
            writing.cancel()
            watching.cancel()
            await asyncio.wait({writing, watching})
            call.cancel()
        if not writing.cancelled():
            writing.result()  # raises what the reading of rows raised
        return None if self._finished else status

    async def _write(self, call: ImportCall) -> None:
        try:
            while (row := await self._next_row()) is not None:
                self._flight.send(row)
                await call.write(row.message)
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return  # the stream has ended; the reader learns why
        except Exception:
            call.cancel()
            raise

    async def _watch(self, call: ImportCall) -> None:
        """End a stream on which nothing is answered; a connection that is dead is noticed by gRPC's own pings."""
        while self._flight.silence < self._longest_silence:  # noqa: ASYNC110 - nothing happens: that is the point
            await asyncio.sleep(min(1.0, self._longest_silence / 4))
        call.cancel()

    async def _next_row(self) -> Row | None:
        """Wait for a row that may be sent; None when every row has its result. A cancelled wait loses no row."""
        while True:
            if self._flight.has_room:
                row = self._flight.next_due() if self._flight.has_due else self._new_row()
                if row is not None:
                    return row
            if self._finished:
                return None
            self._news.clear()
            await self._news.wait()

    def _new_row(self) -> Row | None:
        while (item := self._held or self._feed.take()) is not None:
            self._held = None
            if isinstance(item, RefusedRow):
                self._ledger.refused(item)
            elif not self._ledger.is_done(item):
                if self._flight.may_send(item):
                    return item
                self._held = item
                return None
        return None

    def _answered(self, response: ImportResponse) -> None:
        row = self._flight.land(response.row_id)
        if row is None:
            return
        self._patience.renew()
        outcome = _OUTCOMES.get(int(response.outcome), Outcome.REFUSED)
        if outcome is Outcome.REFUSED and passes(response.error) and not self._patience_with(row).exhausted:
            self._flight.rest()
            asyncio.get_running_loop().call_later(_rest(response.error), self._flight.rested, row)
            return
        self._patience_by_row.pop(id(row), None)
        if outcome is not Outcome.REFUSED:
            self._ledger.accepted(row, outcome, response.consistency_token)
        else:
            self._ledger.refused(refused(row.origin, row.message.row_id, response.error))

    def _patience_with(self, row: Row) -> Patience:
        return self._patience_by_row.setdefault(id(row), Patience(self._retry_for))

    async def _recover(self, failure: Status) -> None:
        """Prepare the next stream after one that ended early, or raise ImportAborted."""
        meaning = meaning_of(failure)
        if meaning is Meaning.GIVE_UP:
            raise ImportAborted(failure.message, reachable=True)
        if meaning in (Meaning.SUSPECT_ROWS, Meaning.UNCERTAIN):
            culprit = self._flight.suspect(certain=meaning is Meaning.SUSPECT_ROWS)
            if culprit is not None:
                self._patience.renew()
                self._ledger.refused(refused(culprit.origin, culprit.message.row_id, failure))
        self._flight.lost()
        if self._patience.exhausted:
            message = f"nothing got on for {self._retry_for:g} s; last: {failure.message or 'the stream ended'}"
            raise ImportAborted(message, reachable=False)
        self._ledger.tally.reconnections += 1
        await asyncio.sleep(self._patience.next_pause())


def _is_cancelled() -> bool:
    """Tell whether this task is to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _rest(error: Status) -> float:
    """Return after how many seconds to send a row again: as the service says, if it does."""
    told = RetryInfo()
    for detail in error.details:
        if detail.Unpack(told):
            return min(told.retry_delay.ToTimedelta().total_seconds(), _LONGEST_REST)
    return _REST
