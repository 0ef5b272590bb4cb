"""When which process is killed: everything that a seed decides.

`FAULTS_SEED` changes the moments. `FAULTS_SECONDS` makes the run longer than the moments that every process is due.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

SERVERS: Final = ("postgres", "nats")
SERVICES: Final = ("program", "offer", "catalogue")
MOMENTS: Final = 20
"""How often every process is killed at least."""

_WINDOW_SECONDS: Final = 0.4


@dataclass(frozen=True, slots=True)
class Kill:
    """A process killed `after` so many seconds and started again after a `pause`; `halted` before, for so long."""

    name: str
    after: float
    halted: float
    pause: float


@dataclass(frozen=True, slots=True)
class Round:
    """Kills that overlap, one of each process; after them everything is compared."""

    number: int
    servers: tuple[Kill, ...]
    services: tuple[Kill, ...]


def seed() -> int:
    """Return the seed of this run."""
    return int(os.environ.get("FAULTS_SEED", "2027"))


def seconds() -> float:
    """Return how long the run is to last, if it is to last longer than its moments take."""
    return float(os.environ.get("FAULTS_SECONDS", "0"))


def rounds(chosen: int) -> Iterator[Round]:
    """Return the rounds of a seed, without end; in each round every process is killed once."""
    number = 0
    while True:
        chance = Random(f"{chosen}/{number}")  # noqa: S311 - the seed decides, nobody guesses
        servers = tuple(_kill(chance, name) for name in chance.sample(SERVERS, len(SERVERS)))
        yield Round(number, servers, tuple(_kill(chance, name) for name in SERVICES))
        number += 1


def _kill(chance: Random, name: str) -> Kill:
    halted = chance.uniform(0.05, 0.3) if chance.random() < 0.2 else 0.0
    pause = 0.0 if chance.random() < 0.6 else chance.uniform(0.0, 0.3)
    return Kill(name, chance.uniform(0.0, _WINDOW_SECONDS), halted, pause)
