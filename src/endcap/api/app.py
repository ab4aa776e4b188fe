"""
The application: wires everything by hand, finds the endpoint, turns problems into answers.

`build` makes the parts of one process; `App` is the ASGI callable. What escapes an endpoint that is not a Problem is
ours to fix: it is logged whole and shown as an internal error with the request's id.
"""

import gc
import itertools
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from endcap.accounts import Accounts
from endcap.activity import Activity
from endcap.api.asking import Asker
from endcap.api.auth import Authenticator
from endcap.api.catalog import CatalogEndpoints
from endcap.api.catalog_export import ContentExportEndpoint
from endcap.api.customizations import CustomizationEndpoints
from endcap.api.docs import DocsEndpoints
from endcap.api.drafts import DraftEndpoints
from endcap.api.events import EventEndpoints
from endcap.api.http import (
    Disconnected,
    Endpoint,
    Receive,
    Request,
    Response,
    Routes,
    Scope,
    Send,
    send_response,
)
from endcap.api.interactions import InteractionEndpoints
from endcap.api.models import ModelEndpoints
from endcap.api.ops import OpsEndpoints
from endcap.api.place import PlaceEndpoints
from endcap.api.recommend import RecommendEndpoints
from endcap.api.throttle import Throttle
from endcap.api.versions import VersionEndpoints
from endcap.archive.places import open_place
from endcap.archive.reading import EventSource
from endcap.archive.schedule import Schedule
from endcap.builder import Builder
from endcap.clock import Clock, NewId, random_id, system_clock
from endcap.committer import Committer
from endcap.config import Settings
from endcap.drafts import Drafts
from endcap.errors import (
    MethodNotAllowed,
    PathNotFound,
    Problem,
    StoreUnavailable,
    TooManyRequests,
)
from endcap.jobs import JobRunner
from endcap.list_watch import ListWatch
from endcap.mirror import Mirror
from endcap.objects import Objects
from endcap.placing import Placing
from endcap.recommending import Recommending
from endcap.recording import Recorder
from endcap.scheduled import Scheduled
from endcap.service import Service
from endcap.store import open_accounts, open_events, open_store
from endcap.store.events import EventStore
from endcap.store.port import Store
from endcap.telemetry import Metrics, log
from endcap.vault import Vault, open_vault
from endcap.versions import Versions
from endcap.wire.problems import INTERNAL, internal_json, problem_json, status_of

RETRY_SECONDS = 0.5  # while the store is away and nothing is loaded
STOP_SECONDS_MAX = 5.0  # how long the end waits for a load to notice it


class Parts(Struct, frozen=True):
    """What one process is made of, for those who wire or test it."""

    settings: Settings
    store: Store
    vault: Vault
    mirror: Mirror
    committer: Committer
    service: Service
    objects: Objects
    recommending: Recommending
    versions: Versions
    drafts: Drafts
    accounts: Accounts
    jobs: JobRunner
    events: EventStore
    activity: Activity
    recorder: Recorder
    source: EventSource
    schedule: Schedule

    def migrate(self) -> Sequence[str]:
        """Brings every schema up to date; the names of the migrations applied."""
        return [*self.store.migrate(), *self.events.migrate()]

    def close(self) -> None:
        """Lets go of the databases."""
        self.accounts.close()
        self.store.close()
        self.events.close()


def build(settings: Settings, *, clock: Clock = system_clock, new_id: NewId = random_id) -> Parts:
    """Opens the store (without migrating it) and wires the application layer."""
    store = open_store(settings.store_url, pool_size_max=settings.postgres_pool_size)
    vault = open_vault(settings)
    mirror = Mirror(store, vault, settings.data_dir, poll_seconds=settings.poll_seconds)
    committer = Committer(store, mirror)
    accounts = Accounts(
        open_accounts(settings.store_url),
        idle_seconds=settings.console_session_idle_minutes * 60,
        session_seconds=settings.console_session_hours * 3_600,
        clock=clock,
    )
    versions = Versions(store, committer)
    drafts = Drafts(store, committer, new_id=new_id)
    events = open_events(settings.store_url)
    activity = Activity(events, mirror)
    service = Service(settings, store, mirror, committer, clock=clock, new_id=new_id)
    recommending = Recommending(settings, clock=clock, shoppers=activity.shoppers)
    jobs = JobRunner(store, lease_seconds=settings.job_lease_seconds, clock=clock)
    objects = Objects(settings, store, committer, on_job=jobs.wake, clock=clock)
    source = EventSource(events, open_place(settings))
    recorder = Recorder(settings, events, activity, clock=clock)
    return Parts(
        settings,
        store,
        vault,
        mirror,
        committer,
        service,
        objects,
        recommending,
        versions,
        drafts,
        accounts,
        jobs,
        events,
        activity,
        recorder,
        source,
        Schedule(settings, events),
    )


