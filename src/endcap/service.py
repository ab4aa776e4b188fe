"""
The verbs: what can be done with customizations, catalog and recommendations, whoever asks.

API, commands and, later, the console call these. A verb takes bytes or values that the wire understands, speaks to the
mirror and the store, and answers with bytes ready to send. It knows nothing of HTTP: problems are raised, statuses are
the caller's.
"""

import asyncio
import hashlib
import random
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from endcap import criteria, modelling
from endcap.clock import Clock, NewId, passing_id, random_id, system_clock
from endcap.committer import Committer
from endcap.config import Settings
from endcap.domain import (
    PRIORITIES,
    CatalogObject,
    Customization,
    CustomizationId,
    Definition,
    ItemTarget,
    Micros,
    Pin,
    Priority,
    Record,
    TrackerId,
)
from endcap.engine.place import (
    Eligibility,
    Placement,
    Ranking,
    Scene,
    Shown,
    Source,
    place_page,
)
from endcap.errors import (
    CatalogFault,
    CatalogFaults,
    CustomizationNotFound,
    FaultyFields,
    JobNotFound,
    RecommenderNotFound,
    TooManyRequests,
)
from endcap.mirror import Mirror, Shop
from endcap.recommend.recommenders import Recommender
from endcap.recommend.shoppers import UNKNOWN, Shopper, Shoppers
from endcap.recommend.strategies import SPARE, External, Query
from endcap.renderings import Rendered, Renderings
from endcap.store.port import Store
from endcap.store.states import Job
from endcap.store.writes import (
    CommitGeneration,
    Committed,
    CreateCustomization,
    DeleteCustomization,
    Idempotency,
    MergeObjects,
    PutObjects,
    RemoveModel,
    RemoveObjects,
    ReplaceCustomization,
    StartJob,
)
from endcap.telemetry import log
from endcap.wire import catalog as wire_catalog
from endcap.wire import catalog_export, recommending
from endcap.wire import customizations as wire
from endcap.wire.catalog import hit_json
from endcap.wire.catalog_export import ContentExport
from endcap.wire.kinds import mismatch
from endcap.wire.listing import Export, Listing
from endcap.wire.recommending import Explanation, ItemShown, PinShown, Request
from endcap.wire.updates import Progress, progress_json, read_update

HIT_SPELLINGS_MAX = 8  # sets of hit_fields kept encoded per item
_NOTHING: Mapping[int, Sequence[str]] = {}
LONG_BODY_BYTES = 100_000  # some two milliseconds
OPEN_JOBS_MAX = 20  # of one tracker: they are done one after the other
OPEN_JOBS_RETRY_SECONDS = 10
JOB_ID_MAX = 2**53  # production clients read it as an integer, JavaScript among them
T = TypeVar("T")
_encode = msgspec.json.encode
_TARGET_TYPES: Mapping[Priority, str] = {
    priority: str(kind.__struct_config__.tag) for kind, priority in PRIORITIES.items()
}


class Tag(Struct, frozen=True):
    """A customization's tag without its body."""

    etag: str
    revision: int


class TaggedModel(Struct, frozen=True):
    """A model as it is told, with its tag and the revision that it was seen at."""

    body: bytes
    etag: str
    revision: int


class Written(Struct, frozen=True):
    """What a catalog write did."""

    ok_count: int
    faults: Mapping[str, CatalogFault]
    revision: int


