"""
Drafts: the list of them, one beside what is published, its JSON to edit, and the page where one of two editors chooses.

Whoever saves or publishes says which revisions they began with. Where somebody else was faster nothing is written: the
page shows both versions beside the one that both began with, and every field that differs is a choice. What was typed
travels in that page's form, so it is lost nowhere.
"""

import asyncio
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, cast
from urllib.parse import urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.domain import CustomizationId, Draft, Micros
from endcap.drafts import Standing
from endcap.errors import DraftNotFound, FaultyFields, MalformedBody
from endcap.shops import Shop
from endcap.web import times, words
from endcap.web.diff import changes
from endcap.web.forms import NotForForms, opened
from endcap.web.merge import Side, merged
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.one import id_of_path, one_url
from endcap.web.pages import base_of
from endcap.web.past import title_of
from endcap.web.saving import Begun, Saving, begun_of
from endcap.web.sections import DRAFTS
from endcap.web.shown import Gallery
from endcap.web.toasts import told_of
from endcap.web.visits import Form, Visit, redirect
from endcap.wire.customizations import read_definition
from endcap.wire.reading import UNREADABLE
from endcap.wire.versions import version_from, version_of

PAGE_SIZE = 50
PAGES_MAX = 10**9  # how far an address may turn: databases count rows in 64 bits
CONFLICT = 409
UNPROCESSABLE = 422
NEW_DOCUMENT = """{
  "model": "",
  "target_type": "all",
  "pin_definitions": []
}"""


class Row(Struct, frozen=True):
    """A draft, on the page of all of them."""

    id: str
    title: str
    url: str
    author: str
    updated: str
    updated_iso: str
    updated_full: str
    is_new: bool
    is_moved: bool
    publish_at: str
    publisher: str
    held: str


