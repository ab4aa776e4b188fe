"""
The verbs: what can be done with customizations and models, whoever asks.

API, commands and the console call these, and those on the catalog, which are in `objects`. A verb takes bytes or values
that the wire understands, speaks to the mirror and the store, and answers with bytes ready to send. It knows nothing of
HTTP: problems are raised, statuses are the caller's.
"""

import hashlib
import zlib
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from endcap import criteria, modelling
from endcap.clock import Clock, NewId, random_id, system_clock
from endcap.committer import Committer
from endcap.config import Settings
from endcap.domain import (
    Customization,
    CustomizationId,
    Definition,
    ItemTarget,
    Pin,
    Record,
)
from endcap.errors import CustomizationNotFound, FaultyFields
from endcap.mirror import Mirror
from endcap.renderings import Rendered, Renderings
from endcap.shops import Shop
from endcap.store.port import Store
from endcap.store.writes import (
    CreateCustomization,
    DeleteCustomization,
    Idempotency,
    RemoveModel,
    ReplaceCustomization,
)
from endcap.telemetry import log
from endcap.wire import customizations as wire
from endcap.wire.listing import Export, Listing

_encode = msgspec.json.encode


class Tag(Struct, frozen=True):
    """A customization's tag without its body."""

    etag: str
    revision: int


class TaggedModel(Struct, frozen=True):
    """A model as it is told, with its tag and the revision that it was seen at."""

    body: bytes
    etag: str
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
    ) -> None:
        self.settings = settings
        self.store = store
        self.mirror = mirror
        self.committer = committer
        self.clock = clock
        self._new_id = new_id
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
