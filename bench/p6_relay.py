"""P6: the relay, events a second of a backlog, the broker syncing each acknowledgement to disk.

The clock begins when the relay is told of the committed backlog, and ends with the broker's time of the last message.
"""

from collections.abc import Sequence
from time import time
from typing import Final

from nats.js.api import RawStreamMsg

from bench.backlog import offer_bodies, wake_relay, write_backlog
from bench.children import CpuMeter
from bench.figures import Bound, Plan, Reach, Result
from bench.floors.publishing import publish_all, read_messages
from bench.ground import Ground
from bench.stock import publish_stock

_STREAM: Final = "TRAINING_OFFER"
_EVENTS_A_SECOND: Final = 8_000
_REACH: Final = (Reach(Bound.RATIO_AT_LEAST, 0.80),)


async def measure(ground: Ground, plan: Plan) -> Sequence[Result]:
    """Measure it with the offer service alone."""
    await publish_stock(ground, programs=1_000, offers=1)
    await ground.only("offer")
    count = int(_EVENTS_A_SECOND * plan.seconds)
    jetstream = await ground.jetstream()
    figures, floors, cpu, size = [], [], [], 0
    for _ in range(plan.rounds):
        made = offer_bodies(count, ground.programs)
        before = (await jetstream.stream_info(_STREAM)).state.last_seq
        await write_backlog(ground, "offer", made)
        meter, begun = CpuMeter(ground.stack.pid("offer")), time()
        await wake_relay(ground, "offer")
        await ground.published("offer")
        cpu.append(meter.seconds() / count * 1e6)
        last = await jetstream.get_msg(_STREAM, before + count)
        figures.append(count / (_stored(last) - begun))
        ground.offers.extend(each for each, _ in made)
        size = sum(len(body) for _, body in made) // count
        messages = await read_messages(jetstream, _STREAM, before, count)
        floors.append(await publish_all(ground, messages))
    return [
        Result(
            key="P6",
            title="relay of a backlog of offer events, sync always",
            unit="events/s",
            figures=figures,
            floors=floors,
            reaches=_REACH,
            details={
                "events": count,
                "event_bytes": size,
                "relay_cpu_us": sorted(cpu)[len(cpu) // 2],
            },
        )
    ]


def _stored(message: RawStreamMsg) -> float:
    """Return when the broker stored a message, in seconds since 1970."""
    if message.time is None:
        raise ValueError("the broker does not say when it stored a message")
    return message.time.timestamp()
