"""One line of both command services for all these tests; each test works on programs and offers of its own.

A second one has holds so short that they can be waited for.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import pytest

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from offer_svc.adapters.published import PublishedOffers
from tests.integration.offer.line import Line, running
from tests.integration.remembered import judge_published

HOLD_SECONDS = 3


async def _line(postgres: EmbeddedPostgres, nats: EmbeddedNats, **settings: Any) -> AbstractAsyncContextManager[Line]:  # noqa: ANN401 - settings of the service
    name = f"offer_line_{uuid4().hex}"
    dsns = [await postgres.create_database(f"{name}_{service}") for service in ("program", "offer")]
    return running(dsns, nats.url, f"t{uuid4().hex[:12]}", **settings)


async def _judge(line: Line) -> None:
    """See that whatever happened to the offers, their rows tell what was published of them last."""
    await judge_published(line.dsn, "offer", "offer_id", PublishedOffers())


@pytest.fixture(scope="package")
async def line(postgres: EmbeddedPostgres, nats: EmbeddedNats) -> AsyncIterator[Line]:
    """Run the services."""
    async with await _line(postgres, nats) as line:
        yield line
        await _judge(line)


@pytest.fixture(scope="package")
async def brisk(postgres: EmbeddedPostgres, nats: EmbeddedNats) -> AsyncIterator[Line]:
    """Run the services with holds of moments, and three promotions in a revision."""
    async with await _line(
        postgres,
        nats,
        hold_minutes=HOLD_SECONDS / 60,
        longest_hold_minutes=2 * HOLD_SECONDS / 60,
        promotion_hours=HOLD_SECONDS / 3600,
        quote_minutes=HOLD_SECONDS / 60,
        promotions_per_revision=3,
    ) as line:
        yield line
        await _judge(line)
