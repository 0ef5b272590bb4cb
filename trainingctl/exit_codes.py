"""What the exit codes of `trainingctl` mean; scripts rely on them."""

from typing import Final

FINE: Final = 0
ROWS_REFUSED: Final = 1
NOT_FRESH: Final = 1
NOT_EVERYWHERE: Final = 1
DIFFERENT: Final = 1
NOT_APPLIED: Final = 1
ABANDONED: Final = 1
DECLINED: Final = 1
USAGE: Final = 2
NOT_REACHABLE: Final = 3
REFUSED: Final = 4
INTERRUPTED: Final = 130

IN_HELP: Final = (
    "Exit codes: 0 all is well; 1 it was done or told, and not all is well (each command says what that means); "
    "2 the command line is wrong; 3 a service does not answer; 4 a service refused the call, its reason is shown; "
    "130 interrupted."
)
"""The same, for the end of a help page."""
