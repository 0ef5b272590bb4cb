"""The streams and durable consumers, made by one idempotent step each.

A stream is a pipe that can be made again from the journal: it discards its oldest messages when full, and nobody may
delete single ones. The relay makes exactly its own stream, a subscriber exactly its own durable.
"""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Final

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
    StreamInfo,
)
from nats.js.errors import NotFoundError

from bus.source import Source
from bus.tasks import asked

MAX_UNACKNOWLEDGED: Final = 4096
_ACK_WAIT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much of the past a stream keeps. The journal outlives it."""

    max_age_seconds: float = 14 * 86_400.0
    max_bytes: int = 16 * 1024**3
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class StreamState:
    """A stream as it stands. Another `created` time means that it is not the stream it was.

    What stood before `first_seq` aged out; it is one above `last_seq` when nothing is left, and 1 at the beginning.
    """

    created: datetime
    first_seq: int
    last_seq: int


async def ensure_stream(jetstream: JetStreamContext, source: Source, limits: StreamLimits) -> StreamState:
    """Make the source's stream, or bring it to these limits, and return its state."""
    wanted = StreamConfig(
        name=source.stream,
        subjects=[source.subjects],
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        storage=StorageType.FILE,
        max_age=limits.max_age_seconds,
        max_bytes=limits.max_bytes,
        num_replicas=limits.replicas,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
        allow_direct=False,  # tails are read from the leader
    )
    try:
        info = await asked(jetstream.stream_info(source.stream))
    except NotFoundError:
        info = await asked(jetstream.add_stream(wanted))
    else:
        if _differs(info.config, wanted):
            info = await asked(jetstream.update_stream(wanted))
    return _state(info)


async def stream_state(jetstream: JetStreamContext, source: Source) -> StreamState:
    """Return the state of the source's stream. Raises NotFoundError when there is none."""
    return _state(await asked(jetstream.stream_info(source.stream)))


async def ensure_durable(jetstream: JetStreamContext, source: Source, durable: str) -> None:
    """Make a durable pull consumer on the source's stream. Raises NotFoundError while there is no stream.

    One acknowledgement covers everything before it: the subscriber's checkpoint, not the broker, says what is done.
    """
    await asked(
        jetstream.add_consumer(
            source.stream,
            ConsumerConfig(
                durable_name=durable,
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.ALL,
                ack_wait=_ACK_WAIT_SECONDS,
                max_deliver=-1,
                max_ack_pending=MAX_UNACKNOWLEDGED,
            ),
        )
    )


def _differs(present: StreamConfig, wanted: StreamConfig) -> bool:
    """Tell whether a field that is wanted is not as it should be."""
    given = ((getattr(present, item.name), getattr(wanted, item.name)) for item in fields(StreamConfig))
    return any(want is not None and bool(want or have) and have != want for have, want in given)


def _state(info: StreamInfo) -> StreamState:
    if info.created is None:
        raise ValueError("the broker does not say when the stream was created")
    return StreamState(info.created.astimezone(UTC), max(info.state.first_seq, 1), info.state.last_seq)
