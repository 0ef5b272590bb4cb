"""Running work side by side so that a failure ends all of it and a cancellation is never lost.

Two traps of Python 3.11 are the reason. `asyncio.wait_for`, which nats-py uses in every request, returns a result that
arrives together with a cancellation and forgets the cancellation. And `asyncio.TaskGroup` tells only the failure when a
child fails while its parent is being cancelled, and can leave `Task.cancelling` raised although nobody cancelled. In a
loop that tries again after failures, either makes a task that never ends, or one that ends for no reason.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Answer = TypeVar("Answer")


async def together(*work: Coroutine[Any, Any, object]) -> None:
    """Run everything side by side; at the first failure end the rest and raise that failure.

    A cancellation ends all and is raised, whatever else fails meanwhile.
    """
    tasks = [asyncio.create_task(each) for each in work]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        failed = [task for task in tasks if task.done() and not task.cancelled() and task.exception() is not None]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for task in tasks:
            _forget(task)
    for task in failed:
        task.result()


async def asked(request: Coroutine[Any, Any, Answer]) -> Answer:
    """Await a request of nats-py in a task of its own: a cancellation reaches the caller, whatever becomes of it."""
    task = asyncio.create_task(request)
    try:
        await asyncio.wait([task])
    finally:
        if not task.done():
            task.add_done_callback(_forget)
            task.cancel()
    return task.result()


def told(error: BaseException) -> str:
    """Return one line that names an error, for status and logs."""
    return f"{type(error).__name__}: {error}"


def _forget(task: asyncio.Task[Any]) -> None:
    """Take note of a failure that nobody waits for any more."""
    if not task.cancelled():
        task.exception()
