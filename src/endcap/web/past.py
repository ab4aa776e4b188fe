"""
What was done to a tracker, action by action, and having it back: one version, an action undone, all of it as it was at
a moment. Whatever would change is shown first.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import tzinfo
from urllib.parse import urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.domain import CustomizationId, Draft, Micros, Record
from endcap.errors import FaultyFields, Problem, RevisionNotReached
from endcap.shops import Shop
from endcap.store.states import ChangeRow
from endcap.versions import Action, Deed, Reversal, Step
from endcap.web import access, times, words
from endcap.web.changes import is_about_tags
from endcap.web.diff import Change, changes
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.one import id_of_path, one_url
from endcap.web.pages import base_of
from endcap.web.sections import CHANGES, CUSTOMIZATIONS
from endcap.web.shown import Gallery
from endcap.web.toasts import told_of
from endcap.web.visits import Visit, number_in, redirect
from endcap.wire.versions import read_draft, version_of

PAGE_SIZE = 50
SAMPLE = 20
BECAME_WORDS = {"created": "Comes back", "changed": "Changes back", "deleted": "Goes"}


class Subject(Struct, frozen=True):
    """A customization of an action, and what became of it."""

    title: str
    url: str
    changes: Sequence[Change]


class Entry(Struct, frozen=True):
    """An action, on the page of all of them."""

    revision: int
    what: str
    who: str
    when: str
    when_iso: str
    ago: str
    subjects: Sequence[Subject]
    more: int
    can_undo: bool


class PastPages(PageModule):
    sections = (CHANGES,)

    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._zone = ground.service.settings.zone
        self._versions = ground.parts.versions
        self._pages = ground.pages

    def routes(self) -> Sequence[Route]:
        path, one = f"{TRACKER}/changes", f"{TRACKER}/customizations/{{id}}/versions/{{revision}}"
        return (
            Route("GET", path, "look", self.page, CHANGES),
            Route("GET", f"{path}/undo", "undo", self.undoing, CHANGES),
            Route("POST", f"{path}/undo", "undo", self.undo, CHANGES),
            Route("GET", f"{path}/restore", "look", self.restoring, CHANGES),
            Route("POST", f"{path}/restore", "change", self.restore, CHANGES),
            Route("GET", one, "look", self.version, CUSTOMIZATIONS),
            Route("POST", one, "change", self.restore_version, CUSTOMIZATIONS),
        )

    # All that was done

    async def page(self, visit: Visit) -> Response:
        shop = visit.place
        before = visit.query.number("before") or None
        deeds, next_ = await asyncio.to_thread(
            lambda: self._versions.deeds(shop.tracker, before=before, limit=PAGE_SIZE)
        )
        gallery = self._gallery(shop)
        now = self._service.clock()
        return self._pages.answer(
            "changes",
            visit,
            entries=[_entry(visit, shop, deed, gallery, now) for deed in deeds],
            next=f"{_url(shop)}?before={next_}" if next_ else "",
            is_first=before is None,
            url=_url(shop),
            told=told_of(visit.query),
            now=times.field_text(now, self._zone),
            zone=self._service.settings.console_time_zone,
        )

    # An action

    async def undoing(self, visit: Visit) -> Response:
        """Raises NothingToUndo, RoleLacking."""
        shop, revision = visit.place, visit.query.number("revision")
        action, reversal = await asyncio.to_thread(self._undo_of, visit, revision)
        return self._asked(visit, shop, reversal, self._undo_words(action), ("revision", revision))

    async def undo(self, visit: Visit) -> Response:
        """Raises NothingToUndo, RoleLacking, RevisionConflict."""
        shop, revision = visit.place, visit.form.number("revision")
        action, reversal = await asyncio.to_thread(self._undo_of, visit, revision)
        if visit.form.get("confirmed") != reversal.fingerprint:
            return self._asked(
                visit, shop, reversal, self._undo_words(action), ("revision", revision)
            )
        return await self._done(visit, shop, reversal, "undo")

    def _undo_of(self, visit: Visit, revision: int) -> tuple[Action, Reversal]:
        tracker = visit.place.tracker
        action = self._versions.action(tracker, revision)
        if not all(map(_is_editors, action.lines)):
            access.check(visit.user, "change", tracker)
        return action, self._versions.undoing(tracker, action)

    def _undo_words(self, action: Action) -> tuple[str, str, str]:
        when = words.full_text(action.at, self._zone)
        return ("undo", "Undo this?", f"What {action.actor} did on {when} is taken back.")

    # A whole tracker

    async def restoring(self, visit: Visit) -> Response:
        """Raises FaultyFields for a moment that is none."""
        shop = visit.place
        at = self._moment(visit.query.get("at"))
        reversal = await self._versions.in_turn(lambda: self._restore_of(shop, at))
        return self._asked(
            visit, shop, reversal, _restore_words(at, self._zone), ("at", visit.query.get("at"))
        )

    async def restore(self, visit: Visit) -> Response:
        """Raises FaultyFields, RevisionConflict."""
        shop = visit.place
        at = self._moment(visit.form.get("at"))
        reversal = await self._versions.in_turn(lambda: self._restore_of(shop, at))
        if visit.form.get("confirmed") != reversal.fingerprint:
            asked = ("at", visit.form.get("at"))
            return self._asked(visit, shop, reversal, _restore_words(at, self._zone), asked)
        return await self._done(visit, shop, reversal, "restore")

    def _restore_of(self, shop: Shop, at: Micros) -> Reversal:
        return self._versions.restoring(shop.tracker, self._versions.revision_at(shop.tracker, at))

    def _moment(self, text: str) -> Micros:
        if not text:
            told = "Choose the day and the time"
            raise FaultyFields("No moment was chosen", {"at": [told]})
        at = times.read_field(text, self._zone, "at")
        if at > self._service.clock():
            raise FaultyFields("This moment is yet to come", {"at": ["Choose one that is past"]})
        return at

    # Either

    def _asked(
        self,
        visit: Visit,
        shop: Shop,
        reversal: Reversal,
        asked: tuple[str, str, str],
        kept: tuple[str, object],
    ) -> Response:
        """What would change, and the form that says yes."""
        verb, question, sentence = asked
        gallery = self._gallery(shop)
        told = reversal.told
        return self._pages.answer(
            "reversal",
            visit,
            verb=verb,
            question=question if told else "Nothing to change",
            sentence=sentence,
            counts=[
                ("come back", reversal.count("created")),
                ("change back", reversal.count("changed")),
                ("go", reversal.count("deleted")),
            ],
            steps=[
                (BECAME_WORDS[step.became], _subject(shop, step, gallery)) for step in told[:SAMPLE]
            ],
            more=max(0, len(told) - SAMPLE),
            skipped=len(reversal.skipped),
            reasons=sorted(set(reversal.skipped.values())),
            is_about_drafts=bool(told) and told[0].kind == "draft",
            fingerprint=reversal.fingerprint,
            kept=kept,
            was_asked=bool(visit.form.get("confirmed")),
            may_do=verb == "undo" or access.may(visit.user, "change", shop.tracker),
            url=_url(shop),
        )

    async def _done(self, visit: Visit, shop: Shop, reversal: Reversal, did: str) -> Response:
        done = await self._versions.carry_out(
            shop.tracker, reversal, actor=visit.user.name, now=self._service.clock()
        )
        with suppress(RevisionNotReached):  # a large one takes the mirror a moment longer
            await self._service.mirror.at(shop, done.revision)
        count = done.created + done.changed + done.deleted
        told = urlencode({"did": did, "changed": count, "skipped": len(done.skipped)})
        return redirect(f"{_url(shop)}?{told}")

    # One version

    async def version(self, visit: Visit) -> Response:
        """Raises VersionNotFound."""
        shop, id_, revision = visit.place, id_of_path(visit), _revision(visit)
        store = self._service.store

        def read() -> tuple[ChangeRow, Record | None]:
            line = self._versions.version_line(shop.tracker, id_, revision)
            return line, store.customization(shop.tracker, id_)

        line, record = await asyncio.to_thread(read)
        document, now = line.new, None if record is None else version_of(record)
        assert document is not None
        return self._pages.answer(
            "version",
            visit,
            id=id_,
            revision=revision,
            current=0 if record is None else record.revision,
            other=line.actor,
            when=words.full_text(line.at, self._zone),
            is_same=now == document,
            is_gone=now is None,
            changes=changes(now, document, self._gallery(shop).title, self._zone),
            json=_pretty(document),
            url=one_url(shop, id_),
        )

    async def restore_version(self, visit: Visit) -> Response:
        """Raises VersionNotFound, RevisionConflict, FaultyFields."""
        shop, id_ = visit.place, id_of_path(visit)
        await self._versions.restore(
            shop.tracker,
            id_,
            _revision(visit),
            actor=visit.user.name,
            now=self._service.clock(),
            expected=frozenset({visit.form.number("current")}),
        )
        return redirect(f"{one_url(shop, id_)}?did=restore&changed=1")

    def _gallery(self, shop: Shop) -> Gallery:
        return Gallery(shop.snapshot.catalog, self._service.clock(), self._service.settings)


def _url(shop: Shop) -> str:
    return f"{base_of(shop.tracker)}/changes"


def _revision(visit: Visit) -> int:
    return number_in(visit.request.parameters["revision"])


def _restore_words(at: Micros, zone: tzinfo) -> tuple[str, str, str]:
    then = words.full_text(at, zone)
    sentence = f"Every customization becomes what it was on {then}. Drafts and the catalog stay as they are."
    return "restore", "Restore all customizations?", sentence


def _is_editors(line: ChangeRow) -> bool:
    """Whether an editor may take it back: not if a draft were to be published by itself again."""
    if line.kind != "draft":
        return is_about_tags(line)
    try:
        return (
            line.old is None or not read_draft(CustomizationId(line.subject), line.old).publish_at
        )
    except Problem:
        return False


def _entry(visit: Visit, shop: Shop, deed: Deed, gallery: Gallery, now: Micros) -> Entry:
    told = [line for line in deed.lines if line.kind == "customization"] or deed.lines
    is_editors = not deed.is_cut and all(map(_is_editors, deed.lines))
    verb: access.Verb = "undo" if is_editors else "change"
    return Entry(
        deed.revision,
        deed_words(deed),
        deed.actor,
        words.full_text(deed.at, gallery.zone),
        words.iso(deed.at),
        words.ago(deed.at, now),
        [_told(shop, line, gallery) for line in told],
        deed.count - len(told),
        access.may(visit.user, verb, shop.tracker),
    )


def _told(shop: Shop, line: ChangeRow, gallery: Gallery) -> Subject:
    id_ = CustomizationId(line.subject)
    old, new = line.old, line.new
    told: Sequence[Change] = ()
    if line.kind == "draft":
        before, after = _draft(id_, old), _draft(id_, new)
        old, new = (None if each is None else each.document for each in (before, after))
        told = _time_changes(before, after, gallery.zone)
    if not told or old != new:
        told = [*changes(old, new, gallery.title, gallery.zone), *told]
    return Subject(title_of(shop, id_, gallery, new or old), one_url(shop, id_), told)


def _draft(id_: CustomizationId, logged: bytes | None) -> Draft | None:
    try:
        return None if logged is None else read_draft(id_, logged)
    except Problem:
        return None


def _time_changes(before: Draft | None, after: Draft | None, zone: tzinfo) -> list[Change]:
    """When a draft is to be published, as far as that is new."""
    if after is None:
        return []
    if after.held and not (before and before.held):
        return [Change("changed", f"Was not published when it was to be: {after.held}")]
    old = None if before is None else before.publish_at
    if after.publish_at == old:
        return []
    if after.publish_at is None:
        return [Change("removed", "Not published by itself any more")]
    return [Change("added", f"To be published on {words.full_text(after.publish_at, zone)}")]


def _subject(shop: Shop, step: Step, gallery: Gallery) -> Subject:
    title = title_of(shop, step.id, gallery, step.then or step.now)
    return Subject(
        title, one_url(shop, step.id), changes(step.now, step.then, gallery.title, gallery.zone)
    )


def title_of(shop: Shop, id_: CustomizationId, gallery: Gallery, document: bytes | None) -> str:
    """What people call a customization: its target, as it is now or as a version has it."""
    known = shop.snapshot.rules.customization(id_)
    if known is not None:
        return f"{gallery.target(known).title}, {known.model}"
    shown = gallery.version(document)
    return shown or id_


def deed_words(deed: Deed) -> str:
    """`Published 1 customization`, `Created 3, changed 2 customizations`, `Saved a draft`."""
    counts = deed.counts
    made, replaced, gone = (
        counts.get(("customization", a), 0) for a in ("create", "replace", "delete")
    )
    drafted = counts.get(("draft", "create"), 0) + counts.get(("draft", "replace"), 0)
    discarded = counts.get(("draft", "delete"), 0)
    total = made + replaced + gone
    least = "At least: " if deed.is_cut else ""
    if total == 0:
        many = "a draft" if drafted + discarded == 1 else f"{drafted + discarded:,} drafts"
        return least + (f"Discarded {many}" if discarded and not drafted else f"Saved {many}")
    if discarded == made + replaced == total:
        return f"{least}Published {words.plural(total, 'customization')}"
    if drafted == gone == total:
        return f"{least}Unpublished {words.plural(total, 'customization')}"
    parts = [("created", made), ("changed", replaced), ("deleted", gone)]
    said = [f"{word} {count:,}" for word, count in parts if count]
    noun = "customization" if total == 1 else "customizations"
    return f"{least}{', '.join(said).capitalize()} {noun}"


def _pretty(document: bytes) -> str:
    try:
        return words.pretty_json(document)
    except ValueError:
        return document.decode(errors="replace")
