"""The highest epoch that the stream's tails tell of, for whoever begins another and has to go above it."""

import asyncio
from typing import Final
from uuid import UUID

from bus.broker import BROKER_ERRORS, Broker
from bus.relay.tails import Tails
from bus.source import Source

_PATIENCE_SECONDS: Final = 1.0


async def highest_epoch(broker: Broker, source: Source) -> UUID | None:
    """Return the highest epoch at the lanes' tails; None when there is none, or the broker does not tell within 1 s."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), broker.at_hand() as session:
            tails = await Tails(session, source).all()
    except BROKER_ERRORS:
        return None
    return max((tail.event.epoch for tail in tails if tail is not None and tail.event is not None), default=None)
