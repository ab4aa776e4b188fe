"""
Logs and metrics that cost little where requests are served.

Counters are plain dictionaries in the worker; a prometheus-client collector reads them when somebody scrapes. Logs
are structlog's, JSON a line or text for people, written to standard error.
"""

import logging
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from endcap.config import Settings

LATENCY_BUCKETS_SECONDS = (
    0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
)  # fmt: skip
Counts = Mapping[tuple[str, ...], int]
Log = structlog.typing.FilteringBoundLogger
log: Log = structlog.get_logger("endcap")


def configure_logging(settings: Settings) -> None:
    """Sets up the process's logs, the server's own among them."""
    text = settings.log_format == "text" or (settings.log_format == "auto" and sys.stderr.isatty())
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if text
        else structlog.processors.JSONRenderer()
    )
    rendered = [last] if text else [structlog.processors.format_exc_info, last]
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered,
        ])
    )  # fmt: skip
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))


class Metrics(Collector):
    """What a worker counts. One instance a process; `/metrics` is its exposition."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, int], int] = defaultdict(int)
        self._latency: dict[str, list[int]] = defaultdict(
            lambda: [0] * (len(LATENCY_BUCKETS_SECONDS) + 1)
        )
        self._latency_sum: dict[str, float] = defaultdict(float)
        self._included: list[Callable[[], Iterable[Metric]]] = []
        self._counters: list[tuple[str, str, tuple[str, ...], Callable[[], Counts]]] = []
        self._gauges: list[Callable[[], Iterable[tuple[str, str, Mapping[str, str], float]]]] = []

    def count(self, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests[route, status] += 1
        self._latency[route][bisect_left(LATENCY_BUCKETS_SECONDS, seconds)] += 1
        self._latency_sum[route] += seconds

    def watch_counts(
        self, name: str, text: str, labels: tuple[str, ...], counts: Callable[[], Counts]
    ) -> None:
        """A counter read at scrape time: from the values of its labels to how many."""
        self._counters.append((name, text, labels, counts))

    def watch(
        self, gauges: Callable[[], Iterable[tuple[str, str, Mapping[str, str], float]]]
    ) -> None:
        """Gauges read at scrape time: (name, help, labels, value)."""
        self._gauges.append(gauges)

    def include(self, families: Callable[[], Iterable[Metric]]) -> None:
        """What somebody else counts, read at scrape time."""
        self._included.append(families)

    def collect(self) -> Iterable[Metric]:
        requests = CounterMetricFamily(
            "endcap_requests", "Requests answered by this worker", labels=("route", "status")
        )
        for (route, status), count in list(self._requests.items()):
            requests.add_metric((route, str(status)), count)
        yield requests
        latency = HistogramMetricFamily(
            "endcap_request_seconds",
            "From the request's arrival until its answer is ready to be sent",
            labels=("route",),
        )
        for route, counts in list(self._latency.items()):
            latency.add_metric((route,), cumulated(counts), self._latency_sum[route])
        yield latency
        for name, text, names, read_counts in self._counters:
            counter = CounterMetricFamily(name, text, labels=names)
            for values, number in read_counts().items():
                counter.add_metric(values, number)
            yield counter
        families: dict[str, GaugeMetricFamily] = {}
        for name, text, labels, value in (row for read in self._gauges for row in read()):
            family = families.setdefault(name, GaugeMetricFamily(name, text, labels=tuple(labels)))
            family.add_metric(tuple(labels.values()), value)
        yield from families.values()
        for read_families in self._included:
            yield from read_families()

    def exposition(self) -> bytes:
        """The text that Prometheus scrapes."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        return generate_latest(registry)


def cumulated(counts: list[int]) -> list[tuple[str, float]]:
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip((*map(str, LATENCY_BUCKETS_SECONDS), "+Inf"), counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
