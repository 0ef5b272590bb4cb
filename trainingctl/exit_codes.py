"""What the exit codes of `trainingctl` mean; scripts rely on them."""

from typing import Final

FINE: Final = 0
ROWS_REFUSED: Final = 1
NOT_FRESH: Final = 1
USAGE: Final = 2
NOT_REACHABLE: Final = 3
INTERRUPTED: Final = 130
