"""What a test asks of freshness: the services' own word, and what an answer says of itself."""

from datetime import UTC, datetime
from typing import Any

from training.ops.v1.operations_service_pb2 import GetStatusRequest, SubscriptionStatus

from chassis.stack import Stack
from tests.faults.client import OPERATOR, Platform
from tests.faults.rest import until


async def subscription(platform: Platform, name: str, source: str) -> SubscriptionStatus:
    """Return how a service follows a source."""
    status: Any = await platform.operations[name].GetStatus(GetStatusRequest(), timeout=5, metadata=OPERATOR)
    found: SubscriptionStatus = next(each for each in status.subscriptions if each.source == source)
    return found


async def as_of(platform: Platform, name: str, source: str) -> datetime:
    """Return the time up to which a service contains a source."""
    return (await subscription(platform, name, source)).as_of.ToDatetime(UTC)


async def becomes_stale(stack: Stack, *names: str) -> None:
    """Wait until each service says that it is not fresh, while it is ready all the same."""
    for name in names:

        async def stale(name: str = name) -> bool:
            return not await stack.serving(name, "training.freshness")

        await until(stale, f"{name} is not fresh")
        assert await stack.serving(name), f"{name} can answer from its own database"


async def becomes_fresh(stack: Stack, *names: str) -> None:
    """Wait until each service says that it is fresh."""
    await stack.wait_ready(*names, health="training.freshness", within=20)
