"""Rows from JSON Lines: plain or gzip files, or standard input, read line by line and never as a whole."""

import gzip
import hashlib
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from google.protobuf import json_format

from trainingctl.kinds import ImportRequest, Kind
from trainingctl.refused import Origin, RefusedRow, too_large, unreadable

STDIN: Final = "-"
LARGEST_ROW: Final = 4 * 1024 * 1024
"""Bytes of a message that a service takes; a larger one would end the whole stream."""
_LONGEST_LINE: Final = 4 * LARGEST_ROW
_GZIP_MAGIC: Final = b"\x1f\x8b"

Prepare = Callable[[ImportRequest], None]


@dataclass(frozen=True, slots=True)
class Row:
    """One row to import; `key` stands for its content, whatever file it came in."""

    origin: Origin
    message: ImportRequest
    key: str


class Reading:
    """Reads the rows of several files in order; `bytes_read` tells how far it is, in bytes on disk.

    What can't be read costs only its line, or the rest of its file where the file itself is damaged. `prepare` adds to
    each message what the caller says on the command line.
    """

    def __init__(self, kind: Kind, files: Sequence[str], prepare: Prepare) -> None:
        self._kind = kind
        self._files = files
        self._prepare = prepare
        self._finished_bytes = 0
        self._file: IO[bytes] | None = None

    @property
    def total_bytes(self) -> int | None:
        """The size of all files; unknown with standard input."""
        return None if STDIN in self._files else sum(Path(file).stat().st_size for file in self._files)

    @property
    def bytes_read(self) -> int:
        """How much of the files is behind the reader."""
        file = self._file
        return self._finished_bytes + (file.tell() if file is not None and not file.closed else 0)

    def rows(self) -> Iterator[Row | RefusedRow]:
        """Yield every row, or its refusal."""
        for file in self._files:
            if file == STDIN:
                yield from self._read(file, _opened(sys.stdin.buffer))
                continue
            with Path(file).open("rb") as stream:
                self._file = stream
                yield from self._read(file, _opened(stream))
                self._file = None
                self._finished_bytes += stream.tell()

    def _read(self, file: str, lines: IO[bytes]) -> Iterator[Row | RefusedRow]:
        number = 0
        try:
            while line := lines.readline(_LONGEST_LINE + 1):
                number += 1
                if len(line) > _LONGEST_LINE:
                    yield too_large(Origin(file, number), len(line), LARGEST_ROW)
                    _skip_line(line, lines)
                elif line.strip():
                    yield self._parse(Origin(file, number), line)
        except (EOFError, OSError, zlib.error) as error:
            yield unreadable(Origin(file, number + 1), f"the file can't be read any further: {error}")

    def _parse(self, origin: Origin, line: bytes) -> Row | RefusedRow:
        message = self._kind.new_row()
        try:
            json_format.Parse(line.decode("utf-8-sig" if origin.line == 1 else "utf-8"), message)
        except UnicodeDecodeError as error:
            return unreadable(origin, f"not UTF-8 at byte {error.start}")
        except (json_format.ParseError, ValueError, RecursionError) as error:
            return unreadable(origin, _brief(error), message.row_id)
        key = _key(self._kind, message)
        self._prepare(message)
        size = message.ByteSize()
        if size > LARGEST_ROW:
            return too_large(origin, size, LARGEST_ROW, message.row_id)
        return Row(origin, message, key)


def _opened(stream: IO[bytes]) -> IO[bytes]:
    """Return the stream, unpacked if it begins as gzip does, whatever its name."""
    peeked = stream.peek(len(_GZIP_MAGIC)) if hasattr(stream, "peek") else b""
    return gzip.GzipFile(fileobj=stream) if peeked.startswith(_GZIP_MAGIC) else stream  # type: ignore[return-value] # it has all that is used


def _skip_line(line: bytes, lines: IO[bytes]) -> None:
    while line and not line.endswith(b"\n"):
        line = lines.readline(_LONGEST_LINE)


def _key(kind: Kind, message: ImportRequest) -> str:
    content = message.SerializeToString(deterministic=True)
    return hashlib.blake2b(content, digest_size=16, person=kind.name.encode()).hexdigest()


def _brief(error: Exception) -> str:
    """Return what the parser says without its list of every field that there is."""
    return str(error).partition("\n Available Fields")[0].strip()
