"""What a decision may know besides the offer and the command."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from uuid import UUID


class ProgramState(IntEnum):
    """The states of a program that reach other services; a number that has no name here is UNKNOWN."""

    UNKNOWN = 0
    RELEASED = 5
    RETIRED = 6

    @classmethod
    def _missing_(cls, value: object) -> "ProgramState | None":
        return cls.UNKNOWN if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class ProgramFacts:
    """A program as the service's replica knows it."""

    program_id: UUID
    state: ProgramState
    revision: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """The configured bounds of a schedule."""

    maximum_sessions: int = 500
    longest_session: timedelta = timedelta(hours=24)
    longest_rule: timedelta = timedelta(days=3 * 366)


@dataclass(frozen=True, slots=True)
class Context:
    """The moment, the actor, the offer's program and the bounds; `now` is aware UTC in microseconds."""

    now: datetime
    principal: str
    program: ProgramFacts | None = None
    bounds: Bounds = Bounds()
