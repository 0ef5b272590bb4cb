"""Writing to a stream so that the call can be ended in order, whatever happens meanwhile."""

import asyncio
from typing import Any, Final

import grpc.aio

_PATIENCE_SECONDS: Final = 1.0


class WritingContext:
    """The context of a call that answers with a stream; a write that began is not cut off.

    A handler that is cancelled within its first write leaves gRPC with headers that it believes unsent: it then can't
    send the status any more, and the caller waits for ever.
    """

    def __init__(self, context: "grpc.aio.ServicerContext[Any, Any]") -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is the context's own
        """Be the context in all else."""
        return getattr(self._context, name)

    async def write(self, message: Any) -> None:  # noqa: ANN401 - a message, or its bytes
        """Write a message; when cancelled, give the write a moment to end first, for the caller may not be reading."""
        write = asyncio.ensure_future(self._context.write(message))
        write.add_done_callback(known)
        try:
            await asyncio.wait({write})
        except asyncio.CancelledError:
            await asyncio.wait({write}, timeout=_PATIENCE_SECONDS)
            raise
        write.result()


def known(write: "asyncio.Future[None]") -> None:
    """Take note of a failure: where the call has ended meanwhile, nobody is left to be told."""
    if not write.cancelled():
        write.exception()
