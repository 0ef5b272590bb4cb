"""What the reader of the terminal sees: one short line for each thing that matters, under the name of who says it."""

import asyncio
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_POLL_SECONDS: Final = 0.2
_LINES_AT_ONCE: Final = 10
_WIDTH: Final = 10
_LEVELS: Final = {"warning", "error", "critical"}
_KNOWN: Final = {"event", "level", "logger", "timestamp", "service", "exception"}


def say(name: str, text: str) -> None:
    """Print a line about a process, or, with an empty name, about the whole."""
    sys.stdout.write(f"{name:<{_WIDTH}}{text}\n" if name else f"{text}\n")
    sys.stdout.flush()


class LogFollower:
    """Shows what services write to their logs beyond information: warnings, errors and everything that is no JSON."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._logs = dict(logs)
        self._read = {name: _size(log) for name, log in self._logs.items()}

    def skip(self) -> None:
        """Pass over what has been written so far: what went wrong before all was ready has ended well."""
        self._read = {name: _size(log) for name, log in self._logs.items()}

    async def run(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(_POLL_SECONDS)

    def look(self) -> None:
        """Show what is new, a little of each."""
        for name, log in self._logs.items():
            shown = [line for line in self._new_lines(name, log) if line]
            for line in shown[:_LINES_AT_ONCE]:
                say(name, line)
            if len(shown) > _LINES_AT_ONCE:
                say(name, f"... and {len(shown) - _LINES_AT_ONCE} more lines in {log}")

    def _new_lines(self, name: str, log: Path) -> Iterator[str]:
        size = _size(log)
        if size < self._read[name]:  # a log that grew large was set aside
            self._read[name] = 0
        if size == self._read[name]:
            return
        with log.open("rb") as stream:
            stream.seek(self._read[name])
            whole, end, _ = stream.read(size - self._read[name]).rpartition(b"\n")
        self._read[name] += len(whole) + len(end)
        for line in whole.decode("utf-8", "replace").splitlines():
            yield _shortened(line)


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _shortened(line: str) -> str:
    """Return what of a log line to show; nothing of information."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    if not isinstance(entry, dict):
        return line
    if entry.get("level") not in _LEVELS:
        return ""
    details = " ".join(f"{key}={value}" for key, value in entry.items() if key not in _KNOWN)
    return f"{entry['level']}: {entry.get('event', '')} {details}".rstrip()
