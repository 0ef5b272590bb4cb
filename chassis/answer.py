"""The way of one call through the process, from its metadata to its status."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import grpc
import structlog

from chassis.bounded import Bounded
from chassis.call import Call, continue_trace, enter_call, find_call
from chassis.errors import Draining, InternalError, RoleMissing, abort, code_of
from chassis.limits import Limit
from chassis.metrics import MethodStatistics
from chassis.policy import ANYONE, is_infrastructure
from chassis.principal import Metadata
from chassis.refusal import Refusal
from chassis.validation import CheckedContext, CheckedRequests, check
from chassis.writing import WritingContext

if TYPE_CHECKING:
    from chassis.interceptor import Interceptor

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
Behaviour = Callable[[Any, Any], Awaitable[Any]]

_log: Final = structlog.get_logger("chassis.calls")


class Answer:
    """Answers the calls of one method."""

    def __init__(
        self,
        interceptor: "Interceptor",
        method: str,
        behaviour: Behaviour,
        *,
        limit: Limit,
        statistics: MethodStatistics,
        requests_stream: bool,
        streaming: bool,
    ) -> None:
        self._interceptor = interceptor
        self._drain = interceptor.drain
        self._authenticate = interceptor.principals.authenticate
        self._method = method
        self._behaviour = behaviour
        self._roles = interceptor.policy.roles(method)
        self._limit = limit
        self._statistics = statistics
        self._requests_stream = requests_stream
        self._streaming = streaming
        self._infrastructure = is_infrastructure(method)
        self._access_log = interceptor.access_log and not self._infrastructure
        self._cap = interceptor.limits.deadline_cap
        self._by_default = interceptor.by_default
        self._at_most = interceptor.at_most

    async def answer(self, request: Any, context: Any) -> Any:  # noqa: ANN401, C901, PLR0912 - any message; flat: layers cost
        """Answer one call."""
        started = monotonic()
        bounded = deadline = None
        code = "OK"
        self._statistics.running += 1
        self._limit.running += 1
        try:
            remaining = context.time_remaining()
            if self._streaming:
                bounded = self._open_stream()
            elif remaining is None or remaining > self._cap:
                deadline = self._by_default if remaining is None else self._at_most
                remaining = deadline.seconds
                bounded = Bounded(self._method)
                deadline.watch(bounded)
            self._admit(dict(context.invocation_metadata()), None if remaining is None else started + remaining)
            if self._requests_stream:
                checked = CheckedContext(context)
                return await self._behaviour(CheckedRequests(checked), checked)
            check(request)
            return await self._behaviour(request, WritingContext(context) if self._streaming else context)
        except asyncio.CancelledError:
            refusal = None if bounded is None else bounded.ended()
            if refusal is None:
                code = "CANCELLED" if context.time_remaining() != 0 else "DEADLINE_EXCEEDED"
                raise
            code = code_of(refusal).name
            await abort(context, refusal)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, the caller is told only what it may know
            if deadline is not None and bounded is not None:
                deadline.release(bounded)
            cause = self._sole(error)
            refusal = self._refusal(cause)
            code = _code(cause, refusal, context)
            if refusal is None:
                raise cause from None
            await abort(context, refusal)
        finally:
            self._limit.running -= 1
            if deadline is not None and bounded is not None:
                deadline.release(bounded)
            elif bounded is not None:
                self._interceptor.open_streams.discard(bounded)
            self._statistics.ended(code, monotonic() - started)
            if self._access_log:
                self._log(code, monotonic() - started)
            if self._drain.begun and not self._interceptor.running:
                self._interceptor.idle.set()

    def _admit(self, metadata: Metadata, deadline: float | None) -> None:
        """Let the call in, known from now on as the current call, or refuse it."""
        if self._drain.begun and not self._infrastructure:
            raise Draining
        self._limit.check()
        principal = self._authenticate(metadata)
        roles = self._roles
        if roles is not ANYONE and roles.isdisjoint(principal.roles):
            raise RoleMissing.calling(self._method, roles)
        call = Call(self._method, principal, metadata, deadline=deadline, drain=self._drain)
        enter_call(call)

    def _open_stream(self) -> Bounded:
        """Remember a stream as open."""
        stream = Bounded(self._method)
        self._interceptor.open_streams.add(stream)
        return stream

    def _sole(self, error: Exception) -> Exception:
        """Return the error that a task group wrapped; of several the first refusal, or the first if all are known."""
        while isinstance(error, ExceptionGroup):
            inner: tuple[Exception, ...] = error.exceptions
            refused = [each for each in inner if isinstance(each, grpc.aio.AbortError | Refusal)]
            if refused:
                return refused[0]
            if len(inner) > 1 and not all(_is_grpcs(each) or self._interceptor.translate(each) for each in inner):
                return error
            error = inner[0]
        return error

    def _refusal(self, error: Exception) -> Refusal | None:
        """Return what the caller is told of an error; None if gRPC itself has told, or has nobody left to tell."""
        if isinstance(error, Refusal):
            return error
        if _is_grpcs(error):
            return None
        translated = self._interceptor.translate(error)
        if translated is not None:
            _log.warning("library failed", method=self._method, refused=translated.reason, error=repr(error))
            return translated
        call = find_call()
        correlation_id = continue_trace(None)[3:35] if call is None else call.correlation_id
        _log.error("handler failed", method=self._method, correlation_id=correlation_id, exc_info=error)
        return InternalError.under(correlation_id)

    def _log(self, code: str, seconds: float) -> None:
        """Log who called what, and how it ended; never what was sent."""
        call = find_call()
        known = {} if call is None else {"principal": call.principal.name, "correlation_id": call.correlation_id}
        _log.info("call", method=self._method, code=code, milliseconds=round(seconds * 1000, 3), **known)


def _is_grpcs(error: Exception) -> bool:
    """Tell whether gRPC itself ended the call, for example because the client has gone."""
    return isinstance(error, grpc.aio.BaseError) and not isinstance(error, grpc.aio.UsageError)


def _code(error: Exception, refusal: Refusal | None, context: Context) -> str:
    """Return the name of the code with which the call ends."""
    if refusal is not None:
        return code_of(refusal).name
    aborted = context.code() if isinstance(error, grpc.aio.AbortError) else None
    return "CANCELLED" if aborted is None else aborted.name
