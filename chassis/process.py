"""The life of a process: its event loop, its signals, its exit status."""

import asyncio
import gc
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Final

from chassis.startup import EX_UNAVAILABLE, StartFailure

if sys.platform == "win32":
    _new_loop = asyncio.new_event_loop
else:
    from uvloop import new_event_loop as _new_loop

Main = Callable[[asyncio.Event], Awaitable[None]]
"""Does all that a process does, until the event is set and it has ended in good order."""

_COLLECT_AFTER: Final = 20_000
"""Objects; the default is 700."""

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def run(main: Main) -> int:
    """Run a process and return its exit status: 0 when it ended as asked, 69 when it could not start.

    SIGTERM and SIGINT set the event; a second one cancels `main`. Any other exception is a fault: it passes, with its
    traceback, and Python exits with 1.
    """
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(_until_signalled(main))
    except StartFailure as failure:
        sys.stderr.write(f"can't start: {failure}\n")
        return EX_UNAVAILABLE
    except (asyncio.CancelledError, KeyboardInterrupt):
        return 128 + signal.SIGINT
    return 0


def collect_seldom() -> None:
    """Leave out of garbage collections what was loaded, and have them after many more new objects than by default.

    What a call leaves behind is freed by reference counts, so collections find little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)


async def _until_signalled(main: Main) -> None:
    """Run `main` with an event that the signals set."""
    collect_seldom()
    stop = asyncio.Event()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - the runner runs coroutines in a task

    def on_signal() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, on_signal)
        except NotImplementedError:  # Windows: Ctrl-C arrives on the main thread, between two turns of the loop
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(on_signal))
    await main(stop)
