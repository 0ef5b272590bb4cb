"""Pulling from a durable consumer, bounded in messages and bytes.

One request stays open until it is used up or expires, so that a message that arrives is there at once, without another
round trip. The next request is made when a batch is taken: the broker sends while the batch is being worked on. At most
two requests' worth of messages is held.
"""

import asyncio
import json
from collections import deque
from typing import Final

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from bus.broker import BrokerAway, Session

BATCH_MESSAGES: Final = 500
BATCH_BYTES: Final = 4 * 1024**2
_EXPIRES_SECONDS: Final = 5.0
_HEARTBEAT_SECONDS: Final = 1.0
_SILENCE_SECONDS: Final = 3.5
_HEARTBEAT: Final = "100"
_EXPIRED: Final = ("404", "408")
_USED_UP: Final = ("Batch Completed", "Message Size Exceeds MaxBytes")


class Pull:
    """The messages of one durable consumer over one session.

    `sent` counts what the broker sent of them: messages, and word that there is none. `end` is the sequence of the last
    message in the stream that it had for this reader when it sent last, `taken` that of the last one that `batch` gave.
    """

    def __init__(self, session: Session, stream: str, durable: str) -> None:
        self._client = session.client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}"
        self._inbox = session.client.new_inbox()
        self._subscription: Subscription | None = None
        self._held: deque[Msg] = deque()
        self._arrived = asyncio.Event()
        self._wanted = 0
        self._refused = ""
        self._received = 0
        self.sent = 0
        self.end = 0
        self.taken = 0

    async def open(self) -> None:
        """Subscribe to the inbox that the requests name."""
        self._subscription = await self._client.subscribe(self._inbox, cb=self._receive, pending_bytes_limit=0)

    async def close(self) -> None:
        """Want nothing more."""
        if self._subscription is not None:
            await self._subscription.unsubscribe()

    async def batch(self) -> list[Msg]:
        """Return what has arrived, at least one message unless the broker says for a while that there is none.

        Raises BrokerAway when the broker refuses, or after a silence in which not even heartbeats arrived.
        """
        if self._refused:
            raise BrokerAway(f"the broker does not serve the consumer: {self._refused}")
        if self._wanted <= 0:
            await self._request()
        if not self._held:
            self._arrived.clear()
            try:
                async with asyncio.timeout(_SILENCE_SECONDS):
                    await self._arrived.wait()
            except TimeoutError as error:
                raise BrokerAway("the broker sent neither messages nor heartbeats") from error
        taken = [self._held.popleft() for _ in range(min(len(self._held), BATCH_MESSAGES))]
        if taken:
            self.taken = taken[-1].metadata.sequence.stream
        if self._wanted <= 0:
            await self._request()
        return taken

    async def _request(self) -> None:
        self._wanted = BATCH_MESSAGES
        request = {
            "batch": BATCH_MESSAGES,
            "max_bytes": BATCH_BYTES,
            "expires": int(_EXPIRES_SECONDS * 1e9),
            "idle_heartbeat": int(_HEARTBEAT_SECONDS * 1e9),
        }
        await self._client.publish(self._subject, json.dumps(request).encode(), reply=self._inbox)

    async def _receive(self, message: Msg) -> None:
        status = message.headers.get("Status") if message.headers and not message.reply else None
        if status is None:
            self._wanted -= 1
            self._held.append(message)
            self._received = message.metadata.sequence.stream
            self._tell(self._received + message.metadata.num_pending)
        elif status in (_HEARTBEAT, *_EXPIRED):
            self._wanted = self._wanted if status == _HEARTBEAT else 0
            self._tell(self._received)
        else:
            self._wanted = 0
            description = (message.headers or {}).get("Description", "")
            if description not in _USED_UP:
                self._refused = f"{status} {description}"
        self._arrived.set()

    def _tell(self, end: int) -> None:
        """Take in up to which sequence the broker has messages."""
        self.sent += 1
        self.end = end
