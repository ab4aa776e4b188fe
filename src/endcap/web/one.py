"""
One customization: what it says, what becomes of its pins at this moment, and everything that was done to it.
"""

import asyncio
import re
from collections import deque
from collections.abc import Mapping, Sequence
from itertools import islice

from msgspec import Struct

from endcap.api.http import Response
from endcap.api.threads import ask
from endcap.domain import (
    IDENTITY_CHARACTERS_MAX,
    CriteriaTarget,
    Customization,
    CustomizationId,
    Draft,
    ItemId,
    ItemTarget,
    Micros,
    Record,
)
from endcap.errors import CustomizationNotFound, Problem
from endcap.shops import Shop
from endcap.store.states import ChangeRow
from endcap.verdicts import meaning
from endcap.web import words
from endcap.web.diff import Change, changes
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.pages import base_of
from endcap.web.sections import CUSTOMIZATIONS
from endcap.web.shown import Gallery, Thing
from endcap.web.toasts import told_of
from endcap.web.visits import Form, Visit, redirect
from endcap.wire.customizations import definition_of
from endcap.wire.recommending import SIZE_DEFAULT, SIZE_MAX, Explanation, Request

HISTORY_SHOWN = 5
HISTORY_MAX = 200
_ID = re.compile(r"[0-9a-z-]{1,64}", re.ASCII | re.IGNORECASE)
ACTION_WORDS = {"create": "Created", "replace": "Changed", "delete": "Deleted"}
SHOWN_VERDICTS = frozenset({"placed", "moved", "blocks"})
VERDICT_WORDS: Mapping[str, str] = {
    "placed": "Shown",
    "moved": "Shown, moved",
    "asleep": "Asleep",
    "other_widget": "Other widget",
    "not_in_catalog": "Not in the catalog",
    "unavailable": "Unavailable",
    "wrong_type": "Not an item",
    "blacklisted": "Excluded",
    "input_item": "Looked at",
    "context": "Out of context",
    "shown_elsewhere": "Shown elsewhere",
    "blocked": "Blocked",
    "duplicate": "Pinned twice",
    "no_match": "No match",
    "beyond_size": "Beyond the end",
    "blocks": "Keeps out",
}


class Entry(Struct, frozen=True):
    """A line of the history."""

    revision: int
    what: str
    who: str
    when: str
    when_iso: str
    ago: str
    changes: Sequence[Change]
    has_version: bool = False
    """Whether it left one that can be had back."""


class Judged(Struct, frozen=True):
    """What became of a pin."""

    word: str
    because: str
    slot: int | None
    is_shown: bool


class SlotShown(Struct, frozen=True):
    slot: int
    thing: Thing
    source: str
    url: str
    is_own: bool


class Moment(Struct, frozen=True):
    """One answer, explained: as a shopper would get it now. `problem` where there is none."""

    input: str
    widget: str
    size: int
    asks_for_input: bool
    slots: Sequence[SlotShown] = ()
    verdicts: Mapping[int, Judged] = {}
    speaks: bool = False
    problem: str = ""


class OnePages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._recommending = ground.recommending
        self._pages = ground.pages

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/customizations/{{id}}"
        return (
            Route("GET", path, "look", self.one, CUSTOMIZATIONS),
            Route("GET", f"{path}/history", "look", self.history, CUSTOMIZATIONS),
        )

    async def one(self, visit: Visit) -> Response:
        """Raises CustomizationNotFound."""
        id_ = id_of_path(visit)
        shop = visit.place
        store = self._service.store
        record = await ask(lambda: store.customization(shop.tracker, id_), inline=store.inline)
        if record is None:
            if await asyncio.to_thread(store.draft, shop.tracker, id_) is not None:
                return redirect(f"{one_url(shop, id_)}/draft")
            lines = await self._lines(shop, id_, 1)
            if not lines:
                raise CustomizationNotFound
            return await self.history(visit)
        lines = await self._lines(shop, id_, HISTORY_SHOWN + 1)
        draft = await asyncio.to_thread(store.draft, shop.tracker, id_)
        return await asyncio.to_thread(self._one, visit, record, draft, lines)

    async def history(self, visit: Visit) -> Response:
        """Of one that is there or was. Raises CustomizationNotFound."""
        id_, shop = id_of_path(visit), visit.place
        lines = await self._lines(shop, id_, HISTORY_MAX + 1)
        if not lines:
            raise CustomizationNotFound
        now = self._service.clock()
        gallery = Gallery(shop.snapshot.catalog, now, self._service.settings)
        known = shop.snapshot.rules.customization(id_)
        return self._pages.answer(
            "history",
            visit,
            id=id_,
            is_gone=lines[-1].action == "delete",
            target=None if known is None else gallery.target(known),
            entries=_entries(lines[-HISTORY_MAX:], gallery, now),
            is_cut=len(lines) > HISTORY_MAX,
            history_max=HISTORY_MAX,
            told=told_of(visit.query),
            url=one_url(shop, id_),
        )

    async def _lines(self, shop: Shop, id_: CustomizationId, last: int) -> list[ChangeRow]:
        """The last lines of the log of one customization, oldest first."""
        store = self._service.store

        def read() -> list[ChangeRow]:
            lines = store.history(shop.tracker, subject=id_)
            return list(deque((line for line in lines if line.kind == "customization"), last))

        return await asyncio.to_thread(read)

    def _one(
        self, visit: Visit, record: Record, draft: Draft | None, lines: Sequence[ChangeRow]
    ) -> Response:
        shop, now = visit.place, self._service.clock()
        known = _understood(shop, record)
        gallery = Gallery(shop.snapshot.catalog, now, self._service.settings)
        row = gallery.row(known)
        return self._pages.answer(
            "one",
            visit,
            row=row,
            pins=gallery.pins(known.pins),
            is_disabled=known.disabled,
            criteria=words.rule_text(known.target.rule)
            if isinstance(known.target, CriteriaTarget)
            else "",
            created=words.full_text(known.created_at, gallery.zone),
            moment=self._moment(visit, known, gallery, now),
            json=words.pretty_json(self._service.render(shop, record).body)
            if not known.unreadable
            else record.document.decode(errors="replace"),
            entries=_entries(lines[-HISTORY_SHOWN:], gallery, now),
            has_more=len(lines) > HISTORY_SHOWN,
            draft=None if draft is None else _draft_shown(draft, now),
            told=told_of(visit.query),
            url=one_url(shop, record.id),
            now=words.full_text(now, gallery.zone),
            size_max=SIZE_MAX,
        )

    def _moment(self, visit: Visit, known: Customization, gallery: Gallery, now: Micros) -> Moment:
        """The explanation of one answer, for the widget and the item that are asked for."""
        shop, query = visit.place, visit.query
        typed = query.get("input")[:IDENTITY_CHARACTERS_MAX]
        input_ = typed if "input" in dict(query.pairs) else _usual_input(shop, known)
        widget = query.get("widget")[:IDENTITY_CHARACTERS_MAX] or _usual_widget(known, query)
        asked = Moment(input_, widget, _size(query), True)
        items = (ItemId(input_),) if input_ else ()
        request = Request(known.model, widget or None, items=items, size=asked.size)
        try:
            explained = self._recommending.explain(shop, request, now=now)
        except Problem as problem:
            return Moment(
                input_, widget, asked.size, True, problem=f"{problem.reason}: {known.model}"
            )
        verdicts = _verdicts(explained, known)
        return Moment(
            input_,
            widget,
            asked.size,
            True,
            _slots(shop, explained, known, gallery),
            verdicts,
            bool(verdicts) or (not known.pins and not known.is_silent),
        )


