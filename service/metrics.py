"""What Prometheus is told: requests, how long they took, and which generation serves."""

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from corpus.errors import FootnoteError
from service.live_index import LiveIndex

CONTENT_TYPE = CONTENT_TYPE_LATEST
# A time of birth beside each count, which nobody asks for.
disable_created_metrics()  # type: ignore[no-untyped-call]
# A warm search takes 10–30 ms, an index run's status well under 1 ms, a cold start seconds.
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ServiceMetrics:
    """The metrics of one app, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "footnote_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._latency = Histogram(
            "footnote_http_request_duration_seconds",
            "From a request's arrival to the last byte of its response.",
            ("method", "route"),
            registry=self._registry,
            buckets=_BUCKETS_S,
        )
        ProcessCollector(registry=self._registry)

    def watch(self, live: LiveIndex) -> None:
        """Report on the index that serves, too."""
        self._registry.register(_IndexCollector(live))

    def observe(self, *, method: str, route: str, status: int, elapsed_s: float) -> None:
        """Count a request.

        Args:
            method: Its HTTP method.
            route: The route's pattern, never the address itself: that has endless values.
            status: The HTTP status of its response.
            elapsed_s: How long it took.
        """
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(elapsed_s)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)


class _IndexCollector(Collector):
    """Reads the snapshot when Prometheus asks."""

    def __init__(self, live: LiveIndex) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        try:
            index = self._live.snapshot().index
        except FootnoteError:
            yield GaugeMetricFamily("footnote_index_ready", "1 if an index serves.", value=0)
        else:
            yield GaugeMetricFamily("footnote_index_ready", "1 if an index serves.", value=1)
            yield InfoMetricFamily(
                "footnote_index",
                "The generation that serves.",
                value={"generation": index.name, "encoder": index.manifest.encoder},
            )
            yield GaugeMetricFamily(
                "footnote_index_documents",
                "Documents in the generation that serves.",
                value=index.manifest.documents,
            )
            yield GaugeMetricFamily(
                "footnote_index_passages",
                "Passages in the generation that serves.",
                value=index.manifest.passages,
            )
        yield GaugeMetricFamily(
            "footnote_index_problems",
            "Reasons for which the newest generation does not serve.",
            value=len(self._live.problems),
        )
