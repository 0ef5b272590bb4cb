"""The state of an import that can be resumed: a file that remembers which rows are done.

JSON Lines, only ever appended to: a head that says what is imported where, then `{"done": key}` for each row, and
before them a `{"token": …}` that stands for them too, so that no crash leaves rows without it. A line that was cut off
is ignored; its row is sent again and is found UNCHANGED.
"""

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

_WRITE_SECONDS: Final = 0.5


class StateMismatch(Exception):
    """The state file belongs to another import."""


class DoneRows:
    """The rows that need not be sent again. Refused rows are not among them: what refused them may have changed."""

    def __init__(self, path: Path, kind: str, address: str) -> None:
        self._path = path
        self._head = {"import": kind, "address": address}
        self._keys: set[str] = set()
        self._file: TextIO | None = None
        self._unwritten: list[str] = []
        self._written_at = 0.0
        self._token = ""

    @property
    def token(self) -> str:
        """The consistency token of the rows that are done."""
        return self._token

    def __contains__(self, key: str) -> bool:
        return key in self._keys

    def __enter__(self) -> Self:
        """Read what is known and open the file. Raises OSError and StateMismatch."""
        text = self._path.read_text("utf-8", "replace") if self._path.exists() else ""
        head = _line(self._head)
        begun = text.startswith(head)
        if not begun and not head.startswith(text):  # a crash may have cut off even the head
            first = text.partition("\n")[0][:200]
            raise StateMismatch(f"{self._path} is not the state of this import; it begins: {first}")
        for entry in filter(None, map(_entry, text.splitlines()[1:])):
            if "done" in entry:
                self._keys.add(str(entry["done"]))
            self._token = str(entry.get("token", self._token))
        self._file = self._path.open("a" if begun else "w", encoding="utf-8")
        if not begun:
            self._file.write(head)
        elif not text.endswith("\n"):
            self._file.write("\n")
        return self

    def add(self, key: str, token: str) -> None:
        """Remember a row and the token of everything done so far; on disk within half a second of the next row."""
        self._keys.add(key)
        self._token = token
        self._unwritten.append(key)
        if time.monotonic() - self._written_at >= _WRITE_SECONDS:
            self._write()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Write what is not written yet."""
        if self._file is not None:
            self._write()
            self._file.close()

    def _write(self) -> None:
        if self._file is not None and self._unwritten:
            lines = [_line({"token": self._token}), *(_line({"done": key}) for key in self._unwritten)]
            self._file.write("".join(lines))
            self._file.flush()
            self._unwritten.clear()
        self._written_at = time.monotonic()


def _line(entry: dict[str, str]) -> str:
    return json.dumps(entry) + "\n"


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None
