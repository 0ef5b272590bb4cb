"""The load generator: a process of its own that keeps a number of calls in flight and says how busy it was.

`python -m bench.load` reads a `Load` as JSON from its input and writes a `Driven` as JSON.
"""

import asyncio
import json
import random
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import accumulate, cycle
from time import perf_counter, process_time
from typing import Final
from uuid import uuid4

import uvloop

from bench.children import run_module
from bench.http2 import Caller, header_block

_DRAWN: Final = 50_000
_END_SECONDS: Final = 10.0

FRESH: Final = ("00000000-0000-4000-8000-0000000000f1", "00000000-0000-4000-8000-0000000000f2")
"""Words of a request that are replaced by new UUIDs in each call."""


@dataclass(frozen=True, slots=True)
class Load:
    """What to call: `requests` are serialized messages in hexadecimal, drawn as `drawn` says.

    `drawn` is `uniform`, `zipf` (the n-th with a weight of 1/n) or `turn` (one after the other).
    """

    address: str
    method: str
    requests: Sequence[str]
    seconds: float
    drawn: str = "turn"
    in_flight: int = 32
    connections: int = 4
    warm_seconds: float = 0.5
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Driven:
    """What came of it. `calls` were counted in `seconds`; `all_calls` has those of the warm-up and the end too.

    `busy` is the generator's own share of one CPU.
    """

    calls: int
    failed: int
    seconds: float
    all_calls: int
    busy: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds


class CallsFailed(Exception):
    """The server refused calls: what was measured is not what was meant."""


async def drive(load: Load) -> Driven:
    """Run the generator. Raises CallsFailed when a call did."""
    driven = Driven(**json.loads(await run_module("bench.load", json.dumps(asdict(load)))))
    if driven.failed:
        raise CallsFailed(f"{load.method}: {driven.failed} of {driven.all_calls} calls failed")
    return driven


class _Count:
    """The calls that ended, counted from `begin` on."""

    def __init__(self) -> None:
        self.all_calls = 0
        self.failed = 0
        self.seconds: list[float] = []

    def ended(self, seconds: float, answered: bool) -> None:  # noqa: FBT001 - called by position, 10,000 times a second
        self.all_calls += 1
        self.seconds.append(seconds)
        if not answered:
            self.failed += 1


def _drawn(load: Load) -> Iterator[bytes]:
    requests = [bytes.fromhex(text) for text in load.requests]
    if load.drawn == "turn":
        return cycle(requests)
    weights = [1.0] * len(requests) if load.drawn == "uniform" else [1 / n for n in range(1, len(requests) + 1)]
    chance = random.Random(7)  # noqa: S311 - a load, not a secret
    return cycle(chance.choices(requests, cum_weights=list(accumulate(weights)), k=_DRAWN))


def _bodies(load: Load) -> Callable[[], bytes]:
    drawn = _drawn(load)
    words = [word.encode() for word in FRESH]

    def body() -> bytes:
        request = next(drawn)
        for word in words:
            if word in request:
                request = request.replace(word, str(uuid4()).encode())
        return request

    return body


async def _drive(load: Load) -> Driven:
    loop, count, body = asyncio.get_running_loop(), _Count(), _bodies(load)
    host, _, port = load.address.rpartition(":")
    headers = header_block(load.method, load.address, load.metadata)
    callers: list[Caller] = []
    for _ in range(load.connections):
        depth = load.in_flight // load.connections
        _, caller = await loop.create_connection(lambda: Caller(headers, depth, body, count.ended), host, int(port))  # noqa: B023 - called before the next turn
        callers.append(caller)
    await asyncio.sleep(load.warm_seconds)
    begun, cpu, count.seconds = perf_counter(), process_time(), []
    ends = asyncio.gather(*(caller.idle for caller in callers))
    await asyncio.wait([ends], timeout=load.seconds)
    seconds, used, measured = perf_counter() - begun, process_time() - cpu, sorted(count.seconds)
    for caller in callers:
        caller.stop()
    async with asyncio.timeout(_END_SECONDS):
        await ends
    for caller in callers:
        caller.close()
    return Driven(
        calls=len(measured),
        failed=count.failed,
        seconds=seconds,
        all_calls=count.all_calls,
        busy=used / seconds,
        p50_ms=measured[len(measured) // 2] * 1000,
        p99_ms=measured[len(measured) * 99 // 100] * 1000,
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(uvloop.run(_drive(Load(**json.load(sys.stdin)))))))
