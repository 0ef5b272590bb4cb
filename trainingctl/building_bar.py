"""How a generation is being built, on a terminal as a bar, elsewhere as a line for each phase, or as JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from training.ops.v1.operations_service_pb2 import RebuildCatalogueResponse, RebuildPhase, RebuildProgress

from trainingctl.records import put, record
from trainingctl.status_remarks import PHASES, progress
from trainingctl.telling import length, line

_ENDS: Final = frozenset({RebuildPhase.REBUILD_PHASE_COMPLETE, RebuildPhase.REBUILD_PHASE_ABANDONED})


class Shown(Protocol):
    """Shows how the building gets on."""

    def __call__(self, response: RebuildCatalogueResponse, /) -> None:
        """Show what came."""
        ...


@contextmanager
def showing(console: Console, *, as_json: bool) -> Iterator[Shown]:
    """Show the progress for as long as the context lasts."""
    if as_json:
        yield lambda response: put(record(response))
    elif console.is_terminal:
        with _bar(console) as bar:
            yield bar
    else:
        yield _Lines(console)


class _Lines:
    """One line for each phase, and one for each trouble."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: tuple[int, str] = (-1, "")

    def __call__(self, response: RebuildCatalogueResponse, /) -> None:
        building = response.progress
        if building.phase in _ENDS or self._told == (building.phase, building.trouble):
            return
        self._told = (building.phase, building.trouble)
        line(self._console, f"generation {building.generation}: {progress(building)}")


@contextmanager
def _bar(console: Console) -> Iterator[Shown]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[figures]}"),
    )
    with Progress(*columns, console=console, transient=True) as shown:
        bar = shown.add_task("waiting", total=None, figures="")

        def show(response: RebuildCatalogueResponse, /) -> None:
            building = response.progress
            shown.update(
                bar,
                description=f"generation {building.generation}: {PHASES.get(building.phase, '')}",
                total=max(building.total, building.done) or None,
                completed=building.done,
                figures=_figures(building),
            )

        yield show


def _figures(building: RebuildProgress) -> str:
    told = [f"{building.done:,}" + (f" of {building.total:,}" if building.total else "")]
    if building.rate:
        told.append(f"{building.rate:,.0f}/s")
    if building.HasField("time_left"):
        told.append(f"{length(building.time_left)} left")
    if building.trouble:
        told.append(building.trouble)
    return " · ".join(told)
