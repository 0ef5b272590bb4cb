"""The broker's acknowledgements of what one session publishes, awaited by a single subscription.

nats-py's `request` makes an inbox name from the system's randomness, a task and a timer for each message, which
together cost more than publishing it.
"""

import asyncio
from typing import Final

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import NoRespondersError

_TIMEOUT_SECONDS: Final = 5.0
_NOBODY_THERE: Final = "503"


class Acknowledgements:
    """Publishes and waits for the answer, as long as the session lasts; the first to ask subscribes."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._inbox = client.new_inbox()
        self._waiting: dict[str, asyncio.Future[Msg]] = {}
        self._asked = 0
        self._subscribed = False

    async def of(self, subject: str, body: bytes, headers: dict[str, str]) -> bytes:
        """Publish a message and return the broker's answer. Raises one of `BROKER_ERRORS` when there is none."""
        self._asked += 1
        reply = f"{self._inbox}.{self._asked}"
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._waiting[reply] = answer
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                if not self._subscribed:
                    self._subscribed = True  # who asks meanwhile comes after it on the wire
                    await self._client.subscribe(f"{self._inbox}.*", cb=self._receive)
                await self._client.publish(subject, body, reply, headers)
                message = await answer
        finally:
            del self._waiting[reply]
        if message.headers is not None and message.headers.get("Status") == _NOBODY_THERE:
            raise NoRespondersError
        return message.data

    async def _receive(self, message: Msg) -> None:
        answer = self._waiting.get(message.subject)
        if answer is not None and not answer.done():
            answer.set_result(message)
