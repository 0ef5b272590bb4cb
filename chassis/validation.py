"""The field rules that the protos declare, checked on every request before its handler sees it."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, Self

import grpc
from google.protobuf.message import DecodeError, Message
from protovalidate import Validator
from protovalidate import Violation as Broken

from chassis.refusal import InvalidField, Violation
from chassis.texts import texts_with_nul
from chassis.writing import WritingContext

_violations: Final = Validator().collect_violations


class Undecodable:
    """Stands for a request whose bytes are no message of its type; a text that is not UTF-8 makes it so too."""


UNDECODABLE: Final = Undecodable()


def decoding(deserialize: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    """Return a deserializer that never raises: gRPC would tell the caller of a library's error under UNKNOWN."""

    def decoded(data: bytes) -> Any:  # noqa: ANN401 - a message of the method's type
        try:
            return deserialize(data)
        except DecodeError:
            return UNDECODABLE

    return decoded


def check(request: Message | Undecodable) -> None:
    """Raise `InvalidField`, listing every field that breaks its declared rule or contains what no database keeps."""
    if isinstance(request, Undecodable):
        needed = "a message of the method's request type, with texts in UTF-8"
        raise InvalidField("the request can't be decoded", {}, (Violation("", "message.decodable", "", needed),))
    broken = _violations(request)
    nuls = texts_with_nul(request)
    if broken or nuls:
        found = (
            *(_violation(each) for each in broken),
            *(Violation(path, "string.no_nul", "", "no NUL character") for path in nuls),
        )
        where = ", ".join(dict.fromkeys(each.field or "the request" for each in found[:3]))
        raise InvalidField(f"fields break their rules: {where}{', …' if len(found) > 3 else ''}", {}, found)  # noqa: PLR2004 - the message names three, the details all


def warm(request: Message) -> None:
    """Compile the rules of a request's type, so that the first caller need not wait for it."""
    _violations(request)


def _violation(broken: Broken) -> Violation:
    """Return a broken rule without the value that broke it, which may be personal."""
    told = broken.proto
    return Violation(_path(told.field), told.rule_id or "", "", told.message or told.rule_id or "")


def _path(field: Any) -> str:  # noqa: ANN401 - protovalidate keeps this message type to itself
    """Write a field path as `content.modules[2].title` or `labels["en"]`."""
    written = ""
    for element in field.elements if field is not None else ():
        written += f".{element.field_name}" if written else str(element.field_name)
        subscript = element.subscript
        if subscript is not None:
            written += f"[{subscript.value}]" if subscript.field == "index" else f'["{subscript.value}"]'
    return written


class CheckedContext(WritingContext):
    """The context of a call whose client streams; its `read` checks what it reads."""

    def __init__(self, context: "grpc.aio.ServicerContext[Message, Any]") -> None:
        super().__init__(context)
        self.unchecked_read: Final = context.read

    async def read(self) -> Any:  # noqa: ANN401 - a request, or gRPC's mark of the end
        """Return the next request or `grpc.aio.EOF`, or raise `InvalidField`."""
        request = await self._context.read()
        if isinstance(request, Message | Undecodable):
            check(request)
        return request


class Requests:
    """The requests of a client's stream, as they are read.

    gRPC's own iterator is a generator, which a call that ends early would leave open.
    """

    def __init__(self, read: Callable[[], Awaitable[Any]]) -> None:
        self._read = read

    def __aiter__(self) -> Self:
        """Iterate over the requests."""
        return self

    async def __anext__(self) -> Message:
        """Return the next request."""
        request = await self._read()
        if isinstance(request, Undecodable):
            check(request)
        if not isinstance(request, Message):
            raise StopAsyncIteration
        return request


class CheckedRequests(Requests):
    """The requests of a client's stream, each checked as it is read; `unchecked` are the same for who checks each."""

    def __init__(self, context: CheckedContext) -> None:
        super().__init__(context.read)
        self.unchecked: Final = Requests(context.unchecked_read)
