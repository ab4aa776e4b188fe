"""
Edit and see: one page on which a customization is made or changed, beside what shoppers would get.

A page is one form. Whatever is done to it goes through `try`, which says what it would do and writes nothing: what is
typed, what a button moves, what is dragged. A script asks for the parts that change, and puts them in their places; a
browser without scripts gets the page anew. Only saving writes.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.criteria import VALUES_MAX
from endcap.domain import CustomizationId, Definition, Micros
from endcap.errors import FaultyFields, MalformedBody
from endcap.finders import Finders
from endcap.shops import Shop
from endcap.web import times, words
from endcap.web.conditions import KINDS, OPERATORS
from endcap.web.forms import NotForForms, opened
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.moves import Stage, moved
from endcap.web.one import one_url
from endcap.web.pages import base_of
from endcap.web.past import title_of
from endcap.web.saving import Begun, Saving, begun_of
from endcap.web.sections import DRAFTS
from endcap.web.sheets import PinSheet, Sheet, sheet_from
from endcap.web.shown import Gallery, Thing
from endcap.web.trial import Scene, Trial, Trying, price_of, size_of, trial
from endcap.web.visits import Form, Visit, redirect
from endcap.web.writing import Written, written
from endcap.wire.recommending import SIZE_MAX

UNPROCESSABLE = 422
FOUND_MAX = 12
TEXT_CHARACTERS_MAX = 200
_PIN_FIELD = re.compile(r"p(\d+)-")
_PIN_NUMBER = re.compile(r" ?\(pin (\d+)\)$")
_FIELDS: Mapping[str, str] = {
    "model": "model",
    "target_identity": "item",
    "target_criteria": "t-g0-kind",
    "target_metadata": "title",
    "tags": "tags",
}
"""Members of a document → fields of the form."""
_PIN_MEMBERS: Mapping[str, str] = {
    "pin_identity": "item",
    "pin_criteria": "g0-kind",
    "widget_id": "widget",
    "active_from": "from",
    "active_to": "to",
}


class Hit(Struct, frozen=True):
    """A product that was searched for."""

    thing: Thing
    price: str


class Named(Struct, frozen=True):
    """One of several items that a target names."""

    thing: Thing
    is_unknown: bool


class View(Struct, frozen=True):
    """What a page is made of. `faults` is None while somebody types: then only what is wrong is told."""

    sheet: Sheet
    template: str = "editor"
    faults: Mapping[str, str] | None = None
    said: str = ""
    status: int = 200


class EditorPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._recommending = ground.recommending
        self._drafts = ground.parts.drafts
        self._pages = ground.pages
        self._finders: Finders = ground.finders
        self._saving = Saving(ground)

    def routes(self) -> Sequence[Route]:
        one = f"{TRACKER}/customizations/{{id}}"
        return (
            Route("GET", f"{TRACKER}/drafts/new", "draft", self.new, DRAFTS),
            Route("GET", f"{one}/edit", "draft", self.edit, DRAFTS),
            Route("POST", f"{one}/edit", "draft", self.save, DRAFTS),
            Route("POST", f"{one}/try", "draft", self.attempt, DRAFTS),
        )

    # Opening

    async def new(self, visit: Visit) -> Response:
        """Its id is in the form's address, so that one that is sent twice makes one. A target or a pin may be named."""
        query = visit.query
        item, pinned = (query.get(name)[:TEXT_CHARACTERS_MAX] for name in ("item", "pin"))
        sheet = Sheet(
            model=query.get("model")[:TEXT_CHARACTERS_MAX],
            item=item,
            pins=(PinSheet(slot="1", item=pinned),) if pinned else (),
        )
        return await self._page(visit, Begun(self._drafts.new_id(), 0, 0), View(sheet))

    async def edit(self, visit: Visit) -> Response:
        """The draft, or else what is published, or a version of it. Raises CustomizationNotFound, VersionNotFound."""
        begun, document = await self._saving.opened(visit)
        try:
            sheet = opened(document, self._service.settings.zone)
        except NotForForms:
            wanted = visit.query.number("version")
            query = f"?{urlencode({'version': wanted})}" if wanted else ""
            return redirect(f"{one_url(visit.place, begun.id)}/json{query}")
        return await self._page(visit, begun, View(sheet))

    # Trying

    async def attempt(self, visit: Visit) -> Response:
        """What is typed, and what a button does to it; nothing is written."""
        form, begun = visit.form, begun_of(visit)
        sheet, move = sheet_from(form), form.get("do")
        if not move or move == "show":
            template = "editor_told" if visit.wants_part else "editor"
            return await self._page(visit, begun, View(sheet, template))
        before = await asyncio.to_thread(self._trial, visit, begun, sheet)
        name = self._gallery(visit.place).title
        sheet, said = moved(sheet, move, Stage(name, before.awake))
        return await self._page(visit, begun, View(sheet, said=said or "Nothing was changed"))

    # Saving

    async def save(self, visit: Visit) -> Response:
        """A draft; published now or at a time where that is asked for."""
        form, begun, zone = visit.form, begun_of(visit), self._service.settings.zone
        sheet, does = sheet_from(form), form.get("do")
        document = written(sheet, zone)
        faults = dict(document.faults)
        definition = self._read(visit.place, document, faults)
        publish_at: Micros | None = None
        if does == "schedule":
            try:
                publish_at = times.read_field(form.get("publish-at"), zone, "publish-at")
                self._drafts.check_time(publish_at, now=self._service.clock())
            except FaultyFields as problem:
                faults["publish-at"] = "; ".join(
                    each for told in problem.details.values() for each in told
                )
        if faults or definition is None:
            view = View(sheet, faults=faults, status=UNPROCESSABLE)
            return await self._page(visit, begun, view)
        return await self._saving.save(
            visit, begun, definition, publishes=does == "publish", publish_at=publish_at
        )

    def _read(self, shop: Shop, document: Written, faults: dict[str, str]) -> Definition | None:
        """What the document says; its faults by the fields of the form."""
        if document.document is None:
            return None
        try:
            return self._service.read(shop, document.document)
        except (FaultyFields, MalformedBody) as problem:
            for member, messages in problem.details.items():
                for message in messages:
                    field, text = _field_of(member, message, document.pins)
                    faults.setdefault(field, text)
        return None

    # The page

    async def _page(self, visit: Visit, begun: Begun, view: View) -> Response:
        return await asyncio.to_thread(self._render, visit, begun, view)

    def _render(self, visit: Visit, begun: Begun, view: View) -> Response:
        shop, form, settings = visit.place, visit.form, self._service.settings
        sheet, gallery, now = view.sheet, self._gallery(shop), self._service.clock()
        document = written(sheet, settings.zone)
        shown = view.faults
        if shown is None:  # who is still typing is told what is wrong, not what is missing
            shown = {k: v for k, v in document.faults.items() if k not in document.lacking}
        tried = self._trial(visit, begun, sheet, document)
        find = (form.get("find") or visit.query.get("find"))[:TEXT_CHARACTERS_MAX]
        content: dict[str, Any] = {
            "sheet": sheet,
            "faults": shown,
            "failed": {k: _whole_fault(k, text) for k, text in (view.faults or {}).items()},
            "said": view.said,
            "trial": tried,
            "counts": {each.prefix: each for each in tried.counts},
            "things": _things(sheet, gallery),
            "several": _several(sheet, shop, gallery),
            "target_thing": gallery.item(sheet.item) if sheet.item else None,
            "hits": self._hits(shop, gallery, find),
            "find": find,
            "scene": _typed_scene(form, visit.query),
            "compares": form.get("s-compare") == "1",
            "at_text": words.full_text(tried.at, settings.zone),
            "models": _models(shop),
            "is_new": begun.base == begun.drafted == 0,
            "title": _title(shop, begun, gallery, document),
            "begun": begun,
            "operators": OPERATORS,
            "kinds": KINDS,
            "zone": settings.console_time_zone,
            "size_max": SIZE_MAX,
            "publish_at": form.get("publish-at"),
            "now_text": times.field_text(now, settings.zone)[:16],
            "url": one_url(shop, begun.id),
            "list_url": f"{base_of(shop.tracker)}/customizations",
        }
        return self._pages.answer(view.template, visit, status=view.status, **content)

    def _trial(
        self, visit: Visit, begun: Begun, sheet: Sheet, document: Written | None = None
    ) -> Trial:
        shop, settings = visit.place, self._service.settings
        now = self._service.clock()
        known = shop.snapshot.rules.customization(begun.id)
        created_at = now if known is None else known.created_at
        if known is None and begun.drafted:
            draft = self._drafts.store.draft(shop.tracker, begun.id)
            created_at = now if draft is None else draft.created_at
        return trial(
            Trying(
                self._service,
                self._recommending,
                shop,
                begun.id,
                created_at,
                sheet,
                written(sheet, settings.zone) if document is None else document,
                self._scene(visit.form if visit.form.pairs else visit.query),
                now,
            )
        )

    def _scene(self, form: Form) -> Scene:
        """A moment that cannot be read is now: the field says which one is shown."""
        at: Micros | None = None
        if typed := form.get("s-at"):
            try:
                at = times.read_field(typed, self._service.settings.zone, "s-at")
            except FaultyFields:
                at = None
        return Scene(
            form.get("s-widget")[:TEXT_CHARACTERS_MAX],
            size_of(form.get("s-size")),
            form.get("s-input"),
            form.get("s-shopper")[:TEXT_CHARACTERS_MAX],
            at,
        )

    def _hits(self, shop: Shop, gallery: Gallery, text: str) -> list[Hit]:
        if not text:
            return []
        catalog = shop.snapshot.catalog
        finder = self._finders.of(shop)
        identities = [
            finder.catalog.identity(each) for each in finder.find(text, FOUND_MAX).numbers
        ]
        return [Hit(gallery.item(each), price_of(catalog, each)) for each in identities]

    def _gallery(self, shop: Shop) -> Gallery:
        return Gallery(shop.snapshot.catalog, self._service.clock(), self._service.settings)


