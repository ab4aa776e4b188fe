"""
The verbs: what can be done with customizations, catalog and recommendations, whoever asks.

API, commands and, later, the console call these. A verb takes bytes or values that the wire understands, speaks to the
mirror and the store, and answers with bytes ready to send. It knows nothing of HTTP: problems are raised, statuses are
the caller's.
"""

import hashlib
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec import Struct

from endcap import criteria
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
)
from endcap.engine.place import Eligibility, Placement, Scene, Source, place_page
from endcap.errors import (
    CatalogFault,
    CustomizationNotFound,
    FaultyFields,
    RecommenderNotFound,
)
from endcap.mirror import Mirror, Shop
from endcap.recommend.recommenders import Recommender
from endcap.recommend.strategies import Query
from endcap.renderings import Rendered, Renderings
from endcap.store.port import (
    CreateCustomization,
    DeleteCustomization,
    Idempotency,
    MergeObjects,
    PutObjects,
    RemoveObjects,
    ReplaceCustomization,
    Store,
)
from endcap.telemetry import log
from endcap.wire import catalog as wire_catalog
from endcap.wire import catalog_export, recommending
from endcap.wire import customizations as wire
from endcap.wire.catalog import hit_json
from endcap.wire.catalog_export import ContentExport
from endcap.wire.listing import Export, Listing
from endcap.wire.recommending import Explanation, ItemShown, PinShown, Request

HIT_SPELLINGS_MAX = 8  # sets of hit_fields kept encoded per item
_encode = msgspec.json.encode
_TARGET_TYPES: Mapping[Priority, str] = {
    priority: str(kind.__struct_config__.tag) for kind, priority in PRIORITIES.items()
}


class Tag(Struct, frozen=True):
    """A customization's tag without its body."""

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
    ) -> None:
        self.settings = settings
        self.store = store
        self.mirror = mirror
        self.committer = committer
        self.clock = clock
        self._new_id = new_id
        self._chance = chance or random.Random()
        self._scalars = frozenset(settings.scalar_attributes)
        self._renderings = Renderings()

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
        definition = self._definition(shop, body)
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
        definition = self._definition(shop, body)
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
        if not known.pinned_at(now):
            return False
        if not isinstance(known.target, ItemTarget):
            return True
        number = shop.snapshot.catalog.number(known.target.identity)
        return number is not None and shop.snapshot.catalog.item(number).offered_at(now)

    def _definition(self, shop: Shop, body: bytes) -> Definition:
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
        batch = wire_catalog.read_objects(body)
        objects: Sequence[CatalogObject] = tuple(batch.objects.values())
        if not objects:
            return Written(0, batch.faults, shop.revision)
        write = PutObjects(shop.tracker, objects, self.settings.creator, self.clock())
        committed = await self.committer.commit(write)
        return Written(len(objects), batch.faults, committed.revision)

    async def patch_objects(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults, BodyTooLarge."""
        batch = wire_catalog.read_patches(body)
        if not batch.objects:
            return Written(0, batch.faults, shop.revision)
        committed = await self.committer.commit(
            MergeObjects(shop.tracker, batch.objects, self.settings.creator, self.clock())
        )
        faults = {**batch.faults, **committed.faults}
        return Written(len(batch.objects) - len(committed.faults), faults, committed.revision)

    async def remove_objects(self, shop: Shop, body: bytes) -> Written:
        """Raises CatalogFaults."""
        batch = wire_catalog.read_removals(body)
        if not batch.objects:
            return Written(0, batch.faults, shop.revision)
        committed = await self.committer.commit(
            RemoveObjects(shop.tracker, batch.objects, self.settings.creator, self.clock())
        )
        faults = {**batch.faults, **committed.faults}
        return Written(len(batch.objects) - len(committed.faults), faults, committed.revision)

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

    # Recommendations

    def recommend(self, shop: Shop, requests: Sequence[Request], *, explain: bool = False) -> bytes:
        """The whole answer of one call. No I/O. Raises RecommenderNotFound."""
        now = self.clock()
        found = [self._recommender(shop, request) for request in requests]
        scenes = [
            self.scene(shop, request, recommender, now)
            for request, recommender in zip(requests, found, strict=True)
        ]
        placements = place_page(shop.snapshot.catalog, scenes)
        return recommending.answers_json(
            self._answer(shop, request, recommender, placement, now, explain=explain)
            for request, recommender, placement in zip(requests, found, placements, strict=True)
        )

    def explain(self, shop: Shop, request: Request, *, now: Micros) -> Explanation:
        """One object's placement at any moment, explained; nothing is written."""
        scene = self.scene(shop, request, self._recommender(shop, request), now)
        (placement,) = place_page(shop.snapshot.catalog, [scene])
        return explanation(shop, placement)

    def _recommender(self, shop: Shop, request: Request) -> Recommender:
        recommender = shop.recommenders.find(request.model)
        if recommender is None:
            unknown = {"recommendation_type": [f"Unknown recommender: {request.model}"]}
            raise RecommenderNotFound(details=unknown)
        return recommender

    def scene(self, shop: Shop, request: Request, recommender: Recommender, now: Micros) -> Scene:
        """What placement needs to know of one object of a call."""
        catalog = shop.snapshot.catalog
        field = request.availability_field
        numbers = [number for each in request.items if (number := catalog.number(each)) is not None]
        ranking = recommender.rank(
            Query(
                catalog=catalog,
                items=numbers,
                user=request.user,
                context=request.context,
                count=request.size,
                now=now,
                seed=self._chance,
                available=None if field is None else catalog.available_by(field),
            )
        )
        return Scene(
            shop.snapshot.claims(request.model, request.items),
            ranking,
            Eligibility(
                catalog,
                now=now,
                inputs=request.items,
                blacklist=request.blacklist,
                context=request.context,
                availability_field=field,
            ),
            request.size,
            now,
            request.widget,
        )

    def _answer(
        self,
        shop: Shop,
        request: Request,
        recommender: Recommender,
        placement: Placement,
        now: Micros,
        *,
        explain: bool,
    ) -> bytes:
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
            recommender=recommender.name,
            model_version=shop.recommenders.model_version,
            recommender_version=shop.recommenders.version,
            explanation=_encode(explanation(shop, placement)) if explain else None,
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


def explanation(shop: Shop, placement: Placement) -> Explanation:
    """The engine's judgements in the wire's words."""
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
            each.place,
        )
        for slot, each in enumerate(placement.shown, 1)
    ]
    return Explanation(pins, items)


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
