"""Why a process does not start, said to the person who starts it."""

from typing import Final

EX_UNAVAILABLE: Final = 69
"""Exit status of a process that could not get what it needs to start (sysexits)."""

EX_CONFIG: Final = 78
"""Exit status of a process whose settings are wrong (sysexits)."""


class StartFailure(Exception):
    """The process can't start; the message is one readable line, shown without a traceback."""
