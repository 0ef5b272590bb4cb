"""JetStream by hand: a stream like the services' own, atomic batches, a pull that is always open."""

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, DiscardPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

BATCH: Final = 500
_STREAM_BYTES: Final = 1024**3
_EXPIRES_NANOSECONDS: Final = 60_000_000_000


class PublishRefused(Exception):
    """The broker did not store a message or a batch."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that is ready to be published."""

    subject: str
    headers: Mapping[str, str]
    body: bytes


async def new_stream(jetstream: JetStreamContext, name: str) -> None:
    """Make an empty stream with the subjects `<name>.>`, in place of an old one."""
    with suppress(NotFoundError):
        await jetstream.delete_stream(name)
    await jetstream.add_stream(
        StreamConfig(
            name=name,
            subjects=[f"{name}.>"],
            storage=StorageType.FILE,
            discard=DiscardPolicy.OLD,
            max_bytes=_STREAM_BYTES,
            allow_atomic=True,
        )
    )


async def new_durable(jetstream: JetStreamContext, stream: str, durable: str, unacknowledged: int = 4096) -> None:
    """Make a durable consumer from the stream's beginning, in place of an old one; one acknowledgement covers all."""
    with suppress(NotFoundError):
        await jetstream.delete_consumer(stream, durable)
    config = ConsumerConfig(
        durable_name=durable,
        deliver_policy=DeliverPolicy.ALL,
        ack_policy=AckPolicy.ALL,
        max_ack_pending=unacknowledged,
    )
    await jetstream.add_consumer(stream, config)


async def publish_one(client: Client, message: Prepared) -> None:
    """Publish a message and wait for its acknowledgement."""
    reply = await client.request(message.subject, message.body, timeout=10, headers=dict(message.headers))
    _check(reply.data)


async def publish_batch(client: Client, messages: Sequence[Prepared]) -> None:
    """Publish messages as one atomic batch and wait for its acknowledgement."""
    batch = str(uuid4())
    for number, message in enumerate(messages, start=1):
        headers = {**message.headers, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}
        if number < len(messages):
            await client.publish(message.subject, message.body, headers=headers)
        else:
            headers["Nats-Batch-Commit"] = "1"
            _check((await client.request(message.subject, message.body, timeout=10, headers=headers)).data)


async def open_pull(
    client: Client, stream: str, durable: str, receive: Callable[[Msg], Awaitable[None]]
) -> Callable[[], Awaitable[None]]:
    """Have every message handed over as it arrives; return what ends it."""
    inbox = client.new_inbox()

    async def receive_messages(message: Msg) -> None:
        if message.reply:
            await receive(message)

    subscription = await client.subscribe(inbox, cb=receive_messages)
    request = json.dumps({"batch": 100_000, "expires": _EXPIRES_NANOSECONDS}).encode()
    await client.publish(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", request, reply=inbox)
    return subscription.unsubscribe


def _check(reply: bytes) -> None:
    answer = json.loads(reply)
    if "error" in answer:
        raise PublishRefused(str(answer["error"]))