class App:
    """The ASGI application. `also` mounts what is not of the API: the console."""

    def __init__(self, parts: Parts, *, also: Sequence[Callable[[Routes], None]] = ()) -> None:
        self.parts = parts
        self.is_ready = False
        """Whether every tracker is in memory."""
        self.on_ready: Callable[[], None] = lambda: None
        """Called by the thread that loads, before anybody is told."""
        self._tells_ready = False
        self.has_failed = False
        """Whether it will never be ready; the log says why."""
        self.metrics = Metrics()
        self._ending = threading.Event()
        self._loader: threading.Thread | None = None
        self._routes = Routes()
        self._access_log = parts.settings.access_log
        self._numbers = itertools.count(1)
        self._process = f"{os.getpid():x}{secrets.token_hex(3)}"
        service, recommending, settings = parts.service, parts.recommending, parts.settings
        authenticator = Authenticator(service)
        by_tracker = Throttle(settings.throttle_tracker_per_second)
        by_address = Throttle(settings.throttle_address_per_second)
        CustomizationEndpoints(service, authenticator, by_tracker).mount(self._routes)
        VersionEndpoints(service, parts.versions, authenticator, by_tracker).mount(self._routes)
        DraftEndpoints(service, parts.drafts, authenticator, by_tracker).mount(self._routes)
        CatalogEndpoints(settings, parts.objects, authenticator, by_tracker).mount(self._routes)
        ModelEndpoints(service, authenticator, by_tracker).mount(self._routes)
        self._asker = Asker(settings.recommender_hosts)
        self.metrics.include(self._asker.metrics)
        self._lists = ListWatch(parts.mirror, settings.data_dir)
        self.metrics.include(self._lists.metrics)
        RecommendEndpoints(service, recommending, self._asker, authenticator, by_address).mount(
            self._routes
        )
        placing = Placing(recommending)
        PlaceEndpoints(service, placing, authenticator, by_tracker).mount(self._routes)
        ContentExportEndpoint(service, parts.objects, authenticator, by_tracker).mount(self._routes)
        EventEndpoints(service, parts.recorder, authenticator, by_address).mount(self._routes)
        InteractionEndpoints(service, authenticator, by_tracker).mount(self._routes)
        self._scheduled = Scheduled(parts.store, parts.committer, parts.drafts, clock=service.clock)
        self.metrics.watch_counts(
            "endcap_events",
            "Events taken by this worker, by what became of them",
            ("tracker", "outcome"),
            parts.recorder.counts,
        )
        self._builder = Builder(parts.store, parts.source, settings.data_dir, settings.schedule)
        OpsEndpoints(
            service,
            parts.activity,
            self.metrics,
            is_ready=lambda: self._tells_ready,
            builds=lambda: self._builder.builds,
        ).mount(self._routes)
        DocsEndpoints().mount(self._routes)
        for mount in also:
            mount(self._routes)

    def start(self) -> None:
        """Migrates, loads the mirror, follows, builds. Blocks until the first snapshot is there."""
        self._start_writers()
        self._load()

    def begin(self) -> None:
        """The same beside whoever calls: requests are answered meanwhile, with what is there."""
        self._start_writers()
        self._loader = threading.Thread(target=self._keep_loading, name="loader", daemon=True)
        self._loader.start()

    async def close_connections(self) -> None:
        """Those that this process made itself, where its loop still runs."""
        await self._asker.close()

    def stop(self) -> None:
        """Commits what was handed over, then lets go."""
        self._ending.set()
        self._scheduled.stop()
        self.parts.jobs.stop()
        self.parts.committer.stop()
        self._lists.stop()
        self.parts.recorder.stop()
        self.parts.activity.stop()
        self.parts.schedule.stop()
        self.parts.mirror.stop()
        self._builder.stop()
        if self._loader is not None:
            self._loader.join(STOP_SECONDS_MAX)
        self.parts.close()
        if (
            "duckdb" in sys.modules
        ):  # it complains of its own objects that nobody takes away at the end
            gc.unfreeze()

    def _start_writers(self) -> None:
        self.parts.committer.start()
        self.parts.recorder.start()

    def _load(self) -> None:
        self.parts.migrate()
        self.parts.mirror.load()
        self._lists.look()
        self.parts.activity.fill()
        self.parts.mirror.start()
        self._lists.start()
        self.parts.jobs.start()
        self.parts.activity.start()
        self.parts.schedule.start()
        self._scheduled.start()
        self._builder.start()
        self.is_ready = True
        self.on_ready()
        self._tells_ready = True

    def _keep_loading(self) -> None:
        """Until it is done: a store that is away may be back, and another worker may be serving meanwhile."""
        waits = False
        while not self._ending.is_set():
            try:
                self._load()
            except StoreUnavailable as problem:
                if not waits:
                    waits = True
                    log.warning("waiting for the store", reason=str(problem.__cause__ or problem))
                self._ending.wait(RETRY_SECONDS)
            except Problem as problem:
                self.has_failed = True
                log.error("cannot start", reason=str(problem), cause=str(problem.__cause__ or ""))
                return
            except Exception as error:  # noqa: BLE001 - a worker that never gets ready in silence helps nobody
                self.has_failed = True
                log.error("cannot start", exc_info=error)
                return
            else:
                return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self.begin()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close_connections()
                self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request.of_scope(scope, receive)
        try:
            response = await self.respond(request)
        except Disconnected:
            return
        await send_response(request, response, send)

    async def respond(self, request: Request) -> Response:
        """The answer to a request, counted. Raises Disconnected alone."""
        started = time.perf_counter()
        request.request_id = f"{self._process}-{next(self._numbers):x}"
        try:
            response = await self._endpoint(request)(request)
        except Problem as problem:
            response = _problem_response(request, problem)
        except Disconnected:
            raise
        except Exception as error:  # noqa: BLE001 - whatever escapes is logged whole and answered as internal
            log.error(
                "internal error",
                request_id=request.request_id,
                method=request.method,
                path=request.path,
                exc_info=error,
            )
            response = Response.json(internal_json(request.request_id), INTERNAL)
        seconds = time.perf_counter() - started
        self.metrics.count(request.route, response.status, seconds)
        if self._access_log:
            log.info(
                "request",
                id=request.request_id,
                method=request.method,
                path=request.path,
                status=response.status,
                ms=round(seconds * 1_000, 2),
            )
        return response

    def _endpoint(self, request: Request) -> Endpoint:
        """Raises PathNotFound, MethodNotAllowed."""
        found = self._routes.find(request.path)
        if found is None:
            below = self._routes.below(request.path)
            if below is not None:
                request.route = below[0]
                return below[1]
            raise PathNotFound(details={"path": [f"No such path: {request.path}"]})
        request.route, request.parameters, endpoints = found
        endpoint = endpoints.get(request.method)
        if endpoint is None:
            raise MethodNotAllowed(sorted(endpoints))
        return endpoint


def _problem_response(request: Request, problem: Problem) -> Response:
    status = status_of(problem)
    if status == INTERNAL:
        log.error("internal error", request_id=request.request_id, exc_info=problem)
        return Response.json(internal_json(request.request_id), INTERNAL)
    return Response.json(problem_json(problem), status, tuple(_headers(problem).items()))


def _headers(problem: Problem) -> Mapping[bytes, bytes]:
    match problem:
        case MethodNotAllowed():
            return {b"allow": ", ".join(problem.allowed).encode()}
        case TooManyRequests() | StoreUnavailable():
            return {b"retry-after": str(problem.retry_after_seconds).encode()}
        case _:
            return {}
