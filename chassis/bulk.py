"""Bidirectional bulk calls: rows come in, results go out as they are done, and only so many are under way."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeAlias, TypeVar

import grpc.aio
from google.protobuf.message import Message

from chassis.refusal import Refusal
from chassis.validation import check

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

    async def answer(row: Row) -> None:
        try:
            try:
                check(row)
                result = await handle(row)
            except Refusal as refusal:
                result = refused(row, refusal)
            async with writing:
                await context.write(result)
        finally:
            places.release()

    async with asyncio.TaskGroup() as group:
        async for row in rows:
            await places.acquire()
            group.create_task(answer(row))
