"""
What needs attention: all that `health` finds, by complaint, each with a button that mends it.

What is shown may be some seconds old. What a button does is worked out anew from the snapshot of its request, for the
revision that was shown; whatever deletes, or changes many, is asked first.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import ceil
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.bulk import Done, check_count
from endcap.checkups import Checkups, Group
from endcap.domain import Customization, CustomizationId
from endcap.errors import FaultyFields
from endcap.health import OFFERS, SEVERITIES, Complaint, Finding, Severity, alike, findings_among
from endcap.mending import Remedy, fingerprint, mending, remedies
from endcap.shops import Shop
from endcap.telemetry import log
from endcap.web import words
from endcap.web.complaints import (
    COMPLAINTS,
    SEVERITY_WORDS,
    WORDS,
    because,
    button,
    button_for_all,
    consequences,
    effect,
    question,
    sums,
)
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.one import one_url
from endcap.web.pages import base_of
from endcap.web.sections import ATTENTION
from endcap.web.shown import Gallery, PinShown, Thing
from endcap.web.toasts import told_of, told_query
from endcap.web.visits import Form, Visit, redirect

SAMPLE = 5
PAGE_SIZE = 50
PAGES_MAX = 100_000
PLANNED_SHOWN = 20
MODELS_MAX = 50
_ID = re.compile(r"[0-9a-zA-Z-]{1,64}", re.ASCII)


class Asked(Struct, frozen=True):
    """What the page's address says."""

    models: tuple[str, ...]
    severity: Severity | None
    complaint: Complaint | None
    page: int

    def query(self, *, page: int = 1) -> str:
        pairs = [("model", each) for each in self.models]
        if self.severity:
            pairs.append(("severity", self.severity))
        if self.complaint:
            pairs.append(("complaint", self.complaint))
        if page > 1:
            pairs.append(("page", str(page)))
        return urlencode(pairs)


class Ill(Struct, frozen=True):
    """One finding, as it is shown."""

    id: str
    revision: int
    url: str
    target: Thing
    model: str
    pin: PinShown | None
    index: str
    """The pin's, from 0; empty: it is about the customization."""
    because: str
    other: str
    """The title of the customization that is in the way, and its address."""
    other_url: str
    button: str
    asks: bool
    """Whether the button asks before it does anything."""


class Listed(Struct, frozen=True):
    """All of one complaint that the filters let through."""

    complaint: Complaint
    severity: Severity
    severity_word: str
    title: str
    why: str
    count: int
    ills: Sequence[Ill]
    button: str
    url: str
    """Where all of them are; empty: here."""


