"""The progress of an import on a terminal; elsewhere nothing is shown."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeRemainingColumn

from trainingctl.ledger import Tally
from trainingctl.rows import Reading

_PERIOD: Final = 0.1
"""Seconds between two looks at the tally: rows are far too fast to be told one by one."""


@asynccontextmanager
async def shown(console: Console, title: str, reading: Reading, tally: Tally) -> AsyncIterator[None]:
    """Show a bar while the context lasts: by bytes, since nobody knows how many rows a file has before it is read."""
    if not console.is_terminal:
        yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]} rows · {task.fields[speed]}/s · {task.fields[refused]} refused"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task(title, total=reading.total_bytes, rows=0, speed=0, refused=0)
        moving = asyncio.create_task(_move(progress, bar, reading, tally), name="progress")
        try:
            yield
        finally:
            moving.cancel()
            await asyncio.wait({moving})


async def _move(progress: Progress, bar: TaskID, reading: Reading, tally: Tally) -> None:
    while True:
        progress.update(
            bar,
            completed=reading.bytes_read,
            rows=f"{tally.rows:,}",
            speed=f"{tally.rows_per_second:,.0f}",
            refused=tally.refused,
        )
        await asyncio.sleep(_PERIOD)
