"""
The list of customizations: filters in the URL, counts beside them, a page of rows.
"""

import asyncio
from collections.abc import Mapping, Sequence
from math import ceil
from typing import get_args
from urllib.parse import urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.bulk import CHANGED_MAX
from endcap.domain import CustomizationId, Micros, Priority
from endcap.engine.roster import STATUSES, Findings, Order, Question, Roster, Status
from endcap.web import words
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.pages import base_of
from endcap.web.sections import CUSTOMIZATIONS
from endcap.web.shown import Gallery, Row
from endcap.web.toasts import told_of
from endcap.web.visits import Form, Visit

PAGE_SIZE = 50
PAGES_MAX = 100_000
TEXT_CHARACTERS_MAX = 200
ORDER_DEFAULT: Order = "updated"
KINDS: Mapping[str, Priority] = {
    "item": Priority.ITEM,
    "criteria": Priority.CRITERIA,
    "all": Priority.ALL,
}
STATUS_WORDS: Mapping[Status, str] = {
    "active": "Active",
    "scheduled": "Scheduled",
    "expired": "Expired",
    "disabled": "Disabled",
    "empty": "No pins",
    "broken": "Broken",
}
EXPORT_WORDS: Mapping[str, str] = {
    "csv": "CSV, a row a pin",
    "xlsx": "Spreadsheet (XLSX)",
    "json": "JSON",
    "yaml": "YAML",
}
SORTS: Mapping[str, str] = {
    "-updated": "Changed last",
    "updated": "Changed first",
    "-created": "Newest",
    "created": "Oldest",
    "target": "Target, A to Z",
    "-target": "Target, Z to A",
    "model": "Recommender",
    "author": "Author",
    "closes": "Ends soonest",
}


class Asked(Struct, frozen=True):
    """What a list's URL says."""

    question: Question
    order: Order
    descending: bool
    page: int

    @property
    def sort(self) -> str:
        return ("-" if self.descending else "") + self.order


class Found(Struct, frozen=True):
    """One page of a list, and what is counted beside it."""

    findings: Findings
    rows: list[Row]
    page: int
    pages: int
    fingerprint: str
    drafted: Mapping[str, str]
    """Those of the rows that have a draft, and when that is to be published."""


class ListPages(PageModule):
    sections = (CUSTOMIZATIONS,)

    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._rosters = ground.rosters
        self._pages = ground.pages

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/customizations"
        return (Route("GET", path, "look", self.listing, CUSTOMIZATIONS),)

    async def listing(self, visit: Visit) -> Response:
        asked = read_asked(visit.query)
        found = await asyncio.to_thread(self._find, visit, asked)
        findings = found.findings
        return self._pages.answer(
            "list",
            visit,
            asked=asked,
            found=found,
            total=findings.total,
            count=len(findings),
            tabs=_tabs(visit, asked, findings),
            statuses=[(each, STATUS_WORDS[each], findings.statuses[each]) for each in STATUSES],
            tags=_with_chosen(findings.tags, asked.question.tags),
            authors=_with_chosen(
                findings.authors, (asked.question.author,) if asked.question.author else ()
            ),
            sorts=SORTS,
            kinds=[("item", "One item"), ("criteria", "Criteria"), ("all", "Everything")],
            chosen_kinds=[name for name, each in KINDS.items() if each in asked.question.targets],
            is_filtered=asked.question != Question(),
            query=query_of(asked, page=1),
            previous=_page_url(visit, asked, found.page - 1) if found.page > 1 else "",
            next=_page_url(visit, asked, found.page + 1) if found.page < found.pages else "",
            first=(found.page - 1) * PAGE_SIZE + 1,
            clear=f"{base_of(visit.place.tracker)}/customizations",
            changed_max=CHANGED_MAX,
            told=told_of(visit.query),
            formats=EXPORT_WORDS,
        )

    def _find(self, visit: Visit, asked: Asked) -> Found:
        shop = visit.place
        roster = self._rosters.of(shop)
        now = self._service.clock()
        findings = roster.find(asked.question, now, order=asked.order, descending=asked.descending)
        pages = max(1, ceil(len(findings) / PAGE_SIZE))
        page = min(asked.page, pages)
        chosen = findings.rows[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        gallery = Gallery(roster.catalog, now, self._service.settings)
        rows = [gallery.row(each) for each in roster.customizations(chosen)]
        drafts = self._service.store.drafts_named(
            shop.tracker, [CustomizationId(row.id) for row in rows]
        )
        drafted: dict[str, str] = {
            id_: "" if each.publish_at is None else words.full_text(each.publish_at, gallery.zone)
            for id_, each in drafts.items()
        }
        return Found(findings, rows, page, pages, _fingerprint(roster, findings), drafted)


def _fingerprint(roster: Roster, findings: Findings) -> str:
    """Of all that match, for who wants to change them all."""
    return roster.fingerprint(findings.rows) if 0 < len(findings) <= CHANGED_MAX else ""


def found_ids(roster: Roster, asked: Asked, now: Micros) -> list[CustomizationId]:
    """All that a list finds, in its order."""
    found = roster.find(asked.question, now, order=asked.order, descending=asked.descending)
    return [each.id for each in roster.customizations(found.rows)]


def read_asked(query: Form) -> Asked:
    """What cannot be understood is left out: a list shows more rather than an error."""
    sort = query.get("sort")
    order = next((each for each in get_args(Order) if each == sort.removeprefix("-")), None)
    status = next((each for each in STATUSES if each == query.get("status")), None)
    page = query.get("page")
    return Asked(
        Question(
            _given(query, "model"),
            _given(query, "tag"),
            tuple(KINDS[each] for each in _given(query, "target") if each in KINDS),
            query.get("item"),
            query.get("author"),
            query.get("q")[:TEXT_CHARACTERS_MAX],
            status,
        ),
        order or ORDER_DEFAULT,
        sort.startswith("-") if order else True,
        min(int(page), PAGES_MAX) if page.isascii() and page.isdigit() and page.strip("0") else 1,
    )


def _given(query: Form, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in query.all(name) if each))


