"""
Changing many customizations at once: what it would do is shown first, and done when that is confirmed.

What is chosen comes as `pick` fields, id and revision each, or, for all that match, as the list's own query with a
fingerprint of what it found. When the fingerprint is another one by then, the user is asked again.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
from msgspec import Struct

from endcap.api.http import Response
from endcap.bulk import (
    SAMPLE,
    Action,
    Delete,
    Done,
    Shift,
    Switch,
    Tag,
    Untag,
    plan,
    read_shift,
    read_tags,
)
from endcap.domain import Customization, CustomizationId, Micros, Window
from endcap.errors import FaultyFields, UsageFault
from endcap.store.states import ChangeRow
from endcap.telemetry import log
from endcap.web import access, words
from endcap.web.lists import list_url, query_of, read_asked
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.pages import base_of
from endcap.web.sections import CUSTOMIZATIONS
from endcap.web.shown import Gallery
from endcap.web.toasts import told_query
from endcap.web.visits import Form, Visit, redirect
from endcap.wire.reading import UNREADABLE

_PICK = re.compile(r"([0-9a-zA-Z-]{1,64}):(\d{1,18})", re.ASCII)
PAGES = frozenset({"health", "calendar"})
"""Below a tracker's path: where else an action may be undone from."""
FIELDS_SHOWN = ("tags", "amount", "unit")


class Choice(Struct, frozen=True):
    """What the user chose, as it is now. `stale` are those picked that are gone or others by now."""

    customizations: Sequence[Customization]
    fingerprint: str
    stale: int
    is_all: bool


class ChangePages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._rosters = ground.rosters
        self._bulk = ground.bulk
        self._pages = ground.pages

    def routes(self) -> Sequence[Route]:
        change = f"{TRACKER}/change"
        return (
            Route("POST", f"{change}/tag", "tag", self.tag, CUSTOMIZATIONS),
            Route("POST", f"{change}/untag", "tag", self.untag, CUSTOMIZATIONS),
            Route("POST", f"{change}/enable", "change", self.enable, CUSTOMIZATIONS),
            Route("POST", f"{change}/disable", "change", self.disable, CUSTOMIZATIONS),
            Route("POST", f"{change}/shift", "change", self.shift, CUSTOMIZATIONS),
            Route("POST", f"{change}/delete", "change", self.delete, CUSTOMIZATIONS),
            Route("POST", f"{TRACKER}/undo", "undo", self.undo, CUSTOMIZATIONS),
        )

    async def tag(self, visit: Visit) -> Response:
        return await self._change(visit, "tag", Tag(read_tags(visit.form.get("tags"))))

    async def untag(self, visit: Visit) -> Response:
        return await self._change(visit, "untag", Untag(read_tags(visit.form.get("tags"))))

    async def enable(self, visit: Visit) -> Response:
        return await self._change(visit, "enable", Switch(disabled=False))

    async def disable(self, visit: Visit) -> Response:
        return await self._change(visit, "disable", Switch(disabled=True))

    async def shift(self, visit: Visit) -> Response:
        action = read_shift(visit.form.get("amount"), visit.form.get("unit"))
        return await self._change(visit, "shift", action)

    async def delete(self, visit: Visit) -> Response:
        return await self._change(visit, "delete", Delete())

    async def undo(self, visit: Visit) -> Response:
        """Of what this user did last: tags alone may be taken back by who may tag."""
        form, who, tracker = visit.form, visit.user, visit.place.tracker
        at, after, through = (form.number(name) for name in ("at", "after", "through"))
        lines = await asyncio.to_thread(
            lambda: self._bulk.lines(
                tracker, actor=who.name, at=Micros(at), after=after, through=through
            )
        )
        if not lines:
            raise UsageFault("There is nothing of yours to undo here any more")
        if not all(map(is_about_tags, lines)):
            access.check(who, "change", tracker)
        done = await self._bulk.undo(
            tracker,
            actor=who.name,
            at=Micros(at),
            after=after,
            through=through,
            now=self._service.clock(),
        )
        return self._back(visit, "undo", done)

    async def _change(self, visit: Visit, name: str, action: Action) -> Response:
        choice = await asyncio.to_thread(self._chosen, visit)
        if visit.form.get("confirmed") == choice.fingerprint != "":
            chosen = {each.id: each.revision for each in choice.customizations}
            done = await self._bulk.do(
                visit.place.tracker,
                action,
                chosen,
                actor=visit.user.name,
                now=self._service.clock(),
            )
            log.info(
                "customizations changed",
                tracker=visit.place.tracker,
                user=visit.user.name,
                action=name,
                changed=done.changed,
            )
            return self._back(visit, name, done)
        return await asyncio.to_thread(self._confirm, visit, name, action, choice)

    def _confirm(self, visit: Visit, name: str, action: Action, choice: Choice) -> Response:
        """What would change, and the form that says yes."""
        planned = plan(action, choice.customizations)
        now = self._service.clock()
        gallery = Gallery(visit.place.snapshot.catalog, now, self._service.settings)
        form = visit.form
        kept = [
            (key, value)
            for key, value in form.pairs
            if key in (*FIELDS_SHOWN, "query", "back", "all")
        ]
        if not choice.is_all:
            kept += [("pick", f"{each.id}:{each.revision}") for each in choice.customizations]
        return self._pages.answer(
            "confirm",
            visit,
            name=name,
            sentence=sentence(action, len(planned.changes)),
            consequence=consequence(action),
            planned=planned,
            count=len(planned.changes),
            sample=[
                (gallery.row(each), self._effect(action, each)) for each in planned.changes[:SAMPLE]
            ],
            more=len(planned.changes) - min(SAMPLE, len(planned.changes)),
            refused=sorted(set(planned.refused.values())),
            stale=choice.stale,
            was_asked=bool(form.get("confirmed")),
            fields=kept,
            fingerprint=choice.fingerprint,
            back=self._back_url(visit),
        )

    def _effect(self, action: Action, each: Customization) -> str:
        """What happens to one, where that is not the same for all."""
        if isinstance(action, Tag):
            return "+ " + ", ".join(tag for tag in action.tags if tag not in each.tags)
        if isinstance(action, Untag):
            return "− " + ", ".join(tag for tag in action.tags if tag in each.tags)
        if isinstance(action, Shift):
            zone, hours = self._service.settings.zone, action.hours
            moved = [_moved(pin.window, hours, zone) for pin in each.pins]
            return "; ".join(dict.fromkeys(each for each in moved if each))
        return ""

    def _chosen(self, visit: Visit) -> Choice:
        """Raises UsageFault, FaultyFields."""
        roster = self._rosters.of(visit.place)
        form = visit.form
        if form.get("all"):
            asked = read_asked(Form(parse_qsl(form.get("query"), max_num_fields=200)))
            found = roster.find(
                asked.question,
                self._service.clock(),
                order=asked.order,
                descending=asked.descending,
            )
            return Choice(
                roster.customizations(found.rows), roster.fingerprint(found.rows), 0, True
            )
        picked = read_picks(form.all("pick"))
        if not picked:
            raise UsageFault(
                "Nothing is chosen: go back, tick at least one customization, and repeat"
            )
        now_there = [
            (roster.rules.customization(id_), revision) for id_, revision in picked.items()
        ]
        chosen = [each for each, revision in now_there if each and each.revision == revision]
        mark = ",".join(f"{each.id}:{each.revision}" for each in chosen)
        return Choice(chosen, _digest(mark), len(picked) - len(chosen), False)

    def _back(self, visit: Visit, name: str, done: Done) -> Response:
        told = told_query(name, done.changed, len(done.overtaken) + len(done.refused), done)
        url = self._back_url(visit, gone=name == "delete")
        return redirect(f"{url}{'&' if '?' in url else '?'}{told}")

    def _back_url(self, visit: Visit, *, gone: bool = False) -> str:
        """The page as it was that the user came from: of several, or of one customization; or else the list."""
        tracker, form = visit.place.tracker, visit.form
        if (page := form.get("page")) in PAGES:
            query = urlencode(parse_qsl(form.get("query"), max_num_fields=200))
            return f"{base_of(tracker)}/{page}" + (f"?{query}" if query else "")
        back = form.get("back")
        if back and re.fullmatch(r"[0-9a-zA-Z-]{1,64}", back) and not gone:
            return f"{base_of(tracker)}/customizations/{back}"
        asked = read_asked(Form(parse_qsl(form.get("query"), max_num_fields=200)))
        return list_url(tracker, query_of(asked))


