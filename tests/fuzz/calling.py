"""One fuzzed call: what is sent, how it ends, and whether that is documented. Its seed makes it again."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import grpc
import grpc.aio
from google.protobuf.message import Message

from tests.faults.client import broke_while_sending
from tests.fuzz import hostile, verdict
from tests.fuzz.corpus import Corpus
from tests.fuzz.generator import Generator
from tests.fuzz.methods import Method

DEADLINE_SECONDS: Final = 10.0
_OVERSIZE: Final = 5 * 1024 * 1024
_ROWS: Final = (0, 1, 2, 5, 5, 20, 200)
_READ_AT_MOST: Final = 400
_SHOWN: Final = 1500


@dataclass(slots=True)
class Tally:
    """How the calls of one RPC ended, and those that ended as they never should."""

    codes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sent:
    """The bytes of a call, with its metadata; `cancel_after` so many responses, if at all."""

    requests: list[bytes]
    shown: str
    metadata: tuple[tuple[str, Any], ...] | None
    cancel_after: int | None
    oversized: bool


async def fuzz(method: Method, call: Any, corpus: Corpus, seed: str, tally: Tally) -> None:  # noqa: ANN401 - generated
    """Make one call and judge its end."""
    sent = compose(method, corpus, Random(seed))  # noqa: S311 - to be made again
    problem: str | None
    try:
        async with asyncio.timeout(DEADLINE_SECONDS + 2):
            problem = await _made(method, call, sent, tally)
    except TimeoutError:
        tally.codes["hung"] += 1
        problem = "hung past its deadline"
    except grpc.aio.AioRpcError as error:
        if method.descriptor.client_streaming and broke_while_sending(error):
            tally.codes["ended while we were sending"] += 1
            return
        tally.codes[error.code().name] += 1
        problem = verdict.of_error(error, oversized=sent.oversized)
    if problem is not None:
        tally.wrong.append(f"{method.name}, seed {seed}: {problem}\n    {sent.shown}")


def compose(method: Method, corpus: Corpus, chance: Random) -> Sent:
    """Return what a seed sends."""
    valid = corpus.requests.get(method.descriptor.input_type.full_name, [])
    count = chance.choice(_ROWS) if method.descriptor.client_streaming else 1
    metadata = chance.choice(hostile.METADATA) if chance.random() < 0.08 else None
    made = [_request(method, corpus, valid, chance) for _ in range(count)]
    oversized = bool(metadata) and len(str(metadata)) > 8000
    if made and chance.random() < 0.01:
        made[-1] = (b"\x9a\x3f" + _varint(_OVERSIZE) + bytes(_OVERSIZE), "5 MiB of an unknown field")
        oversized = True
    cancel = chance.choice((None, None, None, 0, 1, 3)) if method.descriptor.server_streaming else None
    if method.endless:
        cancel = 1
    shown = f"{len(made)} requests, metadata {str(metadata)[:200]}; " + "; ".join(text for _, text in made[-3:])
    return Sent([data for data, _ in made], shown[:_SHOWN], metadata, cancel, oversized)


def _request(method: Method, corpus: Corpus, valid: list[Message], chance: Random) -> tuple[bytes, str]:
    generator = Generator(chance, corpus.known, corpus.tokens)
    roll = chance.random()
    if valid and roll < 0.15:
        message = chance.choice(valid)
    elif valid and roll < 0.6:
        message = generator.mutated(chance.choice(valid))
    else:
        message = generator.message(method.request)
    data = message.SerializeToString()
    if chance.random() < 0.1:
        data = hostile.damaged(chance, data)
        return data, f"bytes {data[:200]!r}"
    return data, str(message)[:_SHOWN].replace("\n", " ")


async def _made(method: Method, call: Any, sent: Sent, tally: Tally) -> str | None:  # noqa: ANN401 - generated
    known: dict[str, Any] = {"timeout": DEADLINE_SECONDS, "metadata": sent.metadata}
    if not method.descriptor.server_streaming:
        response = await call(sent.requests[0], **known)
        counted, problem = verdict.of_response(response)
        tally.codes[counted] += 1
        return problem
    stream = (
        call(_each(sent.requests), **known) if method.descriptor.client_streaming else call(sent.requests[0], **known)
    )
    received = 0
    problems: list[str] = []
    try:
        async for response in stream:
            counted, problem = verdict.of_response(response)
            tally.codes[counted if counted != "OK" else "message"] += 1
            problems += [problem] if problem else []
            received += 1
            if received in {sent.cancel_after, _READ_AT_MOST}:
                tally.codes["cancelled by us"] += 1
                return problems[0] if problems else None
        tally.codes["OK"] += 1
    finally:
        stream.cancel()
    return problems[0] if problems else None


async def _each(requests: list[bytes]) -> AsyncIterator[bytes]:
    for request in requests:
        yield request


def _varint(number: int) -> bytes:
    """Write a number as Protobuf does."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
