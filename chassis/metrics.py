"""Counters of every call, and the endpoint at which Prometheus reads them.

Calls are counted in plain integers on the event loop, far cheaper than prometheus_client's locked counters, and put
into Prometheus's words only when somebody asks.
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Final
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from chassis.settings import Address
from chassis.startup import StartFailure

BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the latency histogram's buckets, in seconds."""


class MethodStatistics:
    """What is counted of one method; only the event loop writes it."""

    __slots__ = ("_timed", "buckets", "codes", "running", "seconds")

    def __init__(self, *, timed: bool) -> None:
        self._timed = timed
        self.codes: dict[str, int] = {}
        self.buckets = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0
        self.running = 0

    def ended(self, code: str, seconds: float) -> None:
        """Count a call that has ended; how long a stream lasted says nothing about the service."""
        self.running -= 1
        self.codes[code] = self.codes.get(code, 0) + 1
        if self._timed:
            self.buckets[bisect_left(BOUNDS, seconds)] += 1
            self.seconds += seconds


class CallStatistics(Collector):
    """The statistics of all methods of a server."""

    def __init__(self) -> None:
        self._methods: dict[str, MethodStatistics] = {}
        self._timed: set[str] = set()

    def of(self, method: str, *, streaming: bool) -> MethodStatistics:
        """Return the statistics of a method."""
        if not streaming:
            self._timed.add(method)
        return self._methods.setdefault(method, MethodStatistics(timed=not streaming))

    def collect(self) -> Iterator[Metric]:
        """Write down all statistics for Prometheus."""
        calls = CounterMetricFamily("training_calls", "Calls that have ended.", labels=["method", "code"])
        running = GaugeMetricFamily("training_calls_in_flight", "Calls under way.", labels=["method"])
        seconds = HistogramMetricFamily("training_call_seconds", "Duration of unary calls.", labels=["method"])
        for method, counted in self._methods.items():
            running.add_metric([method], counted.running)
            for code, count in list(counted.codes.items()):
                calls.add_metric([method, code], count)
            if method in self._timed:
                totals = zip((*map(str, BOUNDS), "+Inf"), accumulate(counted.buckets), strict=True)
                seconds.add_metric([method], [(bound, float(total)) for bound, total in totals], counted.seconds)
        yield from (calls, running, seconds)


def new_registry() -> CollectorRegistry:
    """Return a registry that knows this process: its memory, CPU, open files, garbage collections, Python."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class MetricsEndpoint:
    """Serves a registry over HTTP from a thread of its own, until closed."""

    def __init__(self, address: Address, registry: CollectorRegistry) -> None:
        try:
            served = start_http_server(address.port, address.host, registry)
        except OSError as error:
            raise StartFailure(f"can't serve metrics at {address}: {error.strerror or error}") from error
        self._server: WSGIServer = served[0]
        self._thread: threading.Thread = served[1]

    @property
    def port(self) -> int:
        """The port, also when the system chose it."""
        return int(self._server.server_port)

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