def read_picks(texts: Sequence[str]) -> dict[CustomizationId, int]:
    """Ids with the revisions that the user has seen. Raises FaultyFields."""
    picked: dict[CustomizationId, int] = {}
    for text in texts:
        found = _PICK.fullmatch(text)
        if found is None:
            raise FaultyFields("The form cannot be read", {"pick": ["Must be id:revision"]})
        picked[CustomizationId(found[1].lower())] = int(found[2])
    return picked


def sentence(action: Action, count: int) -> str:
    """The question, as a heading."""
    many = words.plural(count, "customization")
    match action:
        case Tag(tags):
            return f"Tag {many} with {', '.join(tags)}?"
        case Untag(tags):
            return f"Take {', '.join(tags)} off {many}?"
        case Shift(hours):
            return f"Shift the dates of {many} by {shift_text(hours)}?"
        case Switch(disabled):
            return f"{'Disable' if disabled else 'Enable'} {many}?"
        case Delete():
            return f"Delete {many}?"


def consequence(action: Action) -> str:
    """What it means for shoppers."""
    match action:
        case Tag() | Untag():
            return "Tags are for you and your colleagues; shoppers see no difference."
        case Shift():
            return "Every beginning and end of their pins' windows moves. Pins without dates stay as they are."
        case Switch(disabled=True):
            return "They stay in the list, and shoppers see recommendations without them at once."
        case Switch():
            return (
                "Shoppers see recommendations with them at once, as far as their windows are open."
            )
        case Delete():
            return "Shoppers see recommendations without them at once. Their history stays."


def shift_text(hours: int) -> str:
    amount = (
        words.plural(abs(hours) // 24, "day")
        if hours % 24 == 0
        else words.plural(abs(hours), "hour")
    )
    return f"{amount} {'later' if hours > 0 else 'earlier'}"


def _moved(window: Window, hours: int, zone: tzinfo) -> str:
    by = hours * 3_600_000_000
    parts = []
    if window.opens is not None:
        parts.append(f"begins {words.time_text(Micros(window.opens + by), zone)}")
    if window.closes is not None:
        parts.append(f"ends {words.time_text(Micros(window.closes + by), zone)}")
    return ", ".join(parts)


def is_about_tags(line: ChangeRow) -> bool:
    if line.old is None or line.new is None:
        return False
    try:
        old, new = (msgspec.json.decode(each, type=dict[str, Any]) for each in (line.old, line.new))
    except UNREADABLE:
        return False
    return {**old, "tags": []} == {**new, "tags": []}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32] if text else ""
