"""How many calls of a kind a process answers at once."""

from chassis.errors import TooManyCalls


class Limit:
    """Counts the calls of one kind under way; one more than `most` is refused.

    Unary calls and streams have limits of their own: open watches must not keep short calls out.
    """

    __slots__ = ("kind", "most", "running")

    def __init__(self, kind: str, most: int) -> None:
        self.kind = kind
        self.most = most
        self.running = 0

    def check(self) -> None:
        """Refuse the call that was just counted if it is one too many."""
        if self.running > self.most:
            raise TooManyCalls.of(self.kind, self.most)
