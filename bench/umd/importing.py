"""An import by the project's own command line, as any user would do it."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_FINE: Final = 0
_ROWS_REFUSED: Final = 1


class ImportFailed(Exception):
    """The command ended without having settled every row."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What the command said of an import, and the rows that its report names."""

    kind: str
    rows: int
    imported: int
    seconds: float
    rows_per_second: float
    refused: Sequence[dict[str, Any]]


async def import_programs(file: Path, address: str, token_file: Path) -> Imported:
    """Import programs; what stands for them is written to `token_file`. Raises ImportFailed."""
    return await _import("programs", file, "--program-address", address, "--token-file", str(token_file))


async def import_offers(file: Path, address: str, token_file: Path) -> Imported:
    """Import offers of programs that the offer service must have seen. Raises ImportFailed."""
    return await _import("offers", file, "--offer-address", address, "--token-file", str(token_file))


async def _import(kind: str, file: Path, *options: str) -> Imported:
    report = file.with_suffix(".refused.jsonl")
    command = [
        sys.executable,
        "-m",
        "trainingctl",
        "import",
        kind,
        str(file),
        "--json",
        "--report",
        str(report),
        *options,
    ]
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode not in (_FINE, _ROWS_REFUSED):
        raise ImportFailed(f"the import of {kind} ended with {process.returncode}: {output.decode()}")
    summary = json.loads(output)
    refused = [json.loads(line) for line in report.read_text("utf-8").splitlines()]
    if len(refused) != summary["refused"]:
        raise ImportFailed(f"{summary['refused']} {kind} were refused, and the report names {len(refused)}")
    return Imported(kind, summary["rows"], summary["imported"], summary["seconds"], summary["rows_per_second"], refused)
