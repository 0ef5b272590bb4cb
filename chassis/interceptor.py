"""What happens around every handler, in one place: admission, deadline, validation, counting, logging, errors.

Handlers are wrapped once, when the server is put together, instead of being looked up and wrapped by a
`grpc.aio.ServerInterceptor` in every call; gRPC then finds a wrapped handler at the price of a bare one.
"""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import grpc

from chassis.answer import Answer
from chassis.bounded import Bounded, Deadline
from chassis.drain import Drain
from chassis.errors import Draining
from chassis.limits import Limit
from chassis.metrics import CallStatistics
from chassis.policy import Policy, is_infrastructure
from chassis.principal import Principals
from chassis.refusal import Refusal
from chassis.startup import StartFailure
from chassis.validation import decoding, warm

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"  # generic for type checkers only
Translate = Callable[[Exception], Refusal | None]
"""Turns an exception of a library, such as a lost database, into what the caller is told; None: a fault of ours."""

INFRASTRUCTURE_LIMIT: Final = 256
"""Health, reflection and channelz calls at once: they stay answered when everything else is at its limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of every call; seconds, and calls at once."""

    default_deadline: float = 30.0
    deadline_cap: float = 300.0
    unary: int = 1000
    streams: int = 1000


class Interceptor:
    """Wraps every handler of one server, and knows all its streams."""

    def __init__(
        self,
        *,
        policy: Policy,
        principals: Principals,
        statistics: CallStatistics,
        drain: Drain,
        limits: Limits,
        access_log: bool,
        translate: Translate,
    ) -> None:
        self.policy = policy
        self.principals = principals
        self.drain = drain
        self.limits = limits
        self.access_log = access_log
        self.translate = translate
        self._statistics = statistics
        self._unary = Limit("calls", limits.unary)
        self._streams = Limit("streams", limits.streams)
        self._infrastructure = Limit("infrastructure calls", INFRASTRUCTURE_LIMIT)
        self.by_default = Deadline(min(limits.default_deadline, limits.deadline_cap))
        self.at_most = Deadline(limits.deadline_cap)
        self.open_streams: set[Bounded] = set()
        self.idle = asyncio.Event()

    def wrap(self, method: str, handler: Handler) -> Handler:
        """Return the handler with everything around it, ready: its field rules are compiled."""
        requests, responses = bool(handler.request_streaming), bool(handler.response_streaming)
        kind = f"{'stream' if requests else 'unary'}_{'stream' if responses else 'unary'}"
        behaviour = getattr(handler, kind)
        _must_be_coroutine(method, behaviour)
        if handler.request_deserializer is None:
            raise StartFailure(f"{method} has no message type for its requests")
        warm(handler.request_deserializer(b""))
        streaming = requests or responses
        answer = Answer(
            self,
            method,
            behaviour,
            limit=self._limit(method, streaming=streaming),
            statistics=self._statistics.of(method, streaming=streaming),
            requests_stream=requests,
            streaming=streaming,
        )
        make = getattr(grpc, f"{kind}_rpc_method_handler")
        wrapped: Handler = make(
            answer.answer, decoding(handler.request_deserializer), _splicing(handler.response_serializer)
        )
        return wrapped

    def end_streams(self, chosen: Callable[[str], bool]) -> None:
        """End the streams of the chosen methods now; their clients are told that the process is ending."""
        for stream in self.open_streams:
            if chosen(stream.method):
                stream.end(Draining())

    @property
    def running(self) -> int:
        """The calls under way."""
        return self._unary.running + self._streams.running + self._infrastructure.running

    def _limit(self, method: str, *, streaming: bool) -> Limit:
        """Return the limit that the method's calls count against."""
        if is_infrastructure(method):
            return self._infrastructure
        return self._streams if streaming else self._unary


def _must_be_coroutine(method: str, behaviour: Callable[..., object]) -> None:
    """Fail the start for a handler that could not be cancelled properly, would run in a thread, or is missing."""
    if inspect.isasyncgenfunction(behaviour):
        raise StartFailure(
            f"the handler of {method} is an async generator, which a cancelled call leaves open: "
            "write it as a coroutine that calls context.write"
        )
    if not inspect.iscoroutinefunction(behaviour):
        raise StartFailure(f"the handler of {method} is not a coroutine function: it is missing, or it would block")


def _splicing(serialize: Callable[[Any], bytes] | None) -> Callable[[Any], bytes]:
    """Return a serializer that leaves alone what a handler serialized, or spliced, itself."""

    def spliced(message: Any) -> bytes:  # noqa: ANN401 - a message, or its bytes
        if type(message) is bytes or serialize is None:
            return message  # type: ignore[no-any-return]
        return serialize(message)

    return spliced
