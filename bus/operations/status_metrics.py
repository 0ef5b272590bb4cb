"""The status of a process for Prometheus: how far its journal and its copies have come, and who is active.

The status is read now and then on the event loop and written down in Prometheus's words when somebody asks. What grows
while nothing is heard goes on growing between two readings, and when reading itself fails.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from time import monotonic
from typing import Final, TypeAlias

import structlog
from google.protobuf.duration_pb2 import Duration
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from training.ops.v1.operations_service_pb2 import GetStatusResponse, JournalStatus, SubscriptionStatus

from bus.operations.status import was_heard_of
from bus.tasks import told

_READ_SECONDS: Final = 2.0
_Gauges: TypeAlias = dict[str, GaugeMetricFamily]

_BY_LANE: Final = {
    "training_journal_committed": "The last sequence number committed.",
    "training_journal_published": "The last sequence number published.",
    "training_journal_oldest_unpublished_seconds": "How long the oldest unpublished event has been waiting.",
    "training_copy_announced": "The last sequence number announced as committed. Absent until the source is heard.",
    "training_copy_applied": "The last sequence number applied.",
    "training_copy_lag_events": "Announced events that are not applied. Absent until the source is heard.",
    "training_copy_oldest_unapplied_seconds": "How long the oldest announced event not applied has been announced.",
    "training_copy_parked_events": "Open parked events.",
}
_BY_SOURCE: Final = {
    "training_journal_stopped_lanes": "Lanes that are not published any more.",
    "training_relay_active": "1 where this process's relay is the active one.",
    "training_copy_stopped_lanes": "Lanes that are not applied any more.",
    "training_copy_as_of_age_seconds": "How old the copy is, by the source's clock. Absent while unknown.",
    "training_copy_parked_aggregates": "Aggregates with an open parked event.",
    "training_projector_active": "1 where this process's projector is the active one.",
}
_OF_PROCESS: Final = {
    "training_status_age_seconds": "How long ago these figures were read. Absent before the first time.",
    "training_copy_generation": "The generation of the copy that answers; 0 while there is none.",
    "training_copy_building": "1 while a generation is being built.",
}

log: Final = structlog.get_logger(__name__)


class StatusMetrics(Collector):
    """The figures of one process's status, kept up to date while `run` runs."""

    def __init__(self, read: Callable[[], Awaitable[GetStatusResponse]]) -> None:
        self._read = read
        self._latest: tuple[GetStatusResponse, float] | None = None

    async def run(self) -> None:
        """Read the status again and again, until cancelled."""
        while True:
            try:
                await self.read()
            except Exception as error:  # noqa: BLE001 - whatever fails, the figures tell how old they are
                log.info("status_not_read", reason=told(error))
            await asyncio.sleep(_READ_SECONDS)

    async def read(self) -> None:
        """Read the status once."""
        self._latest = (await self._read(), monotonic())

    def collect(self) -> Iterator[Metric]:
        """Write down the figures read last."""
        gauges = {name: GaugeMetricFamily(name, text, labels=["source", "lane"]) for name, text in _BY_LANE.items()}
        gauges |= {name: GaugeMetricFamily(name, text, labels=["source"]) for name, text in _BY_SOURCE.items()}
        gauges |= {name: GaugeMetricFamily(name, text) for name, text in _OF_PROCESS.items()}
        latest = self._latest  # read once: the event loop replaces it
        if latest is not None:
            status, at = latest
            age = monotonic() - at
            gauges["training_status_age_seconds"].add_metric([], age)
            if status.HasField("journal"):
                _journal(gauges, status.journal, status.instance, age)
            for copy in status.subscriptions:
                _copy(gauges, copy, status.instance, age)
            if status.HasField("read_model"):
                gauges["training_copy_generation"].add_metric([], status.read_model.generation)
                gauges["training_copy_building"].add_metric([], status.read_model.HasField("building"))
        yield from gauges.values()


def _journal(gauges: _Gauges, journal: JournalStatus, instance: str, age: float) -> None:
    source = journal.source
    for lane in journal.lanes:
        labels = [source, str(lane.lane)]
        waiting = _seconds(lane.oldest_unpublished_age) + age if lane.HasField("oldest_unpublished_age") else 0.0
        gauges["training_journal_committed"].add_metric(labels, lane.committed)
        gauges["training_journal_published"].add_metric(labels, lane.published)
        gauges["training_journal_oldest_unpublished_seconds"].add_metric(labels, waiting)
    gauges["training_journal_stopped_lanes"].add_metric([source], sum(bool(x.stopped_reason) for x in journal.lanes))
    gauges["training_relay_active"].add_metric([source], journal.relay_leader == instance)


def _copy(gauges: _Gauges, copy: SubscriptionStatus, instance: str, age: float) -> None:
    source, is_known = copy.source, was_heard_of(copy)
    for lane in copy.lanes:
        labels = [source, str(lane.lane)]
        gauges["training_copy_applied"].add_metric(labels, lane.applied)
        gauges["training_copy_parked_events"].add_metric(labels, lane.parked_events)
        if is_known:
            waiting = _seconds(lane.oldest_unapplied_age) + age if lane.HasField("oldest_unapplied_age") else 0.0
            gauges["training_copy_announced"].add_metric(labels, lane.committed)
            gauges["training_copy_lag_events"].add_metric(labels, lane.lag_events)
            gauges["training_copy_oldest_unapplied_seconds"].add_metric(labels, waiting)
    gauges["training_copy_stopped_lanes"].add_metric([source], sum(bool(x.stopped_reason) for x in copy.lanes))
    if copy.HasField("lag"):
        gauges["training_copy_as_of_age_seconds"].add_metric([source], _seconds(copy.lag) + age)
    gauges["training_copy_parked_aggregates"].add_metric([source], copy.parked_aggregates)
    gauges["training_projector_active"].add_metric([source], copy.projector_leader == instance)


def _seconds(duration: Duration) -> float:
    return duration.seconds + duration.nanos / 1e9
