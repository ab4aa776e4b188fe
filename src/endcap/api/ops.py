"""
What operators and their machines ask: health, readiness, metrics.
"""

import os
from collections.abc import Callable, Iterable, Mapping

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from endcap.activity import Activity
from endcap.api.http import Request, Response, Routes
from endcap.domain import Micros, TrackerId
from endcap.service import Service
from endcap.store.states import Build, BuildRecord
from endcap.telemetry import Metrics


class OpsEndpoints:
    def __init__(
        self,
        service: Service,
        activity: Activity,
        metrics: Metrics,
        *,
        is_ready: Callable[[], bool],
        builds: Callable[[], Mapping[TrackerId, Build]],
    ) -> None:
        self._service = service
        self._activity = activity
        self._metrics = metrics
        self._is_ready = is_ready
        self._builds = builds
        metrics.watch(self._gauges)

    def mount(self, routes: Routes) -> None:
        routes.add("/healthz", GET=self.health)
        routes.add("/readyz", GET=self.ready)
        routes.add("/metrics", GET=self.metrics)

    async def health(self, request: Request) -> Response:
        """This process answers."""
        return Response.json(b'{"status":"ok"}')

    async def ready(self, request: Request) -> Response:
        """This process has every tracker in memory."""
        if not self._is_ready():
            return Response.json(b'{"status":"loading"}', 503, ((b"retry-after", b"1"),))
        shops = self._service.mirror.shops()
        revisions = {tracker: shop.revision for tracker, shop in shops.items()}
        return Response.json(msgspec.json.encode({"status": "ready", "revisions": revisions}))

    async def metrics(self, request: Request) -> Response:
        """Of the worker that took the request; its `pid` is a gauge."""
        content_type = (b"content-type", CONTENT_TYPE_LATEST.encode())
        return Response(200, self._metrics.exposition(), (content_type,))

    def _gauges(self) -> Iterable[tuple[str, str, Mapping[str, str], float]]:
        yield "endcap_worker_pid", "Process id of this worker", {}, os.getpid()
        builds, now = self._builds(), self._service.clock()
        for tracker, shop in self._service.mirror.shops().items():
            labels = {"tracker": tracker}
            snapshot = shop.snapshot
            yield "endcap_revision", "Revision shown", labels, snapshot.revision
            yield "endcap_customizations", "Customizations in memory", labels, len(snapshot.rules)
            yield "endcap_objects", "Catalog objects in memory", labels, len(snapshot.catalog)
            shoppers = len(self._activity.shoppers(shop.tracker))
            yield "endcap_shoppers", "Shoppers in memory, with what they did last", labels, shoppers
            yield from _build_gauges(labels, builds.get(shop.tracker), now)


def _build_gauges(
    labels: Mapping[str, str], build: Build | None, now: Micros
) -> Iterable[tuple[str, str, Mapping[str, str], float]]:
    """Zeros while nothing was built."""
    record = BuildRecord() if build is None else build.record
    is_running = build is not None and build.is_held_by_somebody(now)
    succeeded = (record.built_at or 0) / 1e6
    yield "endcap_build_running", "Whether recommenders are being built", labels, is_running
    yield "endcap_build_success_time_seconds", "When a build last succeeded", labels, succeeded
    yield "endcap_build_seconds", "How long that took", labels, record.built_seconds or 0
    yield "endcap_build_failures", "Failures since a build did not fail", labels, record.failures
    is_paused = build is not None and build.is_paused
    yield "endcap_build_paused", "Whether the schedule leaves it alone", labels, is_paused