class Service:
    """One a process; every argument is what a test may want to decide."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        mirror: Mirror,
        committer: Committer,
        *,
        clock: Clock = system_clock,
        new_id: NewId = random_id,
        chance: random.Random | None = None,
        shoppers: Callable[[TrackerId], Shoppers] | None = None,
    ) -> None:
        """`shoppers` gives what is known of a tracker's shoppers; without it nobody is known."""
        self.settings = settings
        self.store = store
        self.mirror = mirror
        self.committer = committer
        self.clock = clock
        self._new_id = new_id
        self._chance = chance or random.Random()
        nobody = Shoppers()
        self._shoppers = shoppers or (lambda _: nobody)
        self._scalars = frozenset(settings.scalar_attributes)
        self._renderings = Renderings()
        self.on_job: Callable[[], None] = lambda: None
        """Called when there is a new job."""

    def shop(self, tracker: str) -> Shop:
        """Raises TrackerNotFound, StillLoading."""
        shop = self.mirror.shop(tracker)
        if shop is None:
            raise self.mirror.absence()
        return shop

    # Customizations

    def get_mirrored(self, shop: Shop, id: CustomizationId) -> Rendered | None:
        """What `get` would give, where memory is known to be as true as the store; None: ask the store."""
        if not self.mirror.is_current():
            return None
        current = self.mirror.shop(shop.tracker)  # one that was looked up earlier may be older
        return None if current is None else self._renderings.get(current, id, self.clock())

    def get(self, shop: Shop, id: CustomizationId) -> Rendered:
        """Reads the store, so that it is true in every worker. Raises CustomizationNotFound."""
        record = self.store.customization(shop.tracker, id)
        if record is None:
            raise CustomizationNotFound
        now = self.clock()
        rendered = self.render(shop, record)
        if self.mirror.is_current():
            self._renderings.keep(shop, rendered, now)
        return rendered

    async def create(
        self, shop: Shop, body: bytes, *, idempotency_key: str | None = None
    ) -> Rendered:
        """Raises MalformedBody, FaultyFields, IdempotencyConflict."""
        definition = self.read(shop, body)
        committed = await self.committer.commit(
            CreateCustomization(
                shop.tracker,
                self._new_id(),
                definition,
                self.settings.creator,
                self.clock(),
                _idempotency(idempotency_key, body),
            )
        )
        assert committed.record is not None
        return self.render(self.shop(shop.tracker), committed.record)

    async def replace(
        self, shop: Shop, id: CustomizationId, body: bytes, *, expected: frozenset[int] | None
    ) -> Tag:
        """Raises MalformedBody, FaultyFields, CustomizationNotFound, RevisionConflict."""
        definition = self.read(shop, body)
        committed = await self.committer.commit(
            ReplaceCustomization(
                shop.tracker, id, definition, self.settings.creator, self.clock(), expected
            )
        )
        record = committed.record
        assert record is not None
        shop = self.shop(shop.tracker)
        available = self.is_available(shop, record)
        return Tag(_etag(record, available=available, shown=_shown(shop, record)), record.revision)

    async def delete(
        self, shop: Shop, id: CustomizationId, *, expected: frozenset[int] | None
    ) -> int:
        """Returns the revision. Raises CustomizationNotFound, RevisionConflict."""
        write = DeleteCustomization(shop.tracker, id, self.settings.creator, self.clock(), expected)
        return (await self.committer.commit(write)).revision

    def page(self, shop: Shop, listing: Listing) -> bytes:
        if listing.rule is not None:
            return self._page_by_rule(shop, listing, listing.rule)
        page = self.store.page(
            shop.tracker,
            listing.filter,
            sort=listing.sort,
            limit=listing.limit,
            offset=listing.offset,
        )
        return wire.page_json(page.total, (self.render(shop, each).body for each in page.records))

    def _page_by_rule(self, shop: Shop, listing: Listing, rule: criteria.Rule) -> bytes:
        """Rules look at whole customizations, so every one that the filter selects is looked at."""
        total = 0
        results: list[bytes] = []
        for record in self.store.records(shop.tracker, listing.filter, sort=listing.sort):
            body = self.render(shop, record).body
            if criteria.matches(rule, wire.own_attributes(body)):
                total += 1
                if total > listing.offset and len(results) < listing.limit:
                    results.append(body)
        return wire.page_json(total, results)

    def export(self, shop: Shop, export: Export) -> Iterator[bytes]:
        """Every matching customization as GET gives it, oldest first; pins left out as asked."""
        now = self.clock()
        catalog = shop.snapshot.catalog

        def keeps(_: int, pin: Pin) -> bool:
            closes = pin.window.closes
            if export.remove_expired_pins and closes is not None and closes <= now:
                return False
            if export.remove_nonexisting_item_pins and pin.item is not None:
                return catalog.number(pin.item) is not None
            return True

        filters = export.remove_expired_pins or export.remove_nonexisting_item_pins
        for record in self.store.records(shop.tracker, export.filter):
            kept = wire.without_pins(record, keeps) if filters else record
            yield self.render(shop, kept).body

    def revision(self, shop: Shop) -> int:
        """The store's own, which holds all that was read from the store before."""
        row = self.store.tracker(shop.tracker)
        return shop.revision if row is None else row.revision

    def summary(self, shop: Shop) -> bytes:
        summary = self.store.summary(shop.tracker)
        return wire.summary_json(dict(summary.counts), summary.tags)

    def render(self, shop: Shop, record: Record) -> Rendered:
        """A record as GET gives it, at this moment and over this catalog."""
        available = self.is_available(shop, record)
        shown = _shown(shop, record)
        body = wire.customization_json(record, available=available, shown=shown)
        etag = _etag(record, available=available, shown=shown)
        return Rendered(record.id, body, etag, record.revision)

    def is_available(self, shop: Shop, record: Record) -> bool:
        """At least one pin is inside its window now and, for an item target, the item is there to be shown."""
        known = shop.snapshot.rules.customization(record.id)
        if known is None or known.revision != record.revision:
            known = Customization.of(record, wire.definition_of(record))
        now = self.clock()
        if known.is_silent or not known.pinned_at(now):
            return False
        if not isinstance(known.target, ItemTarget):
            return True
        number = shop.snapshot.catalog.number(known.target.identity)
        return number is not None and shop.snapshot.catalog.item(number).offered_at(now)

    def read(self, shop: Shop, body: bytes) -> Definition:
        """Raises MalformedBody, FaultyFields; of a recommender that is not known too, where settings say so."""
        definition = wire.read_definition(body)
        if (objection := self.objection(shop, definition)) is not None:
            raise FaultyFields(details={"model": [objection]})
        if shop.recommenders.find(definition.model) is None:
            log.warning("unknown model", tracker=shop.tracker, model=definition.model)
        return definition

    def objection(self, shop: Shop, definition: Definition) -> str | None:
        """Why this server does not take a definition that is well formed, if so."""
        if self.settings.unknown_models != "refuse":
            return None
        known = shop.recommenders.find(definition.model) is not None
        return None if known else f"Unknown recommender: {definition.model}"

    # Catalog

    async def put_objects(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults for a body that is no list of objects."""
        batch = await _read(wire_catalog.read_objects, body)
        objects: Sequence[CatalogObject] = tuple(batch.objects.values())
        if not objects:
            return Written(0, batch.faults, shop.revision)
        write = PutObjects(shop.tracker, objects, self.settings.creator, self.clock())
        return _written(batch, await self.committer.commit(write))

    async def patch_objects(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults, BodyTooLarge."""
        batch = await _read(wire_catalog.read_patches, body)
        if not batch.objects:
            return Written(0, batch.faults, shop.revision)
        write = MergeObjects(shop.tracker, batch.objects, self.settings.creator, self.clock())
        return _written(batch, await self.committer.commit(write))

    async def remove_objects(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults."""
        batch = await _read(wire_catalog.read_removals, body)
        if not batch.objects:
            return Written(0, batch.faults, shop.revision)
        write = RemoveObjects(shop.tracker, batch.objects, self.settings.creator, self.clock())
        return _written(batch, await self.committer.commit(write))

    async def commit_generation(self, shop: Shop, *, type_: str, generation: str) -> Committed:
        """Removes the objects of a type from other generations. Raises CatalogFaults if the generation is empty."""
        write = CommitGeneration(
            shop.tracker, type_, generation, self.settings.creator, self.clock()
        )
        return await self.committer.commit(write)

    async def start_update(self, shop: Shop, body: bytes) -> int:
        """
        Starts an update by query, and returns the id of its job. Raises CatalogFaults, also for fields that are of
        other types by now; TooManyRequests.
        """
        update = await _read(read_update, body)
        fields = await self._asked(lambda: self.store.fields(shop.tracker))
        fault = mismatch(update.shape, {each.name: each for each in fields})
        if fault is not None:
            raise CatalogFaults(0, {"body": fault})
        if await self._asked(lambda: self.store.count_open_jobs(shop.tracker)) >= OPEN_JOBS_MAX:
            raise TooManyRequests(OPEN_JOBS_RETRY_SECONDS)
        now = self.clock()
        job = Job(
            id=self._chance.randrange(1, JOB_ID_MAX),
            kind="update",
            request=body,
            actor=self.settings.creator,
            created_at=now,
            updated_at=now,
        )
        await self.committer.commit(StartJob(shop.tracker, job, now))
        self.on_job()
        return job.id

    async def update_progress(self, shop: Shop, id: int) -> bytes:
        """How an update by query goes on. Raises JobNotFound."""
        job = await self._asked(lambda: self.store.job(shop.tracker, id))
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

    async def _asked(self, ask: Callable[[], T]) -> T:
        """A point read of the store, where it is quickest."""
        return ask() if self.store.inline else await asyncio.to_thread(ask)

    def content_page(self, shop: Shop, wanted: ContentExport, *, base_url: str) -> bytes:
        """One page of the catalog, read from the store; links to the next begin with the base URL."""
        total, types = wanted.total, wanted.types
        if total is None:
            total = self.store.count_objects(shop.tracker, types=types)
        found = self.store.objects_after(
            shop.tracker, wanted.after, types=types, limit=wanted.size + 1
        )
        page, href = found[: wanted.size], None
        if len(found) > len(page):
            cursor = catalog_export.next_cursor(
                wanted, shop.tracker, after=page[-1].identity, total=total, now=self.clock()
            )
            href = catalog_export.next_href(base_url, cursor)
        shown = [
            catalog_export.exported_json(each, fields=wanted.fields, scalars=self._scalars)
            for each in page
        ]
        return catalog_export.content_page_json(total, shown, next_href=href)

    # Models

    def models(self, shop: Shop) -> bytes:
        """What every name means, the tracker's own and the reference's."""
        return _encode({"models": modelling.told(shop.models)})

    def model(self, shop: Shop, name: str) -> TaggedModel:
        """Raises RecommenderNotFound."""
        told = modelling.one_told(shop.models, name)
        return TaggedModel(_encode(told), told.etag, shop.revision)

    async def put_model(
        self, shop: Shop, name: str, body: bytes, *, expected: frozenset[int] | None
    ) -> TaggedModel:
        """Raises MalformedBody, FaultyFields, RevisionConflict."""
        actor, now = self.settings.creator, self.clock()
        write = modelling.put(
            shop.tracker,
            name,
            body,
            actor=actor,
            now=now,
            expected=expected,
            hosts=self.settings.recommender_hosts,
        )
        committed = await self.committer.commit(write)
        assert committed.model is not None
        told = modelling.row_told(committed.model)
        return TaggedModel(_encode(told), told.etag, committed.revision)

    async def remove_model(self, shop: Shop, name: str, *, expected: frozenset[int] | None) -> int:
        """
        The name means again what it meant before. Returns the revision. Raises RecommenderNotFound, RevisionConflict.
        """
        write = RemoveModel(shop.tracker, name, self.settings.creator, self.clock(), expected)
        return (await self.committer.commit(write)).revision

    def strategies(self) -> bytes:
        """What the document of a model may hold."""
        return _encode(modelling.strategies())

    # Recommendations

    def recommend(
        self,
        shop: Shop,
        requests: Sequence[Request],
        *,
        explain: bool = False,
        brought: Mapping[int, Sequence[str]] = _NOTHING,
    ) -> bytes:
        """
        The whole answer of one call; `brought` is, by the index of an object, what a recommender elsewhere answered.
        No I/O. Raises RecommenderNotFound.
        """
        now = self.clock()
        found = [self._recommender(shop, request) for request in requests]
        sizes = sum([request.size for request in requests])
        rankings = [
            self.rank(
                shop,
                request,
                recommender,
                now,
                others=sizes - request.size,
                brought=brought.get(index, ()),
            )
            for index, (request, recommender) in enumerate(zip(requests, found, strict=True))
        ]
        scenes = [
            self.scene(shop, request, ranking, now)
            for request, ranking in zip(requests, rankings, strict=True)
        ]
        placements = place_page(shop.snapshot.catalog, scenes)
        return recommending.answers_json(
            [
                self.answer(
                    shop,
                    request,
                    recommender.name,
                    placement,
                    now,
                    explained=explanation(shop, placement, partial(recommender.stage, ranking))
                    if explain
                    else None,
                )
                for request, recommender, ranking, placement in zip(
                    requests, found, rankings, placements, strict=True
                )
            ]
        )

    def explain(
        self,
        shop: Shop,
        request: Request,
        *,
        now: Micros,
        candidate: Customization | None = None,
        chance: random.Random | None = None,
    ) -> Explanation:
        """
        One object's placement at any moment, explained; nothing is written. `candidate`: as if that was saved already.
        With the same `chance` recommenders that draw lots answer the same again.
        """
        recommender = self._recommender(shop, request)
        ranking = self.rank(shop, request, recommender, now, chance=chance)
        if candidate is not None:
            shop = replace(shop, snapshot=shop.snapshot.with_candidate(candidate))
        scene = self.scene(shop, request, ranking, now)
        (placement,) = place_page(shop.snapshot.catalog, [scene])
        return explanation(shop, placement, partial(recommender.stage, ranking))

    def _recommender(self, shop: Shop, request: Request) -> Recommender:
        recommender = shop.recommenders.find(request.model)
        if recommender is None:
            unknown = {"recommendation_type": [f"Unknown recommender: {request.model}"]}
            raise RecommenderNotFound(details=unknown)
        return recommender

    def rank(
        self,
        shop: Shop,
        request: Request,
        recommender: Recommender,
        now: Micros,
        *,
        others: int = 0,
        brought: Sequence[str] = (),
        chance: random.Random | None = None,
    ) -> Ranking:
        """
        The recommender's answer to one object of a call, before rules. `others` is how many items the rest of the page
        may take away, `brought` what a recommender elsewhere answered, `chance` what lots are drawn with.
        """
        catalog = shop.snapshot.catalog
        field = request.availability_field
        numbers = [number for each in request.items if (number := catalog.number(each)) is not None]
        user, shopper, personal = self._user(shop, request)
        return recommender.rank(
            Query(
                catalog=catalog,
                items=numbers,
                user=user,
                shopper=shopper,
                personal=personal,
                context=request.context,
                count=_count(request, others),
                now=now,
                seed=chance or self._chance,
                available=None if field is None else catalog.available_by(field),
                brought=brought,
            )
        )

    def _user(self, shop: Shop, request: Request) -> tuple[str | None, Shopper, bool]:
        """Who asks, what they did lately, and whether the ranking may be fitted to that."""
        if request.user is None:
            return None, UNKNOWN, False
        shopper = self._shoppers(shop.tracker).of(request.user)
        consent = shopper.consent if request.consent is None else request.consent
        if consent is False:  # who refused is a stranger
            return None, UNKNOWN, False
        return request.user, shopper, consent is True

    def asked_elsewhere(
        self, shop: Shop, requests: Sequence[Request]
    ) -> Sequence[tuple[int, Request, External]]:
        """The objects of a call whose models ask a service, with their index; who refused to be known is not named."""
        return [
            (index, replace(request, user=self._user(shop, request)[0]), external)
            for index, request in enumerate(requests)
            if (external := shop.recommenders.external(request.model)) is not None
        ]

    def scene(self, shop: Shop, request: Request, ranking: Ranking, now: Micros) -> Scene:
        """What placement needs to know of one object of a call."""
        catalog = shop.snapshot.catalog
        return Scene(
            shop.snapshot.claims(request.model, request.items),
            ranking,
            Eligibility(
                catalog,
                now=now,
                inputs=request.items,
                blacklist=request.blacklist,
                context=request.context,
                availability_field=request.availability_field,
                type=ranking.type,
            ),
            request.size,
            now,
            request.widget,
        )

    def answer(
        self,
        shop: Shop,
        request: Request,
        recommender: str,
        placement: Placement,
        now: Micros,
        *,
        explained: Explanation | None,
    ) -> bytes:
        """One object of an answer; `recommender` is the name of who made the ranking."""
        hits = self._hits(shop, placement, request.hit_fields)
        if request.mark_fallback:
            hits = [
                recommending.marked(hit, fallback=each.source is Source.FALLBACK)
                for hit, each in zip(hits, placement.shown, strict=True)
            ]
        return recommending.answer_json(
            request,
            hits,
            now=now,
            recommendation_id=passing_id(),
            recommender=recommender,
            model_version=shop.recommenders.model_version,
            recommender_version=shop.recommenders.version,
            explanation=None if explained is None else _encode(explained),
        )

    def _hits(self, shop: Shop, placement: Placement, fields: frozenset[str] | None) -> list[bytes]:
        """Encoded hits, made once per set of fields that shops ask for."""
        known = shop.snapshot.catalog.hits(fields)
        hits: list[bytes] = []
        for each in placement.shown:
            hit = known.get(each.number)
            if hit is None:
                hit = known[each.number] = self._hit(shop, each.number, fields)
            hits.append(hit)
        return hits

    def _hit(self, shop: Shop, number: int, fields: frozenset[str] | None) -> bytes:
        item = shop.snapshot.catalog.item(number)
        hit = item.hits.get(fields)
        if hit is None:
            hit = hit_json(item.document, fields=fields, scalars=self._scalars)
            if len(item.hits) < HIT_SPELLINGS_MAX:
                item.hits[fields] = hit
        return hit


async def _read(read: Callable[[bytes], T], body: bytes) -> T:
    """A body's contents; what takes milliseconds to read is read beside the event loop."""
    if len(body) < LONG_BODY_BYTES:
        return read(body)
    return await asyncio.to_thread(read, body)


def _written(batch: wire_catalog.Batch, committed: Committed) -> Written:
    faults = {**batch.faults, **committed.faults}
    return Written(len(batch.objects) - len(committed.faults), faults, committed.revision)


def explanation(
    shop: Shop,
    placement: Placement,
    stage: Callable[[Shown], str | None],
    *,
    places: Sequence[int] | None = None,
) -> Explanation:
    """
    The engine's judgements in the wire's words; `stage` tells which strategy gave an item. `places` are the places to
    tell of what the ranking holds, where they are not simply 1, 2, 3, ….
    """
    catalog = shop.snapshot.catalog
    pins = [
        PinShown(
            each.claim.customization.id,
            each.claim.index,
            _TARGET_TYPES[each.claim.customization.priority],
            wire.position_of(each.claim.pin.place),
            each.verdict.value,
            each.item,
            each.slot,
            each.because,
        )
        for each in placement.judgements
    ]
    items = [
        ItemShown(
            slot,
            catalog.identity(each.number),
            each.source.value,
            each.claim.index if each.claim else None,
            each.claim.customization.id if each.claim else None,
            each.place if places is None or each.place is None else places[each.place - 1],
            stage(each),
        )
        for slot, each in enumerate(placement.shown, 1)
    ]
    return Explanation(pins, items)


def _count(request: Request, others: int) -> int:
    """
    How many candidates to ask for: so many that what the request and the rest of the page take away leaves enough. What
    strategies give beside the count covers the usual; beyond that it is rounded up, since rankings are kept by it.
    """
    taken = len(request.blacklist) + others
    return request.size if taken <= SPARE // 2 else request.size + (1 << taken.bit_length())


def _idempotency(key: str | None, body: bytes) -> Idempotency | None:
    return None if key is None else Idempotency(key, hashlib.sha256(body).hexdigest())


def _etag(record: Record, *, available: bool, shown: wire.Shown | None) -> str:
    """Changes with every write (the revision) and with what the body shows of time and catalog (the rest)."""
    if shown is None:
        return f'"{record.revision}-{available:d}"'
    told = f"{shown.title}\x00{shown.image_link}".encode()
    return f'"{record.revision}-{available:d}{zlib.crc32(told):08x}"'


def _shown(shop: Shop, record: Record) -> wire.Shown | None:
    """Title and picture of an item target, for clients that did not send them."""
    if record.target_identity is None:
        return None
    catalog = shop.snapshot.catalog
    number = catalog.number(record.target_identity)
    if number is None:
        return None
    attributes = catalog.attributes(number)
    return wire.Shown(_text(attributes.get("title")), _text(attributes.get("image_link")))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
