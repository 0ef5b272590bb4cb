"""What can go wrong with an embedded server.

EmbeddedError
├── BinariesMissing   no usable server program
├── FolderUnusable    the data folder cannot be used by the account that must use it
├── FolderInUse       another running process owns the folder
├── PortTaken         the port asked for is in use
└── StartFailed       the program ran and gave up; carries the end of its log
"""

from pathlib import Path

_TAIL_BYTES = 8_000
_TAIL_LINES = 25


class EmbeddedError(Exception):
    """Report why an embedded server cannot run."""


class BinariesMissing(EmbeddedError):
    """Report that no usable server program was found."""


class FolderUnusable(EmbeddedError):
    """Report that an account cannot use a folder it needs."""


class FolderInUse(EmbeddedError):
    """Report that another process, still alive, uses the folder."""


class PortTaken(EmbeddedError):
    """Report that the port asked for is in use by something else."""


class StartFailed(EmbeddedError):
    """Report that a program gave up, with the end of its log."""

    def __init__(self, reason: str, log: Path, tail: str) -> None:
        """Join the reason, the place of the log and its end."""
        super().__init__(f"{reason}\n--- end of {log}\n{tail or '(empty)'}")
        self.tail = tail


def log_tail(log: Path, since: int = 0) -> str:
    """Return the last lines of a log, none older than the byte offset `since`."""
    try:
        with log.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(since, size - _TAIL_BYTES, 0))
            text = stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-_TAIL_LINES:])
