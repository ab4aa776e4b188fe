"""
Copying to another tracker: what the list finds, or what was chosen in it, under the names that items have there.

Looking is enough in the tracker that is copied from; the plan is shown and carried out in the other one, where it takes
who may change.
"""

import asyncio
import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

import msgspec

from endcap.api.http import Response
from endcap.api.threads import ask
from endcap.domain import CustomizationId, Micros, TrackerId
from endcap.errors import FaultyFields, MalformedBody, Problem, UsageFault
from endcap.planning.orders import COUNT_MAX, Copied, Copy, copied_of, order_of
from endcap.transfer.copying import read_identity_text
from endcap.web import access
from endcap.web.changes import read_picks
from endcap.web.lists import found_ids, list_url, query_of, read_asked
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.orders import KEPT_MICROS, held, upload_url
from endcap.web.pages import TrackerLink, base_of
from endcap.web.sections import CUSTOMIZATIONS
from endcap.web.visits import NO_FORM, Form, Visit, redirect

QUERY_FIELDS_MAX = 200
PICKED_MAX = 200  # in an address: a page of the list has fewer
_ID = re.compile(r"[0-9a-zA-Z-]{1,64}", re.ASCII)


class CopyPages(PageModule):
    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._store = ground.accounts.store
        self._rosters = ground.rosters
        self._pages = ground.pages

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/copy"
        return (
            Route("GET", path, "look", self.form, CUSTOMIZATIONS),
            Route("POST", path, "look", self.chosen, CUSTOMIZATIONS),
            Route("POST", f"{path}/plan", "look", self.plan, CUSTOMIZATIONS, takes_files=True),
        )

    async def form(self, visit: Visit) -> Response:
        """For all that the list finds, for the ids in the address, or `again` as it was filled in."""
        query = visit.query
        if query.get("again"):
            return await self._form(visit, await self._filled_in(visit))
        ids = [("id", each) for each in query.all("id")]
        return await self._form(visit, Form([("query", _query(query)), *ids]))

    async def chosen(self, visit: Visit) -> Response:
        """To the form, for what was chosen in the list. Raises UsageFault, FaultyFields."""
        form = visit.form
        picked = read_picks(form.all("pick"))
        if not picked and not form.get("all"):
            raise UsageFault("Nothing is chosen: go back, tick at least one customization, repeat")
        if len(picked) > PICKED_MAX:
            raise UsageFault(f"At most {PICKED_MAX} can be chosen one by one: use a filter")
        pairs = [("id", each) for each in picked] if not form.get("all") else []
        query = "&".join(each for each in (form.get("query"), urlencode(pairs)) if each)
        return redirect(f"{base_of(visit.place.tracker)}/copy" + (f"?{query}" if query else ""))

    async def _filled_in(self, visit: Visit) -> Form:
        """As it was sent for a plan that waits; empty where none does any more."""
        id_, name = visit.query.get("again"), visit.user.name
        since = Micros(self._service.clock() - KEPT_MICROS)
        upload = await ask(lambda: self._store.upload(id_, name, since=since), inline=False)
        order = None if upload is None else order_of(upload)
        if upload is None or not isinstance(order, Copy) or order.source != visit.place.tracker:
            return NO_FORM
        copied = copied_of(upload)
        chosen = [("id", str(each)) for each in copied.ids] if copied.is_chosen else []
        return Form(
            [
                ("query", copied.query),
                ("target", upload.tracker),
                ("identities", copied.identities),
                ("unmapped", "keep" if order.keep else ""),
                *chosen,
            ]
        )

    async def plan(self, visit: Visit) -> Response:
        form = visit.form
        try:
            target = self._target(visit)
            identities = _identities(form)
            if identities is not None:  # said now, while what was typed is at hand
                await asyncio.to_thread(read_identity_text, identities)
            ids = await asyncio.to_thread(self._ids, visit, form)
            if not ids:
                raise UsageFault("There is nothing to copy: no customization matches any more")
            order = Copy(
                visit.place.tracker, identities is not None, form.get("unmapped") == "keep"
            )
            is_chosen = bool(form.all("id"))
            copied = Copied(tuple(ids), identities or "", form.get("query"), is_chosen)
            content, now = msgspec.json.encode(copied), self._service.clock()
            upload = await held(self._store, visit, target, order, content, now=now)
        except Problem as problem:
            return await self._form(visit, form, problem)
        return redirect(upload_url(upload))

    async def _form(self, visit: Visit, typed: Form, problem: Problem | None = None) -> Response:
        count = len(await asyncio.to_thread(self._ids, visit, typed))
        query = typed.get("query")
        return self._pages.answer(
            "copy",
            visit,
            status=200 if problem is None else 422,
            problem=problem,
            count=count,
            count_max=COUNT_MAX,
            ids=typed.all("id"),
            query=query,
            targets=self._targets(visit),
            target=typed.get("target"),
            identities=typed.exact("identities"),
            unmapped=typed.get("unmapped"),
            back=list_url(visit.place.tracker, query),
        )

    def _targets(self, visit: Visit) -> list[TrackerLink]:
        """Other trackers that the user may change."""
        return [
            each
            for each in self._pages.trackers(visit.user, visit.place.tracker)
            if not each.is_here and access.may(visit.user, "change", each.id)
        ]

    def _target(self, visit: Visit) -> TrackerId:
        """Raises FaultyFields; of a tracker that is hidden from the user it says no more than of one that is not."""
        wanted = visit.form.get("target")
        if wanted not in [each.id for each in self._targets(visit)]:
            told = "Choose one of those that you may change"
            raise FaultyFields("No tracker to copy to is chosen", {"to": [told]})
        return TrackerId(wanted)

    def _ids(self, visit: Visit, form: Form) -> list[CustomizationId]:
        """Raises UsageFault for too many."""
        ids = [CustomizationId(each) for each in form.all("id") if _ID.fullmatch(each)]
        if not ids:
            asked = read_asked(_fields(form.get("query")))
            roster = self._rosters.of(visit.place)
            ids = found_ids(roster, asked, self._service.clock())
        if len(ids) > COUNT_MAX:
            raise UsageFault(
                f"{len(ids):,} match, and at most {COUNT_MAX:,} can be copied at once: narrow the filter"
            )
        return ids


def _query(query: Form) -> str:
    """The list's own, without its page."""
    return query_of(read_asked(query), page=1)


def _fields(query: str) -> Form:
    """Raises MalformedBody."""
    try:
        return Form(parse_qsl(query, max_num_fields=QUERY_FIELDS_MAX))
    except ValueError as error:
        raise MalformedBody("The form cannot be read", {"query": [str(error)]}) from error


def _identities(form: Form) -> str | None:
    """The map, from a file or as it was typed; None: items are called the same there. Raises FaultyFields."""
    sent, typed = form.files.get("map"), form.exact("identities")
    if sent is not None and typed.strip():
        told = "Choose a file or paste a table, one of the two"
        raise FaultyFields("There are two maps", {"map": [told]})
    if sent is None:
        return typed if typed.strip() else None
    try:
        return sent.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        told = "Save it as CSV in UTF-8"
        raise FaultyFields("The map cannot be read", {"map": [told]}) from error
