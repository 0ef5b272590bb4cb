"""Waiting for a stack to be at rest, and judging it then."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg
import grpc.aio
from training.ops.v1.operations_service_pb2 import GetStatusRequest

from chassis.stack import Stack
from tests.faults import checker, evidence
from tests.faults.client import OPERATOR, Platform
from tests.faults.history import History

RECOVERY_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.05
_NOT_YET: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, grpc.aio.AioRpcError)


async def until(condition: Callable[[], Awaitable[bool]], what: str, within: float = RECOVERY_SECONDS) -> None:
    """Wait until a condition of the outside world holds; it is asked again and again. Fails with what did not come."""
    try:
        async with asyncio.timeout(within):
            while not await condition():  # noqa: ASYNC110 - the world has no events to wait for
                await asyncio.sleep(_POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"within {within:g} s it did not come true that {what}") from None


def places(stack: Stack) -> evidence.Places:
    """Return where a stack can be asked."""
    databases = {name: stack.dsn(name) for name in ("program", "offer", "catalogue")}
    return evidence.Places(databases, stack.nats_url, stack.address("catalogue"))


async def come_to_rest(stack: Stack, platform: Platform) -> None:
    """Wait until everything committed is published, and applied by everyone who follows."""

    async def at_rest() -> bool:
        try:
            committed: dict[str, dict[int, int]] = {}
            for source in evidence.SOURCES:
                found = await evidence.heads(places(stack), source)
                if any(published != head for _, head, published in found):
                    return False
                committed[source] = {lane: head for lane, head, _ in found}
            return all([await _applied(platform, name, committed) for name in ("offer", "catalogue")])
        except _NOT_YET:
            return False

    await until(at_rest, "the pipe is idle")


async def judged(stack: Stack, platform: Platform, history: History, *, all_known: bool = True) -> evidence.Evidence:
    """Bring a stack to rest and fail with everything that is wrong then."""
    await come_to_rest(stack, platform)
    found = await evidence.gather(places(stack))
    wrong = [*history.wrong, *checker.judge(found, history.told, all_known=all_known)]
    assert not wrong, "\n".join(wrong[:20])
    return found


async def _applied(platform: Platform, name: str, committed: dict[str, dict[int, int]]) -> bool:
    status: Any = await platform.operations[name].GetStatus(GetStatusRequest(), timeout=5, metadata=OPERATOR)
    return bool(status.subscriptions) and all(
        {lane.lane: lane.applied for lane in each.lanes} == committed[each.source]
        or (not each.lanes and not any(committed[each.source].values()))
        for each in status.subscriptions
    )
