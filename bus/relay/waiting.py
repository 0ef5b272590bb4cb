"""What waits in the journal to be published."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ARRAY, BigInteger, Select, SmallInteger, and_, bindparam, func, null, or_, select, true

from bus.event import Event
from bus.journal.tables import JOURNAL
from bus.relay.publishing import BATCH_MOST
from chassis.postgres import Connections
from chassis.sql import Statement

_EVENT: Final = (
    "epoch",
    "lane",
    "seq",
    "event_id",
    "previous_event_id",
    "aggregate_id",
    "revision",
    "type",
    "recorded_at",
    "traceparent",
    "public",
)


def _pending() -> Select[tuple[object, ...]]:
    """Select the next events of each lane, bounded in number and bytes, but at least one.

    The journal is looked into only for lanes whose counter tells that there is more: it is kept in many parts. The
    numbers are bounded as well as counted, which is the same where `after` is not before the lane's beginning: else a
    plan that was made before there were statistics sorts all that is waiting.
    """
    journal, lane, most = JOURNAL.journal, JOURNAL.lane, bindparam("events", type_=BigInteger())
    asked = (
        func.unnest(bindparam("lanes", type_=ARRAY(SmallInteger())), bindparam("published", type_=ARRAY(BigInteger())))
        .table_valued("asked_lane", "after", name="asked")
        .render_derived()
    )
    following = (
        select(*(journal.c[name] for name in _EVENT))
        .where(
            journal.c.lane == asked.c.asked_lane, journal.c.seq > asked.c.after, journal.c.seq <= asked.c.after + most
        )
        .order_by(journal.c.seq)
        .limit(most)
        .lateral("following")
    )
    size = func.sum(func.octet_length(following.c.public)).over(
        partition_by=following.c.lane, order_by=following.c.seq, rows=(None, -1)
    )
    behind = asked.join(lane, and_(lane.c.lane == asked.c.asked_lane, lane.c.seq > asked.c.after))
    sized = select(*following.c, size.label("before")).select_from(behind.join(following, true())).subquery("sized")
    return (
        select(*(sized.c[name] for name in _EVENT))
        .where(or_(sized.c.before == null(), sized.c.before < bindparam("bytes", type_=BigInteger())))
        .order_by(sized.c.lane, sized.c.seq)
    )


PENDING: Final = Statement(_pending())


async def pending(connections: Connections, published: Mapping[int, int], lane_bytes: int) -> dict[int, list[Event]]:
    """Read the next events of each lane after what is published."""
    values = {
        "lanes": list(published),
        "published": list(published.values()),
        "events": BATCH_MOST,
        "bytes": lane_bytes,
    }
    lanes: dict[int, list[Event]] = {}
    for row in await PENDING.fetch(connections, values):
        lanes.setdefault(row["lane"], []).append(Event(*row.values()))
    return lanes
