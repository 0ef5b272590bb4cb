"""What a figure is: rounds of measurements beside those of its floor, and what it must reach.

A later figure joins by a function of the type `Measure` in the table of `bench.__main__`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any

from bench.ground import Ground


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to measure: so many rounds, each of about so many seconds."""

    rounds: int = 5
    seconds: float = 2.0
    cold: bool = False


class Bound(StrEnum):
    """What a reach bounds, and from which side."""

    RATIO_AT_LEAST = "≥ {} of the floor"
    RATIO_AT_MOST = "≤ {} of the floor"
    AT_LEAST = "≥ {}"
    AT_MOST = "≤ {}"


@dataclass(frozen=True, slots=True)
class Reach:
    """One condition on a result."""

    bound: Bound
    value: float

    def __str__(self) -> str:
        """Write it as it is shown."""
        return self.bound.value.format(f"{self.value:,g}")


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: its rounds and those of its floor, in order, alternating as they were measured.

    `busy` is the highest CPU share of a load generator in any round; at 1 it could not have sent more. `details` are
    further numbers worth keeping, with their units in their names.
    """

    key: str
    title: str
    unit: str
    figures: Sequence[float]
    floors: Sequence[float]
    reaches: Sequence[Reach]
    busy: float | None = None
    details: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def figure(self) -> float:
        """The median of the figure's rounds."""
        return median(self.figures)

    @property
    def floor(self) -> float | None:
        """The median of the floor's rounds; None where there is nothing to stand beside."""
        return median(self.floors) if self.floors else None

    @property
    def ratio(self) -> float | None:
        """How many times the floor the figure is."""
        return self.figure / self.floor if self.floor else None

    @property
    def ratios(self) -> Sequence[float]:
        """The same of each round, of measurements made one right after the other."""
        return [figure / floor for figure, floor in zip(self.figures, self.floors, strict=False)]

    def reached(self, reach: Reach) -> bool:
        """Tell whether the result meets a condition."""
        match reach.bound:
            case Bound.AT_LEAST:
                return self.figure >= reach.value
            case Bound.AT_MOST:
                return self.figure <= reach.value
            case Bound.RATIO_AT_LEAST:
                return self.ratio is not None and self.ratio >= reach.value
            case Bound.RATIO_AT_MOST:
                return self.ratio is not None and self.ratio <= reach.value

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON has it."""
        return {
            "key": self.key,
            "title": self.title,
            "unit": self.unit,
            "figure": self.figure,
            "floor": self.floor,
            "ratio": self.ratio,
            "figures": list(self.figures),
            "floors": list(self.floors),
            "reach": [{"condition": str(reach), "reached": self.reached(reach)} for reach in self.reaches],
            "generator_busy": self.busy,
            "details": dict(self.details),
        }


Measure = Callable[[Ground, Plan], Awaitable[Sequence[Result]]]
"""Measures one of the figures; what it needs of the ground it makes or asks for itself."""
