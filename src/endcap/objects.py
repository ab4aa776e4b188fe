"""
The verbs on the objects of a catalog: written, removed, updated by query, read page by page.

Of a list of objects what is faulty is told, and the rest is done. What takes long is a job, which `jobs` does; here it
is started and asked about.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from msgspec import Struct

from endcap.clock import Clock, system_clock
from endcap.committer import Committer
from endcap.config import Settings
from endcap.domain import CatalogObject
from endcap.errors import CatalogFault, CatalogFaults, JobNotFound, TooManyRequests
from endcap.shops import Shop
from endcap.store.port import Store
from endcap.store.states import Job
from endcap.store.writes import (
    CommitGeneration,
    Committed,
    MergeObjects,
    PutObjects,
    RemoveObjects,
    StartJob,
)
from endcap.wire import catalog as wire
from endcap.wire import catalog_export
from endcap.wire.catalog_export import ContentExport
from endcap.wire.kinds import mismatch
from endcap.wire.updates import Progress, progress_json, read_update

LONG_BODY_BYTES = 100_000  # some two milliseconds
OPEN_JOBS_MAX = 20  # of one tracker: they are done one after the other
OPEN_JOBS_RETRY_SECONDS = 10
JOB_ID_MAX = 2**53  # production clients read it as an integer, JavaScript among them
T = TypeVar("T")


class Written(Struct, frozen=True):
    """What a catalog write did."""

    ok_count: int
    faults: Mapping[str, CatalogFault]
    revision: int


class Objects:
    """One a process. `on_job` is called when there is a new job; `chance` draws the ids of jobs."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        committer: Committer,
        *,
        on_job: Callable[[], None],
        clock: Clock = system_clock,
        chance: random.Random | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._committer = committer
        self._on_job = on_job
        self._clock = clock
        self._chance = chance or random.Random()
        self._scalars = frozenset(settings.scalar_attributes)

    async def put(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults for a body that is no list of objects."""
        batch = await _read(wire.read_objects, body)
        objects: Sequence[CatalogObject] = tuple(batch.objects.values())
        if not objects:
            return Written(0, batch.faults, shop.revision)
        write = PutObjects(shop.tracker, objects, self._settings.creator, self._clock())
        return _written(batch, await self._committer.commit(write))

    async def patch(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults, BodyTooLarge."""
        batch = await _read(wire.read_patches, body)
        if not batch.objects:
            return Written(0, batch.faults, shop.revision)
        write = MergeObjects(shop.tracker, batch.objects, self._settings.creator, self._clock())
        return _written(batch, await self._committer.commit(write))

    async def remove(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults."""
        batch = await _read(wire.read_removals, body)
        if not batch.objects:
            return Written(0, batch.faults, shop.revision)
        write = RemoveObjects(shop.tracker, batch.objects, self._settings.creator, self._clock())
        return _written(batch, await self._committer.commit(write))

    async def commit_generation(self, shop: Shop, *, type_: str, generation: str) -> Committed:
        """Removes the objects of a type from other generations. Raises CatalogFaults if the generation is empty."""
        write = CommitGeneration(
            shop.tracker, type_, generation, self._settings.creator, self._clock()
        )
        return await self._committer.commit(write)

    async def start_update(self, shop: Shop, body: bytes) -> int:
        """
        Starts an update by query, and returns the id of its job. Raises CatalogFaults, also for fields that are of
        other types by now; TooManyRequests.
        """
        update = await _read(read_update, body)
        fields = await self._asked(lambda: self._store.fields(shop.tracker))
        fault = mismatch(update.shape, {each.name: each for each in fields})
        if fault is not None:
            raise CatalogFaults(0, {"body": fault})
        if await self._asked(lambda: self._store.count_open_jobs(shop.tracker)) >= OPEN_JOBS_MAX:
            raise TooManyRequests(OPEN_JOBS_RETRY_SECONDS)
        now = self._clock()
        job = Job(
            id=self._chance.randrange(1, JOB_ID_MAX),
            kind="update",
            request=body,
            actor=self._settings.creator,
            created_at=now,
            updated_at=now,
        )
        await self._committer.commit(StartJob(shop.tracker, job, now))
        self._on_job()
        return job.id

    async def update_progress(self, shop: Shop, id: int) -> bytes:
        """How an update by query goes on. Raises JobNotFound."""
        job = await self._asked(lambda: self._store.job(shop.tracker, id))
        if job is None or job.kind != "update":
            raise JobNotFound
        return progress_json(
            Progress(
                shop.tracker,
                job.status,
                job.updates,
                job.failures,
                {key: CatalogFault(*told) for key, told in job.faults.items()},
                job.checked,
                job.reason,
            )
        )

    def content_page(self, shop: Shop, wanted: ContentExport, *, base_url: str) -> bytes:
        """One page of the catalog, read from the store; links to the next begin with the base URL."""
        total, types = wanted.total, wanted.types
        if total is None:
            total = self._store.count_objects(shop.tracker, types=types)
        found = self._store.objects_after(
            shop.tracker, wanted.after, types=types, limit=wanted.size + 1
        )
        page, href = found[: wanted.size], None
        if len(found) > len(page):
            cursor = catalog_export.next_cursor(
                wanted, shop.tracker, after=page[-1].identity, total=total, now=self._clock()
            )
            href = catalog_export.next_href(base_url, cursor)
        shown = [
            catalog_export.exported_json(each, fields=wanted.fields, scalars=self._scalars)
            for each in page
        ]
        return catalog_export.content_page_json(total, shown, next_href=href)

    async def _asked(self, ask: Callable[[], T]) -> T:
        """A point read of the store, where it is quickest."""
        return ask() if self._store.inline else await asyncio.to_thread(ask)


async def _read(read: Callable[[bytes], T], body: bytes) -> T:
    """A body's contents; what takes milliseconds to read is read beside the event loop."""
    if len(body) < LONG_BODY_BYTES:
        return read(body)
    return await asyncio.to_thread(read, body)


def _written(batch: wire.Batch, committed: Committed) -> Written:
    faults = {**batch.faults, **committed.faults}
    return Written(len(batch.objects) - len(committed.faults), faults, committed.revision)
