"""Bidirectional bulk calls: rows come in, results go out as they are done, and only so many are under way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

import grpc.aio
from google.protobuf.message import Message

from chassis.refusal import Refusal
from chassis.validation import check
from chassis.writing import known

Row = TypeVar("Row", bound=Message)
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
Handle = Callable[[Row], Awaitable[Message]]
Refused = Callable[[Row, Refusal], Message]

IN_FLIGHT: Final = 64


async def answer_rows(
    requests: AsyncIterator[Row],
    context: Context,
    handle: Handle[Row],
    refused: Refused[Row],
    *,
    in_flight: int = IN_FLIGHT,
) -> None:
    """Handle each row by itself, at most `in_flight` at once, and write each result when it is there.

    A row that breaks a field rule or is refused costs only itself: `refused` makes its result. Reading stops while
    enough rows are under way, so that a fast client waits instead of filling the server's memory.
    """
    rows: AsyncIterator[Row] = getattr(requests, "unchecked", requests)
    places = asyncio.Semaphore(in_flight)
    writing = asyncio.Lock()
    broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    broken.add_done_callback(known)
    under_way: set[asyncio.Task[None]] = set()

    async def answer(row: Row) -> None:
        try:
            try:
                check(row)
                result = await handle(row)
            except Refusal as refusal:
                result = refused(row, refusal)
            async with writing:
                await context.write(result)
        except Exception as error:  # noqa: BLE001 - it ends the call, once no other row is writing
            if not broken.done():
                broken.set_exception(error)
        finally:
            places.release()

    async def read() -> None:
        async for row in rows:
            await places.acquire()
            task = asyncio.create_task(answer(row))
            under_way.add(task)
            task.add_done_callback(under_way.discard)

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait((reading, broken), return_when=asyncio.FIRST_COMPLETED)
        if not broken.done():
            reading.result()
    finally:
        # The rows under way are let finish: gRPC takes no abort while one of them is writing.
        reading.cancel()
        await asyncio.wait((reading, *under_way))
    if broken.done():
        broken.result()
