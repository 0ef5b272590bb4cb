"""`grpc.health.v1.Health` that tells the truth: every status is the outcome of a check, made again and again.

The library's servicer is not used: its watches never end by themselves, so that a drain would have to wait out its
whole grace for them, and it says SERVING before anything was checked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.drain import Drain
from chassis.errors import Draining
from chassis.refusal import ResourceNotFound

HealthCheck = Callable[[], Awaitable[bool]]
"""Tells whether something works now; raising means that it does not."""

FRESHNESS: Final = "training.freshness"
"""The health name of the pipe: broker, relay, projector and lag."""

_Status = health_pb2.HealthCheckResponse
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, health_pb2.HealthCheckResponse]"  # generic for type checkers only
_MESSAGES: Final[Any] = health_pb2  # the type stubs lack the newer ones
_log: Final = structlog.get_logger("chassis.health")


class Health(health_pb2_grpc.HealthServicer):
    """The health of one server, by name; the empty name is the whole process.

    Before the first round of checks, and from the drain on, every name is NOT_SERVING.
    """

    def __init__(
        self, checks: Mapping[str, HealthCheck], drain: Drain, *, period: float = 2.0, patience: float = 1.0
    ) -> None:
        self._checks = dict(checks)
        self._drain = drain
        self._period = period
        self._soon = period / 10  # while something does not serve, its recovery is awaited
        self._patience = patience
        self._serving = dict.fromkeys(self._checks, False)
        self._changed = asyncio.Condition()

    def serving(self, name: str = "") -> bool:
        """Tell whether a name is SERVING."""
        return self._serving[name] and not self._drain.begun

    async def run(self) -> None:
        """Check everything every `period` seconds until cancelled."""
        while True:
            await asyncio.sleep(self._period if all(self._serving.values()) else self._soon)
            await self.check()

    async def check(self) -> None:
        """Check everything once; names with the same check share its outcome."""
        distinct = list(dict.fromkeys(self._checks.values()))
        outcomes = dict(zip(distinct, await asyncio.gather(*map(self._outcome, distinct)), strict=True))
        for name, check in self._checks.items():
            if self._serving[name] is not outcomes[check]:
                self._serving[name] = outcomes[check]
                _log.info("health changed", health=name, serving=outcomes[check])
        await self.announce()

    async def announce(self) -> None:
        """Let every watch look again."""
        async with self._changed:
            self._changed.notify_all()

    async def Check(self, request: health_pb2.HealthCheckRequest, context: _Context) -> health_pb2.HealthCheckResponse:  # noqa: N802 - the name of the RPC
        """Tell the status of a name."""
        del context
        if request.service not in self._checks:
            known = {"resource_type": "health", "resource_name": request.service}
            raise ResourceNotFound("there is no health of that name", known)
        return _Status(status=self._status(request.service))

    async def List(self, request: object, context: _Context) -> Any:  # noqa: ANN401, N802 - the RPC's name; its messages are newer than the type stubs
        """Tell the status of every name."""
        del request, context
        statuses = {name: _Status(status=self._status(name)) for name in self._checks}
        return _MESSAGES.HealthListResponse(statuses=statuses)

    async def Watch(self, request: health_pb2.HealthCheckRequest, context: _Context) -> None:  # noqa: N802 - the name of the RPC
        """Send the status of a name, now and whenever it changes, until the process drains."""
        sent = await self._tell(request.service, None, context)
        while not self._drain.begun:
            async with self._changed:
                if self._status(request.service) == sent and not self._drain.begun:
                    await self._changed.wait()
            sent = await self._tell(request.service, sent, context)
        raise Draining

    async def _tell(self, name: str, sent: object, context: _Context) -> object:
        """Send the status of a name unless it was sent last.

        Not under the lock: a slow client must not keep news from the others.
        """
        status = self._status(name)
        if status != sent:
            await context.write(_Status(status=status))
        return status

    def _status(self, name: str) -> Any:  # noqa: ANN401 - a value of the enum, which the type stubs leave open
        """Return the present status of a name."""
        if name not in self._checks:
            return _Status.SERVICE_UNKNOWN
        return _Status.SERVING if self.serving(name) else _Status.NOT_SERVING

    async def _outcome(self, check: HealthCheck) -> bool:
        """Make one check; what raises or takes too long does not serve."""
        try:
            return bool(await asyncio.wait_for(check(), self._patience))
        except Exception as error:  # noqa: BLE001 - whatever a check raises means no
            _log.debug("health check failed", error=repr(error))
            return False
