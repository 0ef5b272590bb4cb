"""What every service's bootstrap does the same way: who it is, who calls it, what runs beside its server."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client.registry import Collector

from chassis.errors import DatabaseUnavailable
from chassis.metrics import MetricsEndpoint, new_registry
from chassis.postgres import UNAVAILABLE
from chassis.principal import DevelopmentPrincipals, NoPrincipals, Principals
from chassis.refusal import Refusal
from chassis.server import Server
from chassis.settings import ServiceSettings

Work = Callable[[], Awaitable[None]]
"""Runs beside the server until cancelled."""


def instance_name(service: str) -> str:
    """Return a name for this process that no other has at the same time."""
    return f"{service}/{socket.gethostname()}/{os.getpid()}"


def principals_of(settings: ServiceSettings) -> Principals:
    """Return who names the callers of this process."""
    return DevelopmentPrincipals() if settings.development_principals else NoPrincipals()


def translate(error: Exception) -> Refusal | None:
    """Turn trouble with the database into what a caller is told."""
    return DatabaseUnavailable() if isinstance(error, UNAVAILABLE) else None


async def serve(
    server: Server,
    settings: ServiceSettings,
    collectors: Sequence[Collector],
    work: Sequence[Work],
    stop: asyncio.Event,
) -> None:
    """Serve until asked to stop, with everything that runs beside it; what fails for good ends the process."""
    registry = new_registry()
    for collector in collectors:
        registry.register(collector)
    metrics = MetricsEndpoint(settings.metrics_address, registry)
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_forever(each)) for each in work]
            await server.serve_until(stop)
            for task in tasks:
                task.cancel()
    finally:
        metrics.close()


async def _forever(work: Work) -> None:
    await work()
    raise RuntimeError(f"{work} ended, which it never should")
