"""A real server of OperationsService that answers with prepared messages, and the command line run against it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from training.ops.v1 import operations_service_pb2
from typer.testing import CliRunner, Result

from chassis.refusal import Refusal
from chassis.status import DETAILS_KEY, code_of, to_status
from trainingctl.__main__ import app

Part: TypeAlias = Message | Refusal | Callable[[], Awaitable[object]]
Answer: TypeAlias = Message | Refusal | Sequence[Part]
_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only

NOWHERE = "127.0.0.1:1"
"""An address at which nobody listens."""


@dataclass
class Prepared:
    """What a service answers, by method: a message or a refusal, or several.

    To a stream all of them are sent, and what can be called among them is awaited before the next; calls get one after
    the other, and then the last again and again.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, Message]] = field(default_factory=list)
    principals: set[str] = field(default_factory=set)
    address: str = ""

    def asked(self, method: str) -> list[Message]:
        """Return the requests of a method, in order."""
        return [request for name, request in self.requests if name == method]


async def _refuse(context: _Context, refusal: Refusal) -> None:
    details = ((DETAILS_KEY, to_status(refusal).SerializeToString()),)
    await context.abort(code_of(refusal), str(refusal), trailing_metadata=details)


def _handlers(prepared: Prepared) -> grpc.GenericRpcHandler:
    """Answer every method with what is prepared for it."""
    service = operations_service_pb2.DESCRIPTOR.services_by_name["OperationsService"]
    handlers = {}
    for method in service.methods:
        request = GetMessageClass(method.input_type)
        if method.server_streaming:
            handlers[method.name] = grpc.unary_stream_rpc_method_handler(
                _stream(method.name, prepared), request.FromString, _serialized
            )
        else:
            handlers[method.name] = grpc.unary_unary_rpc_method_handler(
                _unary(method.name, prepared), request.FromString, _serialized
            )
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _serialized(message: Message) -> bytes:
    return message.SerializeToString()


def _unary(name: str, prepared: Prepared) -> Any:  # noqa: ANN401 - a handler of any method
    async def handler(request: Message, context: _Context) -> Message:
        _note(name, prepared, request, context)
        answer = prepared.answers[name]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        if isinstance(answer, Refusal):
            await _refuse(context, answer)
        assert isinstance(answer, Message)
        return answer

    return handler


def _stream(name: str, prepared: Prepared) -> Any:  # noqa: ANN401 - a handler of any method
    async def handler(request: Message, context: _Context) -> None:
        _note(name, prepared, request, context)
        answers = prepared.answers[name]
        assert isinstance(answers, Sequence)
        for answer in answers:
            if isinstance(answer, Refusal):
                await _refuse(context, answer)
            elif isinstance(answer, Message):
                await context.write(answer)
            else:
                await answer()

    return handler


def _note(name: str, prepared: Prepared, request: Message, context: _Context) -> None:
    prepared.requests.append((name, request))
    metadata: Mapping[str, Any] = dict(context.invocation_metadata() or ())
    prepared.principals.add(str(metadata.get("training-principal")))


@asynccontextmanager
async def serving(prepared: Prepared) -> AsyncIterator[Prepared]:
    """Run the server while the context lasts."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_handlers(prepared),))
    prepared.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield prepared
    finally:
        await server.stop(None)


@dataclass
class Platform:
    """Three such servers, of which each can be missing."""

    program: Prepared = field(default_factory=Prepared)
    offer: Prepared = field(default_factory=Prepared)
    catalogue: Prepared = field(default_factory=Prepared)

    @property
    def variables(self) -> dict[str, str]:
        """The environment that tells where the services listen; an address of none is one where nobody does."""
        found = {"PROGRAM": self.program, "OFFER": self.offer, "CATALOGUE": self.catalogue}
        return {f"{name}_GRPC_ADDRESS": each.address or NOWHERE for name, each in found.items()}

    async def run(self, *arguments: str, stdin: str = "") -> Result:
        """Run the command line in a thread, as a process of its own would run it."""
        runner = CliRunner(env={**self.variables, "COLUMNS": "240"})
        return await asyncio.to_thread(lambda: runner.invoke(app, list(arguments), input=stdin))


@asynccontextmanager
async def platform(*missing: str) -> AsyncIterator[Platform]:
    """Run all servers but the missing ones."""
    whole = Platform()
    async with AsyncExitStack() as stack:
        for name in ("program", "offer", "catalogue"):
            if name not in missing:
                await stack.enter_async_context(serving(getattr(whole, name)))
        yield whole
