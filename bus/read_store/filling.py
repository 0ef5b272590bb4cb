"""The current generation as one process fills it: a subscriber for each source, of which one in all processes acts."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any, Final

from bus.following.subscriber import Subscriber
from bus.read_store.site import Site
from bus.tasks import together
from chassis.postgres import Connections


class Filling:
    """A generation that this process fills, from `begin` to `end`."""

    def __init__(self, site: Site, number: int) -> None:
        self._site = site
        self._exits = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None
        self.number: Final = number
        self.unusable = ""
        """Why it must be built anew, if it must."""
        self.connections: Connections
        self.subscribers: Mapping[str, Subscriber[Any]]

    async def begin(self, wake: asyncio.Event) -> None:
        """Let the subscribers run."""

        def needs_rebuild(cause: str) -> None:
            self.unusable = cause
            wake.set()

        self.connections = await self._exits.enter_async_context(self._site.filling(self.number))
        self.subscribers = {
            source.name: self._site.subscriber(self.connections, self.number, source, needs_rebuild)
            for source in self._site.sources
        }
        self._task = asyncio.create_task(together(*(each.run() for each in self.subscribers.values())))

    async def end(self) -> None:
        """Stop them."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._exits.aclose()
