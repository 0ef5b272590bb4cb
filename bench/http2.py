"""Unary gRPC calls at a fraction of a client library's cost.

A load generator must outrun the server that it measures, on the same few cores: this one writes ready frames and looks
only at the frames' heads of what comes back (RFC 9113), about a tenth of what a call costs in grpc.aio.
"""

import asyncio
import struct
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final, cast

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST, _SETTINGS, _PING, _GOAWAY, _WINDOW = 0x0, 0x1, 0x3, 0x4, 0x6, 0x7, 0x8
_END_STREAM, _ACK, _END_HEADERS = 0x1, 0x1, 0x4
_HEAD: Final = 9
_INITIAL_WINDOW: Final = 4
_LARGEST_WINDOW: Final = 2**31 - 1
_FIRST_WINDOW: Final = 65_535
_RENEW_WINDOW: Final = 2**29
_LARGEST_FRAME: Final = 16_384
_LARGEST_STRING: Final = 126

_head: Final = struct.Struct(">IBI")  # length and type share the first number
_unpack: Final = _head.unpack_from


class ConnectionEnded(Exception):
    """The server ended the connection in the middle of the calls."""


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame."""
    return _head.pack(len(payload) << 8 | kind, flags, stream) + payload


def header_block(method: str, authority: str, metadata: Mapping[str, str]) -> bytes:
    """Return a request's headers, compressed only by the static table (RFC 7541)."""
    block = b"\x83\x86" + b"\x04" + _string(method) + b"\x01" + _string(authority)  # POST, http, path, authority
    block += b"\x0f\x10" + _string("application/grpc")  # content-type
    for name, value in {"te": "trailers", "grpc-timeout": "20S", **metadata}.items():
        block += b"\x00" + _string(name) + _string(value)
    return block


def _string(text: str) -> bytes:
    if len(text) > _LARGEST_STRING:
        raise ValueError(f"longer than this encoder writes: {text[:40]}…")
    return bytes((len(text),)) + text.encode("ascii")


class Caller(asyncio.Protocol):
    """One connection that keeps `depth` calls in flight from its start until `stop`.

    `body` gives the next request, `ended` is told of each call's seconds and whether it was answered with a message.
    """

    def __init__(
        self, headers: bytes, depth: int, body: Callable[[], bytes], ended: Callable[[float, bool], None]
    ) -> None:
        self._headers = headers
        self._depth = depth
        self._body = body
        self._ended = ended
        self._begun: dict[int, float] = {}
        self._answered: set[int] = set()
        self._next = 1
        self._window = _FIRST_WINDOW
        self._waiting: list[bytes] = []
        self._consumed = 0
        self._rest = b""
        self._stopping = False
        self._transport: asyncio.Transport | None = None
        self.idle: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = opened = cast("asyncio.Transport", transport)  # uvloop's is not one by its class
        settings = struct.pack(">HI", _INITIAL_WINDOW, _LARGEST_WINDOW)
        window = struct.pack(">I", _LARGEST_WINDOW - _FIRST_WINDOW)
        out = [_PREFACE, frame(_SETTINGS, 0, 0, settings), frame(_WINDOW, 0, 0, window)]
        for _ in range(self._depth):
            self._call(out)
        opened.write(b"".join(out))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail if calls were under way."""
        if not self.idle.done():
            self.idle.set_exception(ConnectionEnded(str(exc or "the server closed the connection")))

    def stop(self) -> None:
        """Begin no more calls; `idle` tells when the last has ended."""
        self._stopping = True
        if not self._begun and not self.idle.done():
            self.idle.set_result(None)

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take in what came, and answer it in one write."""
        rest = self._rest + data if self._rest else data
        at, end = 0, len(rest)
        out: list[bytes] = []
        while end - at >= _HEAD:
            first, flags, stream = _unpack(rest, at)
            length, kind = first >> 8, first & 0xFF
            following = at + _HEAD + length
            if following > end:
                break
            if kind == _HEADERS:
                if flags & _END_STREAM:
                    self._end(stream, out)
            elif kind == _DATA:
                self._answered.add(stream)
                self._consumed += length
            else:
                self._control(kind, flags, stream, rest[at + _HEAD : following], out)
            at = following
        self._rest = rest[at:]
        if self._consumed > _RENEW_WINDOW:
            out.append(frame(_WINDOW, 0, 0, struct.pack(">I", self._consumed)))
            self._consumed = 0
        if out and self._transport is not None:
            self._transport.write(b"".join(out))

    def _control(self, kind: int, flags: int, stream: int, payload: bytes, out: list[bytes]) -> None:
        if kind == _SETTINGS and not flags & _ACK:
            out.append(frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            out.append(frame(_PING, _ACK, 0, payload))
        elif kind == _WINDOW and stream == 0:
            self._window += int.from_bytes(payload)
            self._send_waiting(out)
        elif kind == _RST:
            self._end(stream, out)
        elif kind == _GOAWAY and not self.idle.done():
            self.idle.set_exception(ConnectionEnded(payload[8:].decode("utf-8", "replace")))

    def _end(self, stream: int, out: list[bytes]) -> None:
        self._ended(perf_counter() - self._begun.pop(stream), stream in self._answered)
        self._answered.discard(stream)
        if not self._stopping:
            self._call(out)
        elif not self._begun and not self.idle.done():
            self.idle.set_result(None)

    def _call(self, out: list[bytes]) -> None:
        """Begin a call; its message waits if the server's window is used up."""
        stream, self._next = self._next, self._next + 2
        body = self._body()
        message = b"\0" + len(body).to_bytes(4) + body
        if len(message) > _LARGEST_FRAME:
            raise ValueError("the request does not fit into one frame")
        self._begun[stream] = perf_counter()
        head = frame(_HEADERS, _END_HEADERS, stream, self._headers)
        if self._waiting or len(message) > self._window:
            out.append(head)
            self._waiting.append(frame(_DATA, _END_STREAM, stream, message))
        else:
            self._window -= len(message)
            out.append(head + frame(_DATA, _END_STREAM, stream, message))

    def _send_waiting(self, out: list[bytes]) -> None:
        while self._waiting and len(self._waiting[0]) - _HEAD <= self._window:
            message = self._waiting.pop(0)
            self._window -= len(message) - _HEAD
            out.append(message)
