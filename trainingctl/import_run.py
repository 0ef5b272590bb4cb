"""One import from the command line to its summary: files, connection, progress, report, state."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from google.protobuf.duration_pb2 import Duration
from rich.console import Console
from training.offer.v1.offer_service_pb2 import ImportOffersRequest

from trainingctl.channel import connect, identified
from trainingctl.done_rows import DoneRows
from trainingctl.failures import ImportAborted
from trainingctl.flight import IN_FLIGHT
from trainingctl.importing import Import
from trainingctl.kinds import ImportRequest, Kind
from trainingctl.ledger import Ledger, Report, Tally
from trainingctl.progress import shown
from trainingctl.refused import RefusedRow
from trainingctl.rows import Reading

_LONGEST_WAIT: Final = Duration(seconds=30)
FIRST_REFUSED: Final = 100
"""Refused rows that a result keeps."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to import, where and how."""

    kind: Kind
    files: Sequence[str]
    address: str
    principal: str
    in_flight: int = IN_FLIGHT
    retry_for: float = 30.0
    validate_only: bool = False
    min_tokens: tuple[str, ...] = ()
    report: Path | None = None
    state: Path | None = None

    def prepare(self, row: ImportRequest) -> None:
        """Add to a row what was said for all of them."""
        if self.validate_only:
            row.validate_only = True
        if self.min_tokens and isinstance(row, ImportOffersRequest):
            row.min_tokens.extend(self.min_tokens)
            if not row.HasField("max_wait"):
                row.max_wait.CopyFrom(_LONGEST_WAIT)


@dataclass(slots=True)
class Result:
    """What came of an order; `stopped` says why it ended early, if it did."""

    tally: Tally
    token: str = ""
    stopped: ImportAborted | None = None
    interrupted: bool = False
    refused: list[RefusedRow] = field(default_factory=list)
    """The first refused rows; all of them are in the report."""


def carry_out(order: Order, console: Console, on_refused: Callable[[RefusedRow], None] | None = None) -> Result:
    """Import, showing progress on the console. Raises OSError and StateMismatch for files that can't be used."""
    with ExitStack() as stack:
        done = None
        if order.state is not None:
            done = stack.enter_context(DoneRows(order.state, order.kind.name, order.address))
        report = stack.enter_context(Report(order.report)) if order.report is not None else None
        first: list[RefusedRow] = []

        def note(row: RefusedRow) -> None:
            if len(first) < FIRST_REFUSED:
                first.append(row)
            if report is not None:
                report.add(row)
            if on_refused is not None:
                on_refused(row)

        ledger = Ledger(done, note)
        result = Result(ledger.tally, refused=first)
        try:
            asyncio.run(_import(order, ledger, console))
        except ImportAborted as aborted:
            result.stopped = aborted
        except KeyboardInterrupt:
            result.interrupted = True
        result.tally.finish()
        result.token = ledger.token
        return result


async def _import(order: Order, ledger: Ledger, console: Console) -> None:
    reading = Reading(order.kind, order.files, order.prepare)
    metadata = identified(order.principal)
    async with connect(order.address) as channel, shown(console, order.kind.name, reading, ledger.tally):
        await Import(
            lambda: order.kind.open(channel, metadata),
            reading.rows(),
            ledger,
            in_flight=order.in_flight,
            retry_for=order.retry_for,
        ).run()
