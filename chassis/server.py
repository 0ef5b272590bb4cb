"""The gRPC server of a process: put together in one place, checked at start, drained at the end."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

import grpc
import structlog
from grpc_channelz.v1 import channelz, channelz_pb2_grpc
from grpc_health.v1 import health_pb2_grpc

from chassis.drain import Drain
from chassis.health import FRESHNESS, Health, HealthCheck
from chassis.interceptor import Handler, Interceptor, Limits, Translate
from chassis.metrics import CallStatistics
from chassis.policy import Policy
from chassis.principal import Principals
from chassis.reflection import SERVICES as REFLECTION
from chassis.reflection import add_reflection
from chassis.refusal import Refusal
from chassis.settings import Address, ServiceSettings
from chassis.startup import StartFailure

Servicer = TypeVar("Servicer")
_log: Final = structlog.get_logger("chassis.server")

_LAST_GRACE: Final = 0.5
"""Seconds in which calls that were just told to end may still send their status."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a server listens and what it bears; times in seconds, sizes in bytes."""

    address: Address
    limits: Limits = field(default_factory=Limits)
    access_log: bool = True
    drain_grace: float = 10.0
    largest_request: int = 4 * 1024 * 1024
    largest_response: int = 16 * 1024 * 1024
    shared_port: bool = False  # several processes listen at one port (SO_REUSEPORT)

    @classmethod
    def of(cls, settings: ServiceSettings) -> "ServerOptions":
        """Take what the settings say."""
        return cls(
            address=settings.grpc_address,
            limits=Limits(
                default_deadline=settings.default_deadline_seconds,
                deadline_cap=settings.deadline_cap_seconds,
                unary=settings.unary_limit,
                streams=settings.stream_limit,
            ),
            access_log=settings.access_log,
            drain_grace=settings.drain_grace_seconds,
        )

    def channel_options(self) -> list[tuple[str, int]]:
        """Return them as gRPC's options; pings find dead clients, whose watches would stay open for ever."""
        return [
            ("grpc.max_receive_message_length", self.largest_request),
            ("grpc.max_send_message_length", self.largest_response),
            ("grpc.so_reuseport", int(self.shared_port)),
            ("grpc.keepalive_time_ms", 60_000),
            ("grpc.keepalive_timeout_ms", 20_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ("grpc.enable_channelz", 1),
        ]


class _Methods(grpc.GenericRpcHandler):
    """Collects the handlers that generated code registers, wraps them, and finds them by method."""

    def __init__(self, wrap: Callable[[str, Handler], Handler]) -> None:
        self._wrap = wrap
        self.handlers: dict[str, Handler] = {}
        self.services: set[str] = set()

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """Ignore them: generated code registers the same handlers by name as well."""

    def add_registered_method_handlers(self, service_name: str, method_handlers: Mapping[str, Handler]) -> None:
        """Wrap and keep the handlers of a service."""
        self.services.add(service_name)
        for name, handler in method_handlers.items():
            method = f"/{service_name}/{name}"
            self.handlers[method] = self._wrap(method, handler)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        """Return the handler of a call."""
        return self.handlers.get(handler_call_details.method)


def untranslated(error: Exception) -> Refusal | None:
    """Know no library's exceptions."""
    del error
    return None


class Server:
    """Serves the services added to it, with health, reflection and channelz, from `start` until `stop`.

    `readiness` tells whether this process can answer calls; `freshness` whether its pipe keeps up.
    """

    def __init__(
        self,
        options: ServerOptions,
        *,
        policy: Policy,
        principals: Principals,
        readiness: HealthCheck,
        freshness: HealthCheck | None = None,
        statistics: CallStatistics | None = None,
        translate: Translate = untranslated,
    ) -> None:
        self.drain: Final = Drain()
        self._options = options
        self._policy = policy
        self._readiness = readiness
        self._freshness = freshness
        self._calls = Interceptor(
            policy=policy,
            principals=principals,
            statistics=statistics or CallStatistics(),
            drain=self.drain,
            limits=options.limits,
            access_log=options.access_log,
            translate=translate,
        )
        self._methods = _Methods(self._calls.wrap)
        self._server = grpc.aio.server(handlers=[self._methods], options=options.channel_options())
        self._health: Health | None = None
        self._checking: asyncio.Task[None] | None = None
        self._port = 0

    @property
    def port(self) -> int:
        """The port it listens at, also when the system chose it."""
        return self._port

    @property
    def health(self) -> Health:
        """The health it tells, once started."""
        if self._health is None:
            raise RuntimeError("the server is not started")
        return self._health

    def add(self, register: Callable[[Servicer, Any], None], servicer: Servicer) -> None:
        """Serve a service; `register` is its generated `add_…Servicer_to_server`."""
        register(servicer, self._methods)

    async def start(self) -> None:
        """Check the policy, listen and serve; raise `StartFailure` if it can't."""
        checks: dict[str, HealthCheck] = dict.fromkeys(("", *sorted(self._methods.services)), self._readiness)
        if self._freshness is not None:
            checks[FRESHNESS] = self._freshness
        self._health = Health(checks, self.drain)
        self.add(health_pb2_grpc.add_HealthServicer_to_server, self._health)
        self.add(channelz_pb2_grpc.add_ChannelzServicer_to_server, channelz.aio.ChannelzServicer())
        add_reflection(self._methods.services, cast("grpc.aio.Server", self._methods))
        self._policy.check(self._methods.handlers)
        self._listen()
        await self._server.start()
        await self._health.check()
        self._checking = asyncio.create_task(self._health.run(), name="health checks")
        _log.info("serving", address=str(Address(self._options.address.host, self._port)))

    async def stop(self) -> None:
        """Drain: say NOT_SERVING, refuse new calls, let the running ones finish and streams end, then stop."""
        if self.drain.begun:
            return
        self.drain.begin()
        await self.health.announce()
        self._calls.end_streams(lambda method: method.split("/")[1] in REFLECTION)
        if self._calls.running:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._calls.idle.wait(), self._options.drain_grace)
        if self._calls.running:
            _log.warning("calls outlived the drain", calls=self._calls.running)
            self._calls.end_streams(lambda _: True)
        await self._server.stop(_LAST_GRACE)
        if self._checking is not None:
            self._checking.cancel()
            with suppress(asyncio.CancelledError):
                await self._checking
        _log.info("stopped")

    async def serve_until(self, stop: asyncio.Event) -> None:
        """Serve until the event is set, then drain."""
        await self.start()
        try:
            await stop.wait()
        finally:
            await self.stop()

    def _listen(self) -> None:
        """Bind the address, or say in one line why that is not possible."""
        address = self._options.address
        try:
            if not self._options.shared_port:
                _try_to_bind(address)
            self._port = self._server.add_insecure_port(str(address))
        except (OSError, RuntimeError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise StartFailure(f"can't listen at {address}: {reason}") from error


def _try_to_bind(address: Address) -> None:
    """Raise OSError if the address can't be bound: gRPC would not say why."""
    family, kind, protocol, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(where)
