"""No service may meet an exception that it does not know."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from chassis.stack import Stack

_SIGNS: Final = ('"event": "handler failed"', "was never retrieved", "Task exception")
_SHOWN: Final = 3


@asynccontextmanager
async def faultless(stack: Stack) -> AsyncIterator[None]:
    """Run a block, and fail with what a service's log tells of unknown exceptions; any other failure tells it too."""
    try:
        yield
    except BaseException as error:
        for fault in faults(stack):
            error.add_note(fault)
        raise
    found = list(faults(stack))
    assert not found, "\n".join(found[:_SHOWN])


def faults(stack: Stack) -> Iterator[str]:
    """Return the lines of the services' logs that tell of an unknown exception."""
    for service in stack.services:
        log = Path(stack.log(service.name)).read_text(encoding="utf-8", errors="replace")
        for line in log.splitlines():
            if any(sign in line for sign in _SIGNS):
                yield f"{service.name}: {line}"
