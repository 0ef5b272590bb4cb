"""A caller of the platform who does not give up: it repeats a call until the outcome is known."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import grpc
import grpc.aio
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub
from training.program.v1.program_service_pb2_grpc import ProgramServiceStub

from chassis.stack import Stack

Answer = TypeVar("Answer")

PATIENCE_SECONDS: Final = 45.0
_ATTEMPT_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05
_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 20),
    ("grpc.min_reconnect_backoff_ms", 20),
    ("grpc.max_reconnect_backoff_ms", 100),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_http_proxy", 0),
)
# What does not tell whether a command was carried out; ABORTED is told of a conflict, after which nothing was.
UNSETTLED: Final = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
    }
)


class Unsettled(Exception):
    """The outcome did not become known in all the time given."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The stubs of all services; they are of a class that is generic for type checkers only."""

    program: Any
    offer: Any
    catalogue: Any
    operations: dict[str, Any]


@asynccontextmanager
async def connected(stack: Stack) -> AsyncIterator[Platform]:
    """Lend the stubs of a stack's services; their connections come back by themselves after a kill."""
    names = ("program", "offer", "catalogue")
    channels = {name: grpc.aio.insecure_channel(stack.address(name), options=_OPTIONS) for name in names}
    try:
        yield Platform(
            ProgramServiceStub(channels["program"]),
            OfferServiceStub(channels["offer"]),
            CatalogueServiceStub(channels["catalogue"]),
            {name: OperationsServiceStub(channel) for name, channel in channels.items()},
        )
    finally:
        for channel in channels.values():
            await channel.close()


async def settled(attempt: Callable[[float], Awaitable[Answer]], *, attempts: int | None = None) -> Answer:
    """Repeat a call, which is given its timeout, until its outcome is known.

    Raises the error that is its outcome, or Unsettled after so many attempts or when all patience is gone.
    """
    made = 0
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                try:
                    return await attempt(_ATTEMPT_SECONDS)
                except grpc.aio.AioRpcError as error:
                    if error.code() not in UNSETTLED and not broke_while_sending(error):
                        raise
                    ended: BaseException = error
                except asyncio.CancelledError as error:
                    if _is_cancelled():
                        raise
                    ended = error  # grpc.aio's own, of a stream whose connection was lost under a message of ours
                made += 1
                if made == attempts:
                    raise Unsettled(repr(ended)) from ended
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError as error:
        raise Unsettled(f"no outcome in {PATIENCE_SECONDS:g} s") from error


def _is_cancelled() -> bool:
    """Tell whether this task was asked to end."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def broke_while_sending(error: grpc.aio.AioRpcError) -> bool:
    """Tell whether the connection was lost under a message of ours; grpc.aio makes an error of its own of that."""
    return error.code() is grpc.StatusCode.INTERNAL and error.details() == "Internal error from Core"


def principal(name: str, role: str) -> tuple[tuple[str, str], ...]:
    """Return the metadata by which a caller names itself in development."""
    return (("training-principal", f"{name};roles={role}"),)


AUTHOR: Final = principal("ada", "author")
REVIEWER: Final = principal("rita", "reviewer")
PUBLISHER: Final = principal("paul", "publisher")
MANAGER: Final = principal("olga", "offer_manager")
READER: Final = principal("rob", "reader")
OPERATOR: Final = principal("otto", "operator")
