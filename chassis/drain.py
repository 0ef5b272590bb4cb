"""The end of a process as its streams see it."""

import asyncio


class Drain:
    """Begins once, when the process is asked to stop: streams then send what they owe and end."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether the process is ending."""
        return self._event.is_set()

    async def wait(self) -> None:
        """Wait until the process is asked to stop."""
        await self._event.wait()

    def begin(self) -> None:
        """Ask every stream to end."""
        self._event.set()
