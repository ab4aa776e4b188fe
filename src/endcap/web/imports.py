"""
Customizations from a file, or from another tracker: the plan is shown, page by page, and carried out whole or not at
all.

What was brought waits in the database, so that any worker can show it. Who says yes says it to the plan that they have
seen; where it has become another one since they are told what was changed, and asked again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import ceil
from urllib.parse import urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.api.threads import ask
from endcap.domain import Micros
from endcap.engine.roster import Question
from endcap.errors import (
    FaultyFields,
    FaultyRows,
    Problem,
    RevisionNotReached,
    StalePlan,
    TrackerNotFound,
    UsageFault,
)
from endcap.planning.applying import Applied, apply_plan
from endcap.planning.orders import Copy, Import, Order, numbers_of, order_of
from endcap.planning.plan import Action, Plan, Refusal, Step
from endcap.shops import Shop
from endcap.store.accounts import Upload
from endcap.telemetry import log
from endcap.versions import Deed
from endcap.web import access, words
from endcap.web.diff import Change, changes
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.one import one_url
from endcap.web.orders import (
    KEPT_MICROS,
    SCOPES,
    form_of_scope,
    held,
    read_scope,
    scope_text,
    upload_url,
    where_text,
)
from endcap.web.pages import base_of
from endcap.web.past import deed_words
from endcap.web.plans import Planned, Plans
from endcap.web.sections import CUSTOMIZATIONS
from endcap.web.shown import Gallery
from endcap.web.visits import NO_FORM, Form, Visit, redirect
from endcap.wire.versions import version_of

PAGE_SIZE = 50
PAGES_MAX = 10_000
REASONS_SHOWN = 20
DEEDS_SHOWN = 5
CHOICES_MAX = 200  # of tags and recommenders to choose a scope from
TABS = (
    ("create", "New"),
    ("change", "Changed"),
    ("delete", "Deleted"),
    ("refused", "Refused"),
)


class Tab(Struct, frozen=True):
    word: str
    count: int
    url: str
    is_chosen: bool


class StepShown(Struct, frozen=True):
    action: str
    title: str
    url: str
    where: str
    changes: Sequence[Change]


class RefusalShown(Struct, frozen=True):
    where: str
    name: str
    reasons: Sequence[str]


class Meanwhile(Struct, frozen=True):
    """What somebody did since a plan was made."""

    what: str
    who: str
    ago: str


class ImportPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._committer = ground.parts.committer
        self._versions = ground.parts.versions
        self._store = ground.accounts.store
        self._rosters = ground.rosters
        self._pages = ground.pages
        self._plans = Plans(ground.service)

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/import"
        return (
            Route("GET", path, "change", self.form, CUSTOMIZATIONS),
            Route("POST", path, "change", self.upload, CUSTOMIZATIONS, takes_files=True),
            Route("GET", f"{path}/{{upload}}", "change", self.plan, CUSTOMIZATIONS),
            Route("POST", f"{path}/{{upload}}", "change", self.apply, CUSTOMIZATIONS),
        )

    # A file

    async def form(self, visit: Visit) -> Response:
        return await self._form(visit, NO_FORM)

    async def upload(self, visit: Visit) -> Response:
        try:
            prune = read_scope(visit.form)
            sent = visit.form.files.get("file")
            if sent is None:
                told = "Choose a file: CSV, a spreadsheet (XLSX), YAML or JSON"
                raise FaultyFields("There is no file", {"file": [told]})
            name = sent.name[-100:] or "file"
            upload = await held(
                self._store,
                visit,
                visit.place.tracker,
                Import(name, prune),
                sent.content,
                now=self._service.clock(),
            )
        except Problem as problem:
            return await self._form(visit, visit.form, problem)
        return redirect(upload_url(upload))

    async def _form(self, visit: Visit, typed: Form, problem: Problem | None = None) -> Response:
        """With what was typed; a file has to be chosen again, for browsers let nobody fill that in."""
        models, tags = await asyncio.to_thread(self._known, visit.place)
        return self._pages.answer(
            "import",
            visit,
            status=200 if problem is None else 422,
            problem=problem,
            scope=typed.get("scope") if typed.get("scope") in SCOPES else "",
            scope_tags=typed.get("scope_tags"),
            scope_models=typed.all("scope_models"),
            models=models[:CHOICES_MAX],
            tags=tags[:CHOICES_MAX],
            bytes_max=words.bytes_text(self._service.settings.console_upload_bytes_max),
        )

    def _known(self, shop: Shop) -> tuple[list[str], list[str]]:
        roster = self._rosters.of(shop)
        found = roster.find(Question(), self._service.clock(), order="updated", descending=True)
        return sorted(found.models), sorted(found.tags)

    # What would be done

    async def plan(self, visit: Visit) -> Response:
        upload = await self._upload(visit)
        try:
            planned = await self._plans.of(upload, visit.place)
        except (UsageFault, FaultyRows) as problem:
            return await self._unplanned(visit, upload, problem)
        return await self._answer(visit, upload, planned)

    async def _unplanned(self, visit: Visit, upload: Upload, problem: Problem) -> Response:
        """Back to where the file came from."""
        order = order_of(upload)
        if isinstance(order, Copy):
            raise problem
        return await self._form(visit, form_of_scope(order.prune), problem)

    async def _answer(
        self,
        visit: Visit,
        upload: Upload,
        planned: Planned,
        *,
        meanwhile: Sequence[Meanwhile] | None = None,
        status: int = 200,
    ) -> Response:
        order, plan = order_of(upload), planned.plan
        numbers = numbers_of(plan)
        shown = visit.query.get("show")
        if shown not in dict(TABS):
            shown = "refused" if plan.refused_total else ""
        steps = [each for each in plan.steps if shown in ("", each.action)]
        total = len(plan.refused) if shown == "refused" else len(steps)
        pages = max(1, ceil(total / PAGE_SIZE))
        page = min(_page_of(visit), pages)
        within = slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE)
        rows = await asyncio.to_thread(
            self._rows, visit.place, order, [] if shown == "refused" else steps[within]
        )
        url = upload_url(upload)
        return self._pages.answer(
            "plan",
            visit,
            status=status,
            upload=upload,
            is_copy=isinstance(order, Copy),
            source=self._source(order),
            name="" if isinstance(order, Copy) else order.name,
            scope=scope_text(order),
            plan=plan,
            numbers=numbers,
            mark=planned.mark,
            tabs=_tabs(url, numbers, shown, len(plan.steps)),
            shown=shown,
            steps=rows,
            refusals=[_refusal(order, each) for each in plan.refused[within]]
            if shown == "refused"
            else [],
            refusals_kept=len(plan.refused),
            page=page,
            pages=pages,
            previous=_page_url(url, shown, page - 1) if page > 1 else "",
            next=_page_url(url, shown, page + 1) if page < pages else "",
            url=url,
            again=f"{base_of(order.source)}/copy?again={upload.id}"
            if isinstance(order, Copy)
            else f"{base_of(visit.place.tracker)}/import",
            meanwhile=meanwhile,
            ends=words.full_text(Micros(upload.made_at + KEPT_MICROS), self._service.settings.zone),
        )

    def _rows(self, shop: Shop, order: Order, steps: Sequence[Step]) -> list[StepShown]:
        now = self._service.clock()
        gallery = Gallery(shop.snapshot.catalog, now, self._service.settings)
        records = self._service.store.customizations(shop.tracker, [each.id for each in steps])
        rows = []
        for step in steps:
            record = records.get(step.id)
            old = None if record is None else version_of(record)
            new = bytes(step.body) or None
            rows.append(
                StepShown(
                    step.action.value,
                    gallery.version(new or old) or step.subject,
                    "" if record is None else one_url(shop, step.id),
                    where_text(order, step.where, step.name),
                    changes(
                        None if step.action is Action.CREATE else old,
                        new,
                        gallery.title,
                        gallery.zone,
                    ),
                )
            )
        return rows

    def _source(self, order: Order) -> str:
        if not isinstance(order, Copy):
            return ""
        shop = self._service.mirror.shop(order.source)
        return order.source if shop is None else shop.row.name or shop.tracker

    # Doing it

    async def apply(self, visit: Visit) -> Response:
        """Raises UsageFault, FaultyRows."""
        upload, shop = await self._upload(visit), visit.place
        confirmed, revision = visit.form.get("confirmed"), visit.form.number("revision")
        planned = await self._plans.of(upload, shop)
        if planned.mark != confirmed:
            planned = await self._plans.anew(upload, shop)
        if planned.mark != confirmed or planned.plan.refused_total or planned.plan.is_empty:
            return await self._again(visit, upload, planned, revision)
        try:
            applied = await asyncio.to_thread(self._apply, planned.plan, visit)
        except StalePlan:
            return await self._again(visit, upload, await self._plans.anew(upload, shop), revision)
        self._plans.forget(upload)
        log.info(
            "plan applied",
            tracker=shop.tracker,
            user=visit.user.name,
            created=applied.created,
            changed=applied.changed,
            deleted=applied.deleted,
        )
        with suppress(RevisionNotReached):  # a large one takes the mirror a moment longer
            await self._service.mirror.at(shop, applied.revision)
        told = {
            "did": "apply",
            "created": applied.created,
            "changed": applied.changed,
            "deleted": applied.deleted,
            "revision": applied.revision,
        }
        return redirect(f"{base_of(shop.tracker)}/customizations?{urlencode(told)}")

    def _apply(self, plan: Plan, visit: Visit) -> Applied:
        name = visit.user.name
        return apply_plan(
            plan,
            self._committer.commit_together_now,
            actor=name,
            creator=name,
            now=self._service.clock(),
        )

    async def _again(
        self, visit: Visit, upload: Upload, planned: Planned, revision: int
    ) -> Response:
        """The plan as it is by now, with what was done since the one that was confirmed."""
        shop, now = visit.place, self._service.clock()
        deeds, _ = await asyncio.to_thread(
            lambda: self._versions.deeds(shop.tracker, limit=DEEDS_SHOWN)
        )
        meanwhile = [_meanwhile(deed, now) for deed in deeds if deed.revision > revision > 0]
        return await self._answer(visit, upload, planned, meanwhile=meanwhile, status=409)

    async def _upload(self, visit: Visit) -> Upload:
        """The user's own, for this tracker. Raises UsageFault; TrackerNotFound for a source they may not see."""
        id_, name = visit.request.parameters["upload"], visit.user.name
        since = Micros(self._service.clock() - KEPT_MICROS)
        found = await ask(lambda: self._store.upload(id_, name, since=since), inline=False)
        if found is None or found.tracker != visit.place.tracker:
            raise UsageFault(
                "What you brought is not kept any more: it waits for an hour, and beside two others of yours. Bring it "
                "again; nothing was lost but the plan"
            )
        order = order_of(found)
        if isinstance(order, Copy) and not access.may(visit.user, "look", order.source):
            raise TrackerNotFound
        return found


def _tabs(url: str, numbers: Mapping[str, int], shown: str, steps: int) -> list[Tab]:
    """All that would be done, then each kind of which there is any."""
    found = [Tab("All", steps, _page_url(url, "", 1), shown == "")] if steps else []
    return found + [
        Tab(word, numbers[name], _page_url(url, name, 1), shown == name)
        for name, word in TABS
        if numbers[name]
    ]


def _page_url(url: str, shown: str, page: int) -> str:
    pairs = ([("show", shown)] if shown else []) + ([("page", page)] if page > 1 else [])
    return f"{url}?{urlencode(pairs)}" if pairs else url


def _page_of(visit: Visit) -> int:
    return min(max(1, visit.query.number("page")), PAGES_MAX)


def _refusal(order: Order, each: Refusal) -> RefusalShown:
    where = where_text(order, each.where, None)
    return RefusalShown(where, each.name or each.id or "", each.reasons[:REASONS_SHOWN])


def _meanwhile(deed: Deed, now: Micros) -> Meanwhile:
    return Meanwhile(deed_words(deed), deed.actor, words.ago(deed.at, now))
