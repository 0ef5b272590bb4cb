"""Whole lists as streams of spliced messages.

Each message tells the state of the chunk that its entries were read with. While one chunk is being sent the next is
being read; a stream holds no more than these two. The first message goes out at once, small; later ones are about as
large as gRPC carries best.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Iterator, Sequence
from typing import Final, Protocol

from training.catalogue.v1.catalogue_service_pb2 import StreamOffersRequest, StreamProgramsRequest

from catalogue_svc.query import cursor
from catalogue_svc.query.cursor import Cursor, MalformedCursor, Place
from catalogue_svc.query.errors import ResumeTokenMalformed
from catalogue_svc.query.listing import Entry, Listing, Question
from catalogue_svc.query.reading import Chunk, Reading
from chassis.drain import Drain
from chassis.errors import Draining
from chassis.wire import field

MESSAGE_BYTES: Final = 256 * 1024
FIRST_CHUNK: Final = 16
LARGEST_CHUNK: Final = 1024
_GROWTH: Final = 8
_RESUME_TOKEN: Final = 4
_FREE: Final = ("resume_token", "consistency")


class Sink(Protocol):
    """Where the messages go: a call's context."""

    def write(self, message: bytes, /) -> Awaitable[None]:
        """Send one message; wait while the client does not read."""
        ...


async def stream(
    reading: Reading,
    listing: Listing,
    question: Question,
    request: StreamProgramsRequest | StreamOffersRequest,
    *,
    sink: Sink,
    drain: Drain,
) -> None:
    """Send the list that a request asks for, to its end. Raises ResumeTokenMalformed, or Draining."""
    arguments = cursor.digest(request, *_FREE)
    resumed = _resumed(request.resume_token, arguments)
    given = 0 if resumed is None else resumed.given
    ahead = ReadAhead(
        reading,
        listing,
        question,
        None if resumed is None else resumed.after,
        max(0, request.limit - given) if request.limit else None,
    )
    token = request.resume_token
    try:
        while (chunk := await ahead.next()) is not None:
            for entries in batches(chunk.entries, request.max_batch_size or LARGEST_CHUNK):
                if drain.begun:
                    raise Draining
                if entries:
                    given += len(entries)
                    token = cursor.encode(Cursor(entries[-1].place, given), arguments)
                fields = [entry.field for entry in entries]
                await sink.write(b"".join([*fields, chunk.suffix, field(_RESUME_TOKEN, token.encode())]))
    finally:
        await ahead.close()


def batches(entries: Sequence[Entry], most: int) -> Iterator[Sequence[Entry]]:
    """Cut entries into messages of at most so many, each no larger than it should be; none at all are one message."""
    begin = size = 0
    for end, entry in enumerate(entries):
        size += len(entry.field)
        if end > begin and (end - begin >= most or size > MESSAGE_BYTES):
            yield entries[begin:end]
            begin, size = end, len(entry.field)
    yield entries[begin:]


class ReadAhead:
    """The chunks of a list, the next always under way; at least one, the only one that may be empty."""

    def __init__(
        self, reading: Reading, listing: Listing, question: Question, after: Place | None, remaining: int | None
    ) -> None:
        self._reading = reading
        self._listing = listing
        self._question = question
        self._remaining = remaining
        self._first = True
        self._size = 0
        self._task: asyncio.Task[Chunk] | None = None
        self._start(after, FIRST_CHUNK)

    async def next(self) -> Chunk | None:
        """Return the next chunk and start reading the one after it; None at the end."""
        if self._task is None:
            return None
        chunk = await self._task
        self._task = None
        count = len(chunk.entries)
        if not count and not self._first:
            return None
        self._first = False
        if self._remaining is not None:
            self._remaining -= count
        if count and count == self._size and self._remaining != 0:
            average = sum(len(entry.field) for entry in chunk.entries) // count
            fitting = MESSAGE_BYTES // max(1, average)
            self._start(chunk.entries[-1].place, min(fitting, self._size * _GROWTH, LARGEST_CHUNK))
        return chunk

    async def close(self) -> None:
        """Give up what is being read."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._task

    def _start(self, after: Place | None, size: int) -> None:
        size = max(1, size)
        self._size = size if self._remaining is None else min(size, self._remaining)
        self._task = asyncio.create_task(self._reading.chunk(self._listing, self._question, after, self._size))


def _resumed(token: str, arguments: bytes) -> Cursor | None:
    if not token:
        return None
    try:
        return cursor.decode(token, arguments)
    except MalformedCursor as error:
        raise ResumeTokenMalformed.because(str(error)) from error