class DraftPages(PageModule):
    sections = (DRAFTS,)

    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._drafts = ground.parts.drafts
        self._pages = ground.pages
        self._saving = Saving(ground)
        self._zone = ground.service.settings.zone

    def routes(self) -> list[Route]:
        one = f"{TRACKER}/customizations/{{id}}"
        return [
            Route("GET", f"{TRACKER}/drafts", "look", self.listing, DRAFTS),
            Route("GET", f"{TRACKER}/drafts/new-json", "draft", self.new, DRAFTS),
            Route("GET", f"{one}/draft", "look", self.draft, DRAFTS),
            Route("GET", f"{one}/json", "draft", self.edit, DRAFTS),
            Route("POST", f"{one}/json", "draft", self.save, DRAFTS),
            Route("POST", f"{one}/merge", "draft", self.merge, DRAFTS),
            Route("POST", f"{one}/discard", "draft", self.discard, DRAFTS),
            Route("POST", f"{one}/publish", "change", self.publish, DRAFTS),
            Route("POST", f"{one}/schedule", "change", self.schedule, DRAFTS),
            Route("POST", f"{one}/unpublish", "change", self.unpublish, DRAFTS),
        ]

    # Looking

    async def listing(self, visit: Visit) -> Response:
        shop, page = visit.place, min(max(1, visit.query.number("page")), PAGES_MAX)
        store, tracker = self._drafts.store, shop.tracker

        def read() -> tuple[int, list[Draft], set[CustomizationId]]:
            found = list(store.drafts(tracker, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE))
            records = store.customizations(tracker, [each.id for each in found])
            moved = {each.id for each in found if Standing(records.get(each.id), each).is_moved}
            return store.count_drafts(tracker), found, moved

        total, found, moved = await asyncio.to_thread(read)
        gallery, now = self._gallery(shop), self._service.clock()
        url = f"{base_of(tracker)}/drafts"
        return self._pages.answer(
            "drafts",
            visit,
            total=total,
            rows=[_row(shop, each, gallery, now, is_moved=each.id in moved) for each in found],
            previous=f"{url}?page={page - 1}" if page > 1 else "",
            next=f"{url}?page={page + 1}" if page * PAGE_SIZE < total else "",
            url=url,
            told=told_of(visit.query),
        )

    async def draft(self, visit: Visit) -> Response:
        """Raises DraftNotFound."""
        shop, id_ = visit.place, id_of_path(visit)
        standing = await self._standing(shop, id_)
        if standing.draft is None:
            raise DraftNotFound
        return self._draft_page(visit, shop, standing.draft, standing)

    def _draft_page(
        self, visit: Visit, shop: Shop, draft: Draft, standing: Standing, **more: Any
    ) -> Response:
        gallery, now = self._gallery(shop), self._service.clock()
        published = None if standing.record is None else version_of(standing.record)
        content: dict[str, Any] = {
            "row": _row(shop, draft, gallery, now, is_moved=standing.is_moved),
            "changes": changes(published, draft.document, gallery.title, gallery.zone),
            "json": pretty(draft.document),
            "revision": draft.revision,
            "published": standing.published,
            "url": one_url(shop, draft.id),
            "now": times.field_text(now, self._zone)[
                :16
            ],  # a browser counts its steps, minutes, from there
            "zone": self._service.settings.console_time_zone,
            "told": told_of(visit.query),
        }
        return self._pages.answer("draft", visit, **content, **more)

    # Editing

    async def new(self, visit: Visit) -> Response:
        """Its id is in the form, so that one that is sent twice makes one."""
        return self._edit_page(visit, Begun(self._drafts.new_id(), 0, 0), NEW_DOCUMENT)

    async def edit(self, visit: Visit) -> Response:
        """The draft, or else what is published, or a version of it. Raises CustomizationNotFound, VersionNotFound."""
        begun, document = await self._saving.opened(visit)
        return self._edit_page(visit, begun, pretty(document))

    async def save(self, visit: Visit) -> Response:
        return await self._saved(visit, visit.form.exact("document"))

    async def merge(self, visit: Visit) -> Response:
        """What was chosen on the page of two versions, saved over both. Raises FaultyFields."""
        form = visit.form
        mine, theirs = form.exact("mine").encode(), form.exact("theirs").encode()
        keep = form.get("keep")
        if keep in ("mine", "theirs"):
            chosen = mine if keep == "mine" else theirs
        else:
            chosen = merged(mine, theirs, _choices(form))
        return await self._saved(visit, chosen.decode())

    async def _saved(self, visit: Visit, text: str) -> Response:
        """Saves a draft, and publishes it where that is asked for."""
        begun = begun_of(visit)
        try:
            definition = self._service.read(visit.place, text.encode())
        except (FaultyFields, MalformedBody) as problem:
            return self._edit_page(visit, begun, text, problem)
        publishes = visit.form.get("do") == "publish"
        return await self._saving.save(visit, begun, definition, publishes=publishes)

    def _edit_page(
        self,
        visit: Visit,
        begun: Begun,
        text: str,
        problem: FaultyFields | MalformedBody | None = None,
    ) -> Response:
        shop, why = visit.place, ""
        if problem is None and not begun.is_new:
            try:
                opened(text.encode(), self._zone)
            except NotForForms as reason:
                why = str(reason)
        title = title_of(shop, begun.id, self._gallery(shop), _version(text))
        return self._pages.answer(
            "edit",
            visit,
            status=200 if problem is None else UNPROCESSABLE,
            is_new=begun.is_new,
            title="New customization" if begun.is_new else title,
            document=text,
            why=why,
            problem=problem,
            base_revision=begun.base,
            draft_revision=begun.drafted,
            url=one_url(shop, begun.id),
        )

    # Publishing

    async def publish(self, visit: Visit) -> Response:
        """Raises DraftNotFound, DraftConflict; where somebody changed what is published, both are shown."""
        id_ = id_of_path(visit)
        return await self._saving.publish(visit, id_, visit.form.number("draft"))

    async def schedule(self, visit: Visit) -> Response:
        """Raises DraftNotFound, DraftConflict, FaultyFields."""
        shop, id_, form = visit.place, id_of_path(visit), visit.form
        cancels = form.get("do") == "cancel"
        at = None if cancels else _moment(form, self._zone)
        await self._drafts.schedule(
            shop.tracker,
            id_,
            at,
            actor=visit.user.name,
            now=self._service.clock(),
            expected=form.number("draft"),
        )
        did = "unschedule" if cancels else "schedule"
        return redirect(f"{one_url(shop, id_)}/draft?did={did}&changed=1")

    async def discard(self, visit: Visit) -> Response:
        """Raises DraftNotFound, DraftConflict."""
        shop, id_ = visit.place, id_of_path(visit)
        await self._drafts.discard(
            shop.tracker,
            id_,
            actor=visit.user.name,
            now=self._service.clock(),
            expected=visit.form.number("draft"),
        )
        return redirect(f"{base_of(shop.tracker)}/drafts?did=discard&changed=1")

    async def unpublish(self, visit: Visit) -> Response:
        """Raises CustomizationNotFound, RevisionConflict."""
        shop, id_ = visit.place, id_of_path(visit)
        await self._drafts.unpublish(
            shop.tracker,
            id_,
            actor=visit.user.name,
            now=self._service.clock(),
            expected=frozenset({visit.form.number("revision")}),
        )
        return redirect(
            f"{one_url(shop, id_)}/draft?{urlencode({'did': 'unpublish', 'changed': 1})}"
        )

    async def _standing(self, shop: Shop, id_: CustomizationId) -> Standing:
        return await asyncio.to_thread(self._drafts.standing, shop.tracker, id_)

    def _gallery(self, shop: Shop) -> Gallery:
        return Gallery(shop.snapshot.catalog, self._service.clock(), self._service.settings)


def pretty(document: bytes) -> str:
    """What cannot be read is shown as it is."""
    try:
        return words.pretty_json(document)
    except ValueError:
        return document.decode(errors="replace")


def _moment(form: Form, zone: tzinfo) -> Micros:
    """Raises FaultyFields."""
    text = form.get("at")
    if not text:
        told = "Choose the day and the time"
        raise FaultyFields("No moment was chosen", {"at": [told]})
    return times.read_field(text, zone, "at")


def _choices(form: Form) -> Mapping[str, Side]:
    return {
        key.removeprefix("take-"): cast("Side", value)
        for key, value in form.pairs
        if key.startswith("take-") and value in ("mine", "theirs")
    }


def _version(text: str) -> bytes | None:
    try:
        return version_from(read_definition(text.encode()))
    except (FaultyFields, MalformedBody, *UNREADABLE):
        return None


def _row(shop: Shop, draft: Draft, gallery: Gallery, now: Micros, *, is_moved: bool) -> Row:
    at, zone = draft.publish_at, gallery.zone
    return Row(
        draft.id,
        gallery.version(draft.document) or title_of(shop, draft.id, gallery, draft.document),
        f"{one_url(shop, draft.id)}/draft",
        draft.author,
        words.ago(draft.updated_at, now),
        words.iso(draft.updated_at),
        words.full_text(draft.updated_at, zone),
        draft.base is None,
        is_moved,
        "" if at is None else f"{words.full_text(at, zone)} ({words.ago(at, now)})",
        draft.publisher or "",
        draft.held or "",
    )
