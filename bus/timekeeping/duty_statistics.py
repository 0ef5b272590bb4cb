"""What became of everything that was due, for Prometheus."""

from collections import Counter
from collections.abc import Iterator
from typing import Literal

from prometheus_client.core import CounterMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

Ending = Literal["changed", "unchanged", "failed"]


class DutyStatistics(Collector):
    """Counts how the duties of a process ended; only the event loop writes it."""

    def __init__(self) -> None:
        self._ended = Counter[tuple[str, Ending]]()

    def ended(self, duty: str, ending: Ending) -> None:
        """Count one aggregate of a duty."""
        self._ended[duty, ending] += 1

    def collect(self) -> Iterator[Metric]:
        """Write down all counts."""
        ended = CounterMetricFamily("training_duties", "What was due and was tried.", labels=["duty", "ending"])
        for labels, count in list(self._ended.items()):
            ended.add_metric(labels, count)
        yield ended
