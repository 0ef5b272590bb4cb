"""What all services say of themselves, as a reader sees it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from training.ops.v1.operations_service_pb2 import GetStatusResponse

from trainingctl.problem import Problem
from trainingctl.records import record
from trainingctl.status_lines import Line, lines
from trainingctl.status_remarks import remarks
from trainingctl.telling import length, put_table

_COLUMNS: Final = (
    "service",
    "source",
    "lane",
    "committed",
    "published",
    "applied",
    "behind",
    "parked",
    "as of",
    "leader",
    "trouble",
)
_FIGURES: Final = frozenset({"committed", "published", "applied", "behind", "parked"})
_LONG: Final = frozenset({"leader", "trouble"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service said, or why it said nothing."""

    service: str
    address: str
    status: GetStatusResponse | None = None
    problem: Problem | None = None
    silence: str = ""
    """How long it has said nothing, where it should have."""

    @property
    def complaint(self) -> str:
        """Why there is no status to be trusted; empty when there is one."""
        if self.problem is not None:
            return str(self.problem)
        return f"{self.service} at {self.address} {self.silence}" if self.silence else ""

    @property
    def fresh(self) -> bool:
        """Whether it answered, and everything it told is fresh."""
        if self.status is None or self.complaint:
            return False
        return all(each.fresh for each in lines(self.status, by_lane=False))

    def record(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "service": self.service,
            "address": self.address,
            "fresh": self.fresh,
            "status": None if self.status is None else record(self.status),
            "problem": self.complaint,
        }


def table(answers: Sequence[Answer], *, by_lane: bool) -> RenderableType:
    """Return everything that was told."""
    grid = Table(box=None, pad_edge=False)
    for name in _COLUMNS:
        grid.add_column(name, justify="right" if name in _FIGURES else "left", no_wrap=name not in _LONG)
    parts: list[RenderableType] = []
    for answer in answers:
        if answer.status is not None:
            for each in lines(answer.status, by_lane=by_lane):
                grid.add_row(*_cells(each), style=None if each.fresh and not answer.complaint else "red")
            parts.extend(Text(each, overflow="fold") for each in remarks(answer.status))
    parts.extend(Text(answer.complaint, style="red", overflow="fold") for answer in answers if answer.complaint)
    if grid.row_count:
        parts.insert(0, grid)
    if any(answer.status is not None for answer in answers):
        fresh = all(answer.fresh for answer in answers)
        parts.append(Text("everything is fresh" if fresh else "not everything is fresh"))
    return Group(*parts)


def show(console: Console, answers: Sequence[Answer], *, by_lane: bool) -> None:
    """Print everything that was told."""
    put_table(console, table(answers, by_lane=by_lane))


def _cells(row: Line) -> list[str]:
    return [
        row.service,
        f"{row.source} {row.part}" if row.lane is None else "",
        "all" if row.lane is None else str(row.lane),
        _announced(row.committed),
        _announced(row.published),
        "" if row.applied is None else f"{row.applied:,}",
        _announced(row.behind),
        "" if row.parked is None else f"{row.parked:,}",
        _age(row),
        row.leader,
        escape(row.trouble),
    ]


def _announced(figure: int | None) -> str:
    """Tell a figure that a source announces of itself."""
    return "unknown" if figure is None else f"{figure:,}"


def _age(row: Line) -> str:
    """Tell how old a copy is, or for how long the oldest event has waited."""
    if row.age is None:
        return "unknown" if row.part == "copy" and row.lane is None else ""
    whole_copy = row.part == "copy" and row.lane is None
    return f"{length(row.age)} ago" if whole_copy else f"{length(row.age)} waiting"
