"""What has become of the rows: counted, reported, remembered."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TextIO

from bus import tokens
from chassis.refusal import Refusal
from trainingctl.done_rows import DoneRows
from trainingctl.kinds import Outcome
from trainingctl.refused import RefusedRow
from trainingctl.rows import Row

OnRefused = Callable[[RefusedRow], None]


@dataclass(slots=True)
class Tally:
    """The rows by what became of them; `done_before` were not sent again."""

    imported: int = 0
    unchanged: int = 0
    refused: int = 0
    done_before: int = 0
    reconnections: int = 0
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def finish(self) -> None:
        """Stop the clock."""
        self.seconds = time.monotonic() - self.started

    @property
    def answered(self) -> int:
        """How many rows were settled in this run."""
        return self.imported + self.unchanged + self.refused

    @property
    def rows(self) -> int:
        """How many rows were read and settled."""
        return self.answered + self.done_before

    @property
    def rows_per_second(self) -> float:
        """How fast rows are settled, up to now or over the whole run."""
        seconds = self.seconds or time.monotonic() - self.started
        return self.answered / seconds if seconds > 0 else 0.0


class Report:
    """Every refused row, as JSON Lines, in the order in which they were refused."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        """Open the file, empty: a report tells of one run. Raises OSError."""
        self._file = self._path.open("w", encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def add(self, row: RefusedRow) -> None:
        """Write one row."""
        if self._file is not None:
            self._file.write(json.dumps(row.record(), ensure_ascii=False) + "\n")
            self._file.flush()  # someone may be reading along


class Ledger:
    """Keeps the tally, the merged consistency token, and what the caller wants to know or to remember of the rows."""

    def __init__(self, done: DoneRows | None, on_refused: OnRefused) -> None:
        self.tally: Final = Tally()
        self._done = done
        self._on_refused = on_refused
        self._vector = tokens.decode(done.token) if done is not None and done.token else {}
        self._token: str | None = None

    @property
    def token(self) -> str:
        """Stands for everything that was imported or found unchanged; empty if nothing was."""
        if self._token is None:
            self._token = tokens.encode(self._vector) if self._vector else ""
        return self._token

    def is_done(self, row: Row) -> bool:
        """Tell whether the row was done before, and count it if so."""
        if self._done is None or row.key not in self._done:
            return False
        self.tally.done_before += 1
        return True

    def accepted(self, row: Row, outcome: Outcome, token: str) -> None:
        """Note a row that the service has."""
        if outcome is Outcome.IMPORTED:
            self.tally.imported += 1
        else:
            self.tally.unchanged += 1
        if token:
            self._merge(token)
        if self._done is not None:
            self._done.add(row.key, self.token)

    def refused(self, row: RefusedRow) -> None:
        """Note a row that was not imported."""
        self.tally.refused += 1
        self._on_refused(row)

    def _merge(self, token: str) -> None:
        try:
            self._vector = tokens.merge((self._vector, tokens.decode(token)))
        except Refusal:  # a service of a later version: its row is done all the same
            return
        self._token = None
