"""What callers did and were told: the side of the story that the journal has to agree with."""

from dataclasses import dataclass, field
from enum import Enum, auto
from uuid import UUID


class Outcome(Enum):
    """What a caller knows of a command."""

    ACCEPTED = auto()
    UNCHANGED = auto()
    REFUSED = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Told:
    """One command and what its caller was told last; `request_id` is absent for a row of an import."""

    source: str
    method: str
    aggregate_id: UUID
    request_id: UUID | None
    outcome: Outcome
    revision: int = 0
    token: str = ""


@dataclass(slots=True)
class History:
    """Everything that was told, and everything that was wrong at once."""

    told: list[Told] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    reads: int = 0
    repeats: int = 0

    def add(self, told: Told) -> Told:
        """Remember a command."""
        self.told.append(told)
        return told

    def count(self, outcome: Outcome) -> int:
        """Return how many commands had an outcome."""
        return sum(told.outcome is outcome for told in self.told)