class DraftShown(Struct, frozen=True):
    """That there is one, on the page of what is published."""

    author: str
    ago: str
    publish_at: str
    held: str


def _draft_shown(draft: Draft, now: Micros) -> DraftShown:
    at = draft.publish_at
    return DraftShown(
        draft.author,
        words.ago(draft.updated_at, now),
        "" if at is None else words.full_text(at),
        draft.held or "",
    )


def id_of_path(visit: Visit) -> CustomizationId:
    """Raises CustomizationNotFound."""
    text = visit.request.parameters["id"]
    if not _ID.fullmatch(text):
        raise CustomizationNotFound
    return CustomizationId(text.lower())


def one_url(shop: Shop, id_: CustomizationId) -> str:
    return f"{base_of(shop.tracker)}/customizations/{id_}"


def _understood(shop: Shop, record: Record) -> Customization:
    """As the mirror has it; where that is older, or nobody understands it, as the record says."""
    known = shop.snapshot.rules.customization(record.id)
    if known is not None and known.revision == record.revision:
        return known
    try:
        return Customization.of(record, definition_of(record))
    except Problem:
        return Customization.unread(record)


def _usual_input(shop: Shop, known: Customization) -> str:
    """An item for which it speaks: its target, or the most popular that meets the criteria."""
    match known.target:
        case ItemTarget(identity):
            return identity
        case CriteriaTarget(rule):
            catalog = shop.snapshot.catalog
            first = next(islice(catalog.matches(rule).in_order(), 1), None)
            return "" if first is None else catalog.identity(first)
        case _:
            return ""


def _usual_widget(known: Customization, query: Form) -> str:
    """The one that its pins name, unless another one, or none, is asked for."""
    if "widget" in dict(query.pairs):
        return ""
    return next((pin.widget for pin in known.pins if pin.widget), "")


def _size(query: Form) -> int:
    text = query.get("size")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else SIZE_DEFAULT
    return max(1, min(number, SIZE_MAX))


def _verdicts(explained: Explanation, known: Customization) -> dict[int, Judged]:
    """By the pin's number, as people count."""
    return {
        pin.pin + 1: Judged(
            VERDICT_WORDS.get(pin.verdict, pin.verdict),
            meaning(pin.verdict, pin.because),
            pin.slot,
            pin.verdict in SHOWN_VERDICTS,
        )
        for pin in explained.pins
        if pin.customization_id == known.id
    }


def _slots(
    shop: Shop, explained: Explanation, known: Customization, gallery: Gallery
) -> list[SlotShown]:
    slots = []
    for each in explained.items:
        is_own = each.customization_id == known.id
        if each.pin is not None:
            source = f"pin {each.pin + 1}" + ("" if is_own else " of another customization")
        elif each.from_ == "ranking":
            source = "recommender" if each.place is None else f"recommender, place {each.place}"
        else:
            source = "fallback: popular items"
        other = each.customization_id if not is_own else None
        url = "" if other is None else one_url(shop, CustomizationId(other))
        slots.append(SlotShown(each.slot, gallery.item(each.url), source, url, is_own))
    return slots


def _entries(lines: Sequence[ChangeRow], gallery: Gallery, now: Micros) -> list[Entry]:
    """The newest first."""
    return [
        Entry(
            line.revision,
            ACTION_WORDS[line.action],
            line.actor,
            words.full_text(line.at, gallery.zone),
            words.iso(line.at),
            words.ago(line.at, now),
            changes(line.old, line.new, gallery.title, gallery.zone),
            line.new is not None,
        )
        for line in reversed(lines)
    ]