def query_of(
    asked: Asked, *, page: int | None = None, models: tuple[str, ...] | None = None
) -> str:
    """The same as a query: the shortest one that says it."""
    question = asked.question
    names = {priority: name for name, priority in KINDS.items()}
    pairs: list[tuple[str, str]] = []
    pairs += [("model", each) for each in (question.models if models is None else models)]
    pairs += [("tag", each) for each in question.tags]
    pairs += [("target", names[each]) for each in question.targets]
    pairs += [(name, value) for name, value in _singles(asked) if value]
    number = asked.page if page is None else page
    if number > 1:
        pairs.append(("page", str(number)))
    return urlencode(pairs)


def _singles(asked: Asked) -> list[tuple[str, str]]:
    question = asked.question
    sort = "" if asked.sort == f"-{ORDER_DEFAULT}" else asked.sort
    return [
        ("item", question.item),
        ("author", question.author),
        ("q", question.text),
        ("status", question.status or ""),
        ("sort", sort),
    ]


def list_url(tracker: str, query: str) -> str:
    return f"{base_of(tracker)}/customizations" + (f"?{query}" if query else "")


class Tab(Struct, frozen=True):
    name: str
    count: int
    url: str
    is_chosen: bool


def _tabs(visit: Visit, asked: Asked, findings: Findings) -> list[Tab]:
    """All, then each recommender that has some, and those that are chosen even if they have none."""
    tracker, chosen = visit.place.tracker, asked.question.models
    counts = _with_chosen(findings.models, chosen)
    everything = Tab(
        "All",
        sum(findings.models.values()),
        list_url(tracker, query_of(asked, page=1, models=())),
        not chosen,
    )
    return [
        everything,
        *(
            Tab(
                name,
                count,
                list_url(tracker, query_of(asked, page=1, models=(name,))),
                name in chosen,
            )
            for name, count in counts.items()
        ),
    ]


def _with_chosen(counts: Mapping[str, int], chosen: tuple[str, ...]) -> Mapping[str, int]:
    return dict(sorted({**dict.fromkeys(chosen, 0), **counts}.items()))


def _page_url(visit: Visit, asked: Asked, page: int) -> str:
    return list_url(visit.place.tracker, query_of(asked, page=page))
