"""`trainingctl audit`: a service's copy compared with its sources, difference by difference."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from training.ops.v1.operations_service_pb2 import AuditCatalogueRequest, AuditCatalogueResponse, AuditDifference

from trainingctl import exit_codes, options
from trainingctl.calling import Service, carry_out, copy_of
from trainingctl.problem import CallFailed, Problem
from trainingctl.records import put, record
from trainingctl.telling import counted, line, on_a_wide_console

_KINDS: Final = {
    AuditDifference.KIND_UNSPECIFIED: "different",
    AuditDifference.KIND_MISSING: "missing",
    AuditDifference.KIND_EXTRA: "extra",
    AuditDifference.KIND_STALE: "stale",
    AuditDifference.KIND_ALTERED: "altered",
    AuditDifference.KIND_PARKED: "parked",
}


class Findings:
    """What an audit has found so far."""

    def __init__(self) -> None:
        self.checked: Final[dict[str, int]] = {}
        self._complete: Final[set[str]] = set()
        self.differences = 0
        self.repaired = 0

    def take(self, response: AuditCatalogueResponse) -> None:
        """Count what a message tells."""
        if response.source:
            self.checked[response.source] = response.checked
        if response.complete:
            self._complete.add(response.source)
        self.differences += len(response.differences)
        self.repaired += sum(difference.repaired for difference in response.differences)

    @property
    def incomplete(self) -> list[str]:
        """Which sources have not been compared to their end."""
        return [source for source in self.checked if source not in self._complete]

    @property
    def remaining(self) -> int:
        """How many differences are still there."""
        return self.differences - self.repaired

    def record(self) -> dict[str, object]:
        """Return the summary as a JSON object."""
        return {
            "checked": self.checked,
            "differences": self.differences,
            "repaired": self.repaired,
            "remaining": self.remaining,
        }


def audit(
    *,
    at_offer: options.AtOffer = False,
    sources: options.SomeSources = None,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what is different.")] = False,
    offer: options.OfferAddress = options.OFFER_ADDRESS,
    catalogue: options.CatalogueAddress = options.CATALOGUE_ADDRESS,
    principal: options.Principal = options.OPERATOR,
    as_json: options.AsJsonLines = False,
) -> None:
    """Compare a service's copy with its sources while everything goes on; every difference is a line.

    The exit code is 0 when there is none, or all were put right; 1 when some remain (a parked event's is one that no
    repair puts right), 3 when the service does not answer (any more), 4 when it refuses.
    """
    service = copy_of(offer, catalogue, principal, at_offer=at_offer)
    request = AuditCatalogueRequest(sources=[source.value for source in sources or ()], repair=repair)
    console = on_a_wide_console()
    found = carry_out(_audit(service, request, console, as_json=as_json), as_json=as_json)
    if as_json:
        put({"summary": found.record()})
    else:
        _sum_up(console, service, found)
    raise typer.Exit(exit_codes.DIFFERENT if found.remaining else exit_codes.FINE)


async def _audit(service: Service, request: AuditCatalogueRequest, console: Console, *, as_json: bool) -> Findings:
    found = Findings()
    with _progress(console, shown=console.is_terminal and not as_json) as move:
        async with service.operations() as operations:
            async for response in operations.AuditCatalogue(request, metadata=service.metadata):
                found.take(response)
                if as_json:
                    put(record(response))
                    continue
                for difference in response.differences:
                    line(console, told(difference), style=None if difference.repaired else "red")
                move(response)
    if found.incomplete:
        message = f"the service ended the call before it had compared all of {', '.join(found.incomplete)}"
        raise CallFailed(Problem(service.name, service.address, "UNAVAILABLE", "", message, {}))
    return found


def told(difference: AuditDifference) -> str:
    """Return a difference as one line."""
    there = f"revision {difference.source_revision}" if difference.HasField("source_revision") else "nothing"
    here = f"revision {difference.revision}" if difference.HasField("revision") else "nothing"
    text = (
        f"{_KINDS.get(difference.kind, 'different')}: {difference.source} {difference.aggregate_id} "
        f"(lane {difference.lane}: source at {difference.source_seq}, copy at {difference.applied_seq}): "
        f"the source has {there}, the copy {here}"
    )
    return (
        text + (f"; {difference.detail}" if difference.detail else "") + ("; repaired" if difference.repaired else "")
    )


def _sum_up(console: Console, service: Service, found: Findings) -> None:
    compared = ", ".join(f"{count:,} of {source}" for source, count in sorted(found.checked.items())) or "nothing"
    line(console, f"{service.name}: compared {compared}")
    if not found.differences:
        line(console, "no difference")
    else:
        style = "red" if found.remaining else None
        summed = (
            f"{counted(found.differences, 'difference')}, {found.repaired:,} repaired, {found.remaining:,} remaining"
        )
        line(console, summed, style=style)


@contextmanager
def _progress(console: Console, *, shown: bool) -> Iterator[Callable[[AuditCatalogueResponse], None]]:
    """Show a bar for the source being compared, or nothing."""
    if not shown:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"))
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task("waiting", total=None, figures="")

        def move(response: AuditCatalogueResponse) -> None:
            total = max(response.total, response.checked)
            bars.update(
                bar,
                description=response.source,
                total=total or None,
                completed=response.checked,
                figures=f"{response.checked:,} of {total:,}",
            )

        yield move
