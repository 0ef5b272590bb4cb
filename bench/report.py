"""The outcome of a run: a table for the reader, JSON for whoever compares runs."""

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from bench.figures import Result

_NOTHING: Final = "-"
_BUSY: Final = 0.9
_LOADED: Final = 0.7


@dataclass(frozen=True, slots=True)
class Machine:
    """Where and in what company it was measured; `load` is that of the minute before the start."""

    cores: int
    load: float
    python: str
    system: str

    @classmethod
    def present(cls) -> "Machine":
        """Look at this machine now."""
        return cls(os.cpu_count() or 1, os.getloadavg()[0], platform.python_version(), platform.platform())

    @property
    def loaded(self) -> bool:
        """Whether others had so much to do that the figures are not to be trusted."""
        return self.load > _LOADED


def show(machine: Machine, results: Sequence[Result], seconds: float, console: Console) -> None:
    """Print the table, and what makes a figure doubtful."""
    table = Table("", "figure", "measured", "floor", "ratio", "reach", "", title="Figures beside their floors")
    for result in results:
        verdicts = ["[green]reached[/]" if result.reached(each) else "[red]short[/]" for each in result.reaches]
        table.add_row(
            result.key,
            result.title,
            f"{_number(result.figure)} {result.unit}\n[dim]{_spread(result.figures)}[/]",
            _NOTHING if result.floor is None else f"{_number(result.floor)}\n[dim]{_spread(result.floors)}[/]",
            _NOTHING if result.ratio is None else f"{result.ratio:.2f}\n[dim]{_spread(result.ratios)}[/]",
            "\n".join(str(each) for each in result.reaches) or _NOTHING,
            "\n".join(verdicts) or _NOTHING,
        )
    console.print(table)
    console.print(
        f"{machine.cores} cores, load {machine.load:.2f} before the start, {seconds:.0f} s in all; "
        f"medians, and below them the lowest and the highest round",
        style="dim",
        highlight=False,
    )
    if machine.loaded:
        console.print("the machine was busy with other work: do not trust these numbers", style="yellow")
    for result in results:
        if details := _details(result):
            console.print(f"{result.key}: {details}", style="dim", highlight=False)
    for result in results:
        if result.busy is not None and result.busy > _BUSY:
            console.print(
                f"{result.key}: the generator was the bottleneck ({result.busy:.0%} of a core)", style="yellow"
            )


def write(file: Path, machine: Machine, results: Sequence[Result], seconds: float) -> None:
    """Write everything as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {
        "time": datetime.now(UTC).isoformat(),
        "machine": {
            "cores": machine.cores,
            "load": machine.load,
            "python": machine.python,
            "system": machine.system,
        },
        "seconds": seconds,
        "results": [result.to_json() for result in results],
    }
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _details(result: Result) -> str:
    told = {name: value if isinstance(value, str) else _number(value) for name, value in result.details.items()}
    if result.busy is not None:
        told["generator"] = f"{result.busy:.0%}"
    return ", ".join(f"{name} {value}" for name, value in told.items())


def _spread(values: Sequence[float]) -> str:
    return f"{_number(min(values))} … {_number(max(values))}" if values else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"  # noqa: PLR2004 - three digits say enough
