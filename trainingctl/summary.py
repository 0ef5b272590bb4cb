"""What came of an import: as JSON, in a few lines, as an exit code."""

from typing import Final

from rich.console import Console
from rich.markup import escape

from trainingctl import exit_codes
from trainingctl.import_run import Order, Result

_SHOWN: Final = 5
"""Refused rows that the lines name; the report has all."""


def summary(order: Order, result: Result) -> dict[str, object]:
    """Return the summary as one JSON object."""
    tally = result.tally
    return {
        "kind": order.kind.name,
        "rows": tally.rows,
        "imported": tally.imported,
        "unchanged": tally.unchanged,
        "refused": tally.refused,
        "done_before": tally.done_before,
        "complete": result.stopped is None and not result.interrupted,
        "stopped": str(result.stopped or ("interrupted" if result.interrupted else "")),
        "validate_only": order.validate_only,
        "reconnections": tally.reconnections,
        "seconds": round(tally.seconds, 3),
        "rows_per_second": round(tally.rows_per_second, 1),
        "consistency_token": result.token,
    }


def exit_code(result: Result) -> int:
    """Return the exit code of an import."""
    if result.interrupted:
        return exit_codes.INTERRUPTED
    if result.stopped is not None:
        return exit_codes.USAGE if result.stopped.reachable else exit_codes.NOT_REACHABLE
    return exit_codes.ROWS_REFUSED if result.tally.refused else exit_codes.FINE


def say(console: Console, order: Order, result: Result) -> None:
    """Say in a few lines what came of an import."""
    tally = result.tally
    verb = "would be imported" if order.validate_only else "imported"
    parts = [f"{tally.imported:,} {verb}", f"{tally.unchanged:,} unchanged", f"{tally.refused:,} refused"]
    if tally.done_before:
        parts.append(f"{tally.done_before:,} done before")
    speed = f"{tally.seconds:.1f} s, {tally.rows_per_second:,.0f} rows/s"
    console.print(f"{order.kind.name}: {', '.join(parts)} ({speed})", highlight=False)
    for row in result.refused[:_SHOWN]:
        told = f"{row.origin}: {row.row_id} {row.reason or row.code}: {row.message}"
        console.print(escape(told), style="red", highlight=False, soft_wrap=True)
    if tally.refused > _SHOWN:
        where = order.report or "--report FILE"
        console.print(f"… and {tally.refused - _SHOWN:,} more: all of them are in {where}", highlight=False)
    if result.stopped is not None:
        console.print(escape(f"stopped: {result.stopped}"), style="red", highlight=False, soft_wrap=True)
    elif result.interrupted:
        console.print("interrupted; the same command goes on where it was", style="red", highlight=False)
