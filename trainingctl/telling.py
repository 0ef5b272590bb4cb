"""Times, amounts and messages as they stand in a line of text."""

from datetime import UTC, datetime, timedelta
from typing import Final

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console, RenderableType
from rich.markup import escape

_TWO_MINUTES: Final = 120.0
_WIDE: Final = 4000


def moment(time: Timestamp) -> str:
    """Return a time in UTC, to the millisecond."""
    at = time.ToDatetime(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} UTC"


def now() -> str:
    """Return the time of day here, in UTC."""
    return f"{datetime.now(UTC):%H:%M:%S} UTC"


def length(time: timedelta | Duration) -> str:
    """Return how long something takes: tenths of a second up to two minutes, then hours, minutes and seconds."""
    seconds = time.total_seconds() if isinstance(time, timedelta) else time.ToTimedelta().total_seconds()
    return f"{max(0.0, seconds):.1f} s" if seconds < _TWO_MINUTES else str(timedelta(seconds=round(seconds)))


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 event`, `2 events`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def on_a_wide_console(*, stderr: bool = False) -> Console:
    """Return a console that breaks no line where nobody looks: a pipe has no width of its own."""
    console = Console(stderr=stderr)
    return console if console.is_terminal else Console(stderr=stderr, width=_WIDE)


def line(console: Console, text: str, style: str | None = None) -> None:
    """Print one line as it is."""
    console.print(escape(text), style=style, highlight=False, soft_wrap=True)


def put_table(console: Console, told: RenderableType) -> None:
    """Print a table and what goes with it; where nobody looks, without blanks at the ends of lines."""
    if console.is_terminal:
        console.print(told, highlight=False)
        return
    with console.capture() as captured:
        console.print(told, highlight=False)
    for each in captured.get().splitlines():
        line(console, each.rstrip())