class AttentionPages(PageModule):
    sections = (ATTENTION,)

    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._pages = ground.pages
        self._bulk = ground.bulk
        self._checkups = Checkups(ground.service.clock)
        ground.pages.counters[ATTENTION] = lambda shop: self._checkups.known(shop.tracker)

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/health"
        return (
            Route("GET", path, "look", self.page, ATTENTION),
            Route("POST", f"{path}/fix", "change", self.fix, ATTENTION),
            Route("POST", f"{path}/fix-all", "change", self.fix_all, ATTENTION),
        )

    # Looking

    async def page(self, visit: Visit) -> Response:
        return await asyncio.to_thread(self._page, visit, read_asked(visit.query))

    def _page(self, visit: Visit, asked: Asked) -> Response:
        shop = visit.place
        checkup = self._checkups.of(shop)
        groups = {each: checkup.groups[each] for each in COMPLAINTS if each in checkup.groups}
        by_severity = {
            severity: sum(_count(g, asked) for c, g in groups.items() if SEVERITIES[c] is severity)
            for severity in Severity
        }
        shown = {
            each: group
            for each, group in groups.items()
            if asked.severity in (None, SEVERITIES[each]) and _count(group, asked)
        }
        chosen = {each: g for each, g in shown.items() if asked.complaint in (None, each)}
        count = sum(_count(group, asked) for group in chosen.values())
        pages = max(1, ceil(count / PAGE_SIZE)) if asked.complaint else 1
        page = min(asked.page, pages)
        url = f"{base_of(shop.tracker)}/health"
        return self._pages.answer(
            "attention",
            visit,
            asked=asked,
            listed=[self._section(shop, each, g, asked, page) for each, g in chosen.items()],
            tabs=_tabs(shop, groups, asked),
            severities=[(each, SEVERITY_WORDS[each], by_severity[each]) for each in Severity],
            complaints=[
                (each, WORDS[each].title, _count(group, asked)) for each, group in shown.items()
            ],
            count=count,
            total=checkup.total,
            customizations=len(shop.snapshot.rules),
            age=words.ago(checkup.at, self._service.clock()),
            is_renewing=checkup.is_renewing,
            is_cut=checkup.is_cut,
            is_filtered=asked.query() != "",
            page=page,
            pages=pages,
            previous=f"{url}?{asked.query(page=page - 1)}" if page > 1 else "",
            next=f"{url}?{asked.query(page=page + 1)}" if page < pages else "",
            query=asked.query(page=page),
            url=url,
            told=told_of(visit.query),
        )

    def _section(
        self, shop: Shop, complaint: Complaint, group: Group, asked: Asked, page: int
    ) -> Listed:
        count = _count(group, asked)
        is_whole = asked.complaint is complaint
        start, size = ((page - 1) * PAGE_SIZE, PAGE_SIZE) if is_whole else (0, SAMPLE)
        found = islice(_findings(group, asked), start, start + size)
        own = Asked(asked.models, None, complaint, 1)
        is_more = not is_whole and count > SAMPLE
        said, severity = WORDS[complaint], SEVERITIES[complaint]
        return Listed(
            complaint,
            severity,
            SEVERITY_WORDS[severity],
            said.title,
            said.why,
            count,
            list(self._ills(shop, found)),
            button_for_all(complaint, count) if count > 1 else "",
            f"{base_of(shop.tracker)}/health?{own.query()}" if is_more else "",
        )

    def _ills(self, shop: Shop, found: Iterable[Finding]) -> Iterator[Ill]:
        """Those that are still there."""
        now, zone = self._service.clock(), self._service.settings.zone
        gallery = Gallery(shop.snapshot.catalog, now, self._service.settings)
        for each in found:
            known = shop.snapshot.rules.customization(each.customization)
            if known is None or (each.pin is not None and each.pin >= len(known.pins)):
                continue
            other = each.other and shop.snapshot.rules.customization(each.other)
            is_deleted = remedies(shop, [each], OFFERS)[0].is_deleted
            yield Ill(
                known.id,
                known.revision,
                one_url(shop, known.id),
                gallery.target(known),
                known.model,
                None if each.pin is None else gallery.pin(each.pin + 1, known.pins[each.pin]),
                "" if each.pin is None else str(each.pin),
                because(each, now, zone),
                gallery.target(other).title if other else "",
                one_url(shop, other.id) if other else "",
                button(OFFERS[each.complaint], is_deleted=is_deleted),
                is_deleted,
            )

    # Mending

    async def fix(self, visit: Visit) -> Response:
        """Of one finding. Raises FaultyFields."""
        wanted = _one_finding(visit.form)
        planned = await asyncio.to_thread(self._remedy, visit.place, *wanted)
        complaint = wanted[2]
        if not planned:
            return self._back(visit, changed=0, skipped=1)
        is_asked = any(each.is_deleted for each in planned)
        if is_asked and visit.form.get("confirmed") != fingerprint(planned):
            return self._confirm(visit, "fix", complaint, planned)
        return await self._mend(visit, planned)

    async def fix_all(self, visit: Visit) -> Response:
        """Of all of one complaint that the filters let through. Raises FaultyFields, UsageFault for too many."""
        complaint = _complaint(visit.form)
        planned = await asyncio.to_thread(self._remedies, visit.place, complaint, visit.form)
        check_count(len(planned), advice="choose a recommender")
        if not planned or visit.form.get("confirmed") != fingerprint(planned):
            return self._confirm(visit, "fix-all", complaint, planned)
        return await self._mend(visit, planned)

    def _remedy(
        self, shop: Shop, id_: CustomizationId, revision: int, complaint: Complaint, pin: int | None
    ) -> list[Remedy]:
        """Nothing where it was changed since it was shown, or is well by now."""
        known = shop.snapshot.rules.customization(id_)
        if known is None or known.revision != revision:
            return []
        found = [
            each
            for each in self._examined(shop, [known])
            if (each.customization, each.complaint, each.pin) == (id_, complaint, pin)
        ]
        return remedies(shop, found, OFFERS)

    def _remedies(self, shop: Shop, complaint: Complaint, form: Form) -> list[Remedy]:
        """Of those that were found when all was examined, as far as they are so now."""
        group = self._checkups.of(shop).groups.get(complaint)
        if group is None:
            return []
        asked = read_asked(form)
        ids = dict.fromkeys(each.customization for each in _findings(group, asked))
        held = (shop.snapshot.rules.customization(id_) for id_ in ids)
        known = [each for each in held if each is not None]
        found = (
            each
            for each in self._examined(shop, known)
            if each.complaint is complaint and each.customization in ids
        )
        return remedies(shop, found, OFFERS)

    def _examined(self, shop: Shop, known: Sequence[Customization]) -> Iterator[Finding]:
        examined = alike(shop.snapshot.rules, known)
        return findings_among(shop, examined, now=self._service.clock())

    def _confirm(
        self, visit: Visit, action: str, complaint: Complaint, planned: list[Remedy]
    ) -> Response:
        """What would change, and the form that says yes."""
        shop, total = visit.place, sums(planned)
        gallery = Gallery(shop.snapshot.catalog, self._service.clock(), self._service.settings)
        kept = ("id", "revision", "complaint", "pin", "model", "query")
        return self._pages.answer(
            "mend",
            visit,
            action=f"{base_of(shop.tracker)}/health/{action}",
            question=question(OFFERS[complaint], total) if planned else "Nothing to change",
            title=WORDS[complaint].title,
            why=WORDS[complaint].why,
            consequences=consequences(total),
            count=len(planned),
            deletes=total.deleted > 0,
            sample=[
                (gallery.row(each.customization), effect(each)) for each in planned[:PLANNED_SHOWN]
            ],
            more=max(0, len(planned) - PLANNED_SHOWN),
            fields=[(key, value) for key, value in visit.form.pairs if key in kept],
            fingerprint=fingerprint(planned),
            was_asked=bool(visit.form.get("confirmed")),
            back=_back_url(visit),
        )

    async def _mend(self, visit: Visit, planned: list[Remedy]) -> Response:
        shop, now = visit.place, self._service.clock()
        who, zone = visit.user.name, self._service.settings.zone
        store = self._service.store
        writes = await asyncio.to_thread(
            lambda: list(mending(store, shop, planned, actor=who, now=now, zone=zone))
        )
        done = await self._bulk.carry_out(shop.tracker, writes, now=now)
        log.info("findings mended", tracker=shop.tracker, user=who, changed=done.changed)
        return self._back(visit, done.changed, len(planned) - done.changed, done)

    def _back(self, visit: Visit, changed: int, skipped: int, done: Done | None = None) -> Response:
        url = _back_url(visit)
        told = told_query("mend", changed, skipped, done)
        return redirect(f"{url}{'&' if '?' in url else '?'}{told}")