def _things(sheet: Sheet, gallery: Gallery) -> list[Thing | None]:
    """What the pins of items look like."""
    return [
        gallery.item(pin.item) if pin.what == "item" and pin.item else None for pin in sheet.pins
    ]


def _several(sheet: Sheet, shop: Shop, gallery: Gallery) -> list[Named]:
    """Each item that the target names, once."""
    if sheet.target != "several":
        return []
    lines = dict.fromkeys(line.strip() for line in sheet.items.splitlines())
    identities = [each for each in lines if each][:VALUES_MAX]
    numbers = shop.snapshot.catalog.numbers_of(identities)
    return [
        Named(gallery.item(each), number is None)
        for each, number in zip(identities, numbers, strict=True)
    ]


def _typed_scene(form: Form, query: Form) -> Mapping[str, str]:
    """The fields of the scene, as they were typed."""
    names = ("widget", "size", "input", "shopper", "at")
    return {name: (form.get(f"s-{name}") or query.get(f"s-{name}"))[:2_000] for name in names}


def _models(shop: Shop) -> list[str]:
    """Recommenders to choose from, by name."""
    return sorted({*shop.models, *shop.recommenders.names})


def _title(shop: Shop, begun: Begun, gallery: Gallery, document: Written) -> str:
    if begun.is_new:
        return "New customization"
    return title_of(shop, CustomizationId(begun.id), gallery, document.document)


def _whole_fault(field: str, text: str) -> str:
    """A fault as it is told away from its field."""
    found = _PIN_FIELD.match(field)
    return text if found is None else f"Pin {int(found[1]) + 1}: {text}"


def _field_of(member: str, message: str, pins: Sequence[int]) -> tuple[str, str]:
    """The field of the form that a fault of a document is about, and what to say there."""
    found = _PIN_NUMBER.search(message)
    if found is None or int(found[1]) >= len(pins):
        return _FIELDS.get(member, "general"), message
    name = message.partition(":")[0]
    field = _PIN_MEMBERS.get(name, "slot")
    text = _PIN_NUMBER.sub("", message).removeprefix(f"{name}: ")
    return f"p{pins[int(found[1])]}-{field}", text