def read_asked(query: Form) -> Asked:
    """What cannot be understood is left out: a page shows more rather than an error."""
    page = query.get("page")
    return Asked(
        tuple(dict.fromkeys(each for each in query.all("model") if each))[:MODELS_MAX],
        next((each for each in Severity if each == query.get("severity")), None),
        next((each for each in Complaint if each == query.get("complaint")), None),
        min(int(page), PAGES_MAX) if page.isascii() and page.isdigit() and page.strip("0") else 1,
    )


def _one_finding(form: Form) -> tuple[CustomizationId, int, Complaint, int | None]:
    """Raises FaultyFields."""
    revision, pin = form.get("revision"), form.get("pin")
    if (
        not _ID.fullmatch(form.get("id"))
        or not (revision.isascii() and revision.isdigit() and len(revision) <= 18)
        or not (pin == "" or (pin.isascii() and pin.isdigit() and len(pin) <= 4))
    ):
        raise FaultyFields("The form cannot be read", {"id": ["Must say which one, and as it was"]})
    id_ = CustomizationId(form.get("id").lower())
    return id_, int(revision), _complaint(form), int(pin) if pin else None


def _complaint(form: Form) -> Complaint:
    try:
        return Complaint(form.get("complaint"))
    except ValueError:
        raise FaultyFields("The form cannot be read", {"complaint": ["Must be one"]}) from None


def _count(group: Group, asked: Asked) -> int:
    return sum(n for model, n in group.counts.items() if not asked.models or model in asked.models)


def _findings(group: Group, asked: Asked) -> Iterator[Finding]:
    for model, listed in group.findings.items():
        if not asked.models or model in asked.models:
            yield from listed


class Tab(Struct, frozen=True):
    name: str
    count: int
    url: str
    is_chosen: bool


def _tabs(shop: Shop, groups: Mapping[Complaint, Group], asked: Asked) -> list[Tab]:
    """All, then each recommender of whose customizations something was found, or that is chosen."""
    counts = dict.fromkeys(asked.models, 0)
    for complaint, group in groups.items():
        if asked.severity in (None, SEVERITIES[complaint]) and asked.complaint in (None, complaint):
            for model, count in group.counts.items():
                counts[model] = counts.get(model, 0) + count

    def url(*models: str) -> str:
        query = Asked(models, asked.severity, asked.complaint, 1).query()
        return f"{base_of(shop.tracker)}/health" + (f"?{query}" if query else "")

    return [
        Tab("All", sum(counts.values()), url(), not asked.models),
        *(Tab(name, counts[name], url(name), name in asked.models) for name in sorted(counts)),
    ]


def _back_url(visit: Visit) -> str:
    """The page as it was."""
    asked = read_asked(Form(parse_qsl(visit.form.get("query"), max_num_fields=200)))
    query = asked.query(page=asked.page)
    return f"{base_of(visit.place.tracker)}/health" + (f"?{query}" if query else "")
