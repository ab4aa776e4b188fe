"""
The calendar: which campaigns are on when, a month or a week at a time, and moving one by days.

A campaign is a customization with a window. Each has a row, each of its windows a bar; a bar that is moved takes all
pins of that window along, and each keeps its time of day on the shop's clock. What would change is told in words
before anything is written, and written only over the revision that was shown.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, tzinfo
from typing import Literal, get_args
from urllib.parse import parse_qsl, urlencode

from msgspec import Struct

from endcap.api.http import Response
from endcap.domain import Customization, CustomizationId, Definition, Micros, Window
from endcap.engine.roster import Question
from endcap.errors import FaultyFields, Problem, RevisionConflict
from endcap.shops import Shop
from endcap.store.writes import ReplaceCustomization
from endcap.telemetry import log
from endcap.web import times, words
from endcap.web.bars import Bar, Period, View, bars_of, before, period_of
from endcap.web.lists import Asked as ListAsked
from endcap.web.lists import list_url, query_of
from endcap.web.modules import TRACKER, Ground, PageModule, Route
from endcap.web.one import one_url
from endcap.web.pages import base_of
from endcap.web.sections import CALENDAR
from endcap.web.shown import Gallery, Thing
from endcap.web.toasts import told_of, told_query
from endcap.web.visits import Form, Visit, redirect
from endcap.wire.amending import moved_by_days

ROWS_MAX = 300  # of a page; a browser lays them out at once
ROWS_OF_MODEL_MAX = 60  # unless only one is asked for
BARS_OF_ROW_MAX = 6
DAYS_MAX = 3_650
FILTERS_MAX = 50
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)
What = Literal["move", "end", "begin"]
VIEWS: tuple[View, ...] = get_args(View)
VIEW_WORDS: Mapping[View, str] = {"month": "Month", "week": "Week"}
WHATS: tuple[What, ...] = get_args(What)
WHAT_WORDS: Mapping[What, str] = {
    "move": "The whole window",
    "end": "Its end",
    "begin": "Its beginning",
}
_ID = re.compile(r"[0-9a-zA-Z-]{1,64}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,5}", re.ASCII)
_INSTANT = re.compile(r"-?\d{1,18}", re.ASCII)


class Asked(Struct, frozen=True):
    """What the page's address says."""

    view: View
    day: date
    models: tuple[str, ...]
    tags: tuple[str, ...]

    def query(self, *, view: View | None = None, day: date | None = None) -> str:
        pairs = [("view", view or self.view), ("day", (day or self.day).isoformat())]
        pairs += [("model", each) for each in self.models]
        pairs += [("tag", each) for each in self.tags]
        return urlencode(pairs)


class BarShown(Struct, frozen=True):
    """`first` and `days` are columns, the first is 1; `said` is the window in full, `brief` its days."""

    first: int
    days: int
    lane: int
    begins_before: bool
    ends_after: bool
    state: str
    brief: str
    said: str
    pins: str
    opens: str
    closes: str
    url: str
    """Of the form that moves it."""


class Campaign(Struct, frozen=True):
    id: str
    revision: int
    url: str
    target: Thing
    bars: Sequence[BarShown]
    more: int
    lanes: int


class Chapter(Struct, frozen=True):
    """The campaigns of one recommender; `more` are not shown, and where they are listed."""

    model: str
    campaigns: Sequence[Campaign]
    more: int
    url: str
    alone_url: str


class Day(Struct, frozen=True):
    number: int
    letter: str
    word: str
    full: str
    is_weekend: bool
    is_monday: bool
    is_today: bool


class Wish(Struct, frozen=True):
    """A window to be moved, as a form names it."""

    id: CustomizationId
    revision: int
    window: Window
    what: What
    days: int | None


class Moved(Struct, frozen=True):
    """A window, what it would be, and the definition that has it so."""

    definition: Definition
    after: Window


class CalendarPages(PageModule):
    sections = (CALENDAR,)

    def __init__(self, ground: Ground) -> None:
        self._service = ground.service
        self._rosters = ground.rosters
        self._bulk = ground.bulk
        self._pages = ground.pages
        self._zone: tzinfo = ground.service.settings.zone

    def routes(self) -> Sequence[Route]:
        path = f"{TRACKER}/calendar"
        return (
            Route("GET", path, "look", self.page, CALENDAR),
            Route("GET", f"{path}/move", "change", self.moving, CALENDAR),
            Route("POST", f"{path}/move", "change", self.move, CALENDAR),
        )

    # Looking

    async def page(self, visit: Visit) -> Response:
        today = times.day_of(self._service.clock(), self._zone)
        return await asyncio.to_thread(self._page, visit, read_asked(visit.query, today), today)

    def _page(self, visit: Visit, asked: Asked, today: date) -> Response:
        shop, now = visit.place, self._service.clock()
        period = period_of(asked.view, asked.day, self._zone)
        roster = self._rosters.of(shop)
        question = Question(asked.models, asked.tags)
        found = roster.find(question, now, order="created", descending=False)
        windowed = roster.windowed(found.rows, since=period.since, until=period.until)
        held = roster.customizations(windowed.rows)
        gallery = Gallery(roster.catalog, now, self._service.settings)
        url = f"{base_of(shop.tracker)}/calendar"
        return self._pages.answer(
            "calendar",
            visit,
            asked=asked,
            title=_title(asked.view, period),
            days=[_day(each, today) for each in period.dates()],
            today=period.column(today) + 1,
            chapters=list(self._chapters(shop, asked, held, period, gallery)),
            count=len(held),
            always=windowed.always,
            silent=windowed.silent,
            list_url=_list_url(shop, asked.models, asked.tags),
            previous=f"{url}?{asked.query(day=before(period))}",
            next=f"{url}?{asked.query(day=period.after)}",
            this=f"{url}?{asked.query(day=today)}",
            is_now=period.first <= today < period.after,
            views=[
                (view, word, f"{url}?{asked.query(view=view)}") for view, word in VIEW_WORDS.items()
            ],
            models=_with_chosen(found.models, asked.models),
            tags=_with_chosen(found.tags, asked.tags),
            clear=f"{url}?{Asked(asked.view, asked.day, (), ()).query()}",
            zone=self._service.settings.console_time_zone,
            query=asked.query(),
            url=url,
            told=told_of(visit.query),
        )

    def _chapters(
        self,
        shop: Shop,
        asked: Asked,
        held: Sequence[Customization],
        period: Period,
        gallery: Gallery,
    ) -> Iterator[Chapter]:
        """By recommender, as many of each as there is room for."""
        by_model: dict[str, list[Customization]] = {}
        for each in held:
            by_model.setdefault(each.model, []).append(each)
        room = rooms({model: len(all_) for model, all_ in by_model.items()})
        for model, all_ in by_model.items():
            shown = all_[: room[model]]
            alone = Asked(asked.view, asked.day, (model,), asked.tags)
            is_alone = asked.models == (model,)
            yield Chapter(
                model,
                [self._campaign(shop, asked, each, period, gallery) for each in shown],
                len(all_) - len(shown),
                _list_url(shop, (model,), asked.tags),
                "" if is_alone else f"{base_of(shop.tracker)}/calendar?{alone.query()}",
            )

    def _campaign(
        self, shop: Shop, asked: Asked, each: Customization, period: Period, gallery: Gallery
    ) -> Campaign:
        bars = bars_of(each.pins, period)
        shown = bars[:BARS_OF_ROW_MAX]
        return Campaign(
            each.id,
            each.revision,
            one_url(shop, each.id),
            gallery.target(each),
            [self._bar(shop, asked, each, bar) for bar in shown],
            len(bars) - len(shown),
            max((bar.lane + 1 for bar in shown), default=1),
        )

    def _bar(self, shop: Shop, asked: Asked, each: Customization, bar: Bar) -> BarShown:
        now, window = self._service.clock(), bar.window
        state = "active" if window.contains(now) else "over"
        if window.opens is not None and window.opens > now:
            state = "scheduled"
        opens, closes = _bound(window.opens), _bound(window.closes)
        named = {"id": each.id, "revision": each.revision, "opens": opens, "closes": closes}
        return BarShown(
            bar.first + 1,
            bar.days,
            bar.lane + 1,
            bar.begins_before,
            bar.ends_after,
            state,
            brief(window, self._zone, asked.day.year),
            said(window, self._zone),
            words.plural(len(bar.pins), "pin"),
            opens,
            closes,
            f"{base_of(shop.tracker)}/calendar/move?{urlencode(named)}&{asked.query()}",
        )

    # Moving

    async def moving(self, visit: Visit) -> Response:
        """The form. Raises FaultyFields, RevisionConflict."""
        wish = read_wish(visit.query)
        known = _known(visit.place, wish)
        return self._form(visit, wish, known, _kept_query(visit.query), "")

    async def move(self, visit: Visit) -> Response:
        """
        What would be, in words, and the form that says yes; then it is done. Raises FaultyFields, RevisionConflict.
        """
        wish = read_wish(visit.form)
        known, query = _known(visit.place, wish), visit.form.get("query")
        try:
            moved = await asyncio.to_thread(self._moved, visit.place, known, wish)
        except FaultyFields as fault:
            return self._form(visit, wish, known, query, _objection(fault))
        if visit.form.get("confirmed") != "yes":
            return self._confirm(visit, wish, known, moved, query)
        now, shop = self._service.clock(), visit.place
        expected = frozenset({wish.revision})
        write = ReplaceCustomization(
            shop.tracker, wish.id, moved.definition, visit.user.name, now, expected
        )
        done = await self._bulk.carry_out(shop.tracker, [write], now=now)
        if not done.changed:
            raise RevisionConflict
        log.info("window moved", tracker=shop.tracker, user=visit.user.name, id=wish.id)
        told = told_query("move", 1, 0, done)
        return redirect(f"{_back_url(shop, query)}{told}#c-{known.id}")

    def _moved(self, shop: Shop, known: Customization, wish: Wish) -> Moved:
        """Blocks. Raises FaultyFields, RevisionConflict."""
        pins = _pins(known, wish.window)
        days = wish.days
        if days is None or not 0 < abs(days) <= DAYS_MAX:
            told = f"A whole number of days, at most {DAYS_MAX:,}; -7 is a week earlier"
            raise FaultyFields("It cannot be moved by this", {"days": [told]})
        record = self._service.store.customization(shop.tracker, wish.id)
        if record is None or record.revision != wish.revision:
            raise RevisionConflict
        definition = moved_by_days(
            record,
            pins,
            opens=0 if wish.what == "end" else days,
            closes=0 if wish.what == "begin" else days,
            zone=self._zone,
        )
        if definition is None:
            raise FaultyFields("There is nothing to move", {"what": ["It has no such bound"]})
        return Moved(definition, definition.pins[pins[0]].window)

    def _form(
        self, visit: Visit, wish: Wish, known: Customization, query: str, objection: str
    ) -> Response:
        pins, window = _pins(known, wish.window), wish.window
        can: list[What] = ["move"]
        can += ["end"] if window.closes is not None else []
        can += ["begin"] if window.opens is not None else []
        typed = visit.form.get("days") or visit.query.get("days")
        return self._pages.answer(
            "move",
            visit,
            status=422 if objection else 200,
            target=self._gallery(visit.place).target(known),
            wish=wish,
            model=known.model,
            pins=words.plural(len(pins), "pin"),
            all_pins=len(known.pins),
            others=len(known.pins) - len(pins),
            now_said=said(window, self._zone),
            kinds=[(each, WHAT_WORDS[each]) for each in can],
            typed=typed,
            objection=objection,
            fields=_fields(wish, query),
            days_max=DAYS_MAX,
            back=_back_url(visit.place, query),
            url=f"{base_of(visit.place.tracker)}/calendar/move",
            one_url=one_url(visit.place, known.id),
        )

    def _confirm(
        self, visit: Visit, wish: Wish, known: Customization, moved: Moved, query: str
    ) -> Response:
        pins = _pins(known, wish.window)
        now = self._service.clock()
        return self._pages.answer(
            "moved",
            visit,
            target=self._gallery(visit.place).target(known),
            model=known.model,
            question=_question(wish),
            pins=words.plural(len(pins), "pin"),
            others=len(known.pins) - len(pins),
            before=said(wish.window, self._zone),
            after=said(moved.after, self._zone),
            consequence=_consequence(wish.window, moved.after, now),
            fields=[*_fields(wish, query), ("what", wish.what), ("days", str(wish.days))],
            back=_back_url(visit.place, query),
            url=f"{base_of(visit.place.tracker)}/calendar/move",
        )

    def _gallery(self, shop: Shop) -> Gallery:
        return Gallery(shop.snapshot.catalog, self._service.clock(), self._service.settings)


def rooms(
    counts: Mapping[str, int], *, rows_max: int = ROWS_MAX, of_model_max: int = ROWS_OF_MODEL_MAX
) -> Mapping[str, int]:
    """How many rows each recommender gets of a page, by how many it has, in their order; one alone has all the page."""
    most = rows_max if len(counts) == 1 else of_model_max
    room: dict[str, int] = {}
    for model, count in counts.items():
        room[model] = min(count, most, rows_max - sum(room.values()))
    return room


def read_asked(query: Form, today: date) -> Asked:
    """What cannot be understood is left out."""
    view: View = next((each for each in VIEWS if each == query.get("view")), "month")
    try:
        day = date.fromisoformat(query.get("day"))
    except ValueError:
        day = today
    return Asked(
        view, min(max(day, FIRST_DAY), LAST_DAY), _given(query, "model"), _given(query, "tag")
    )


def _given(query: Form, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each for each in query.all(name) if each))[:FILTERS_MAX]


def read_wish(form: Form) -> Wish:
    """Raises FaultyFields."""
    revision, days = form.get("revision"), form.get("days")
    bounds = [form.get("opens"), form.get("closes")]
    if (
        not _ID.fullmatch(form.get("id"))
        or not (revision.isascii() and revision.isdigit() and len(revision) <= 18)
        or not all(each == "" or _INSTANT.fullmatch(each) for each in bounds)
    ):
        raise FaultyFields("The form cannot be read", {"id": ["Must say which window, as it was"]})
    opens, closes = (Micros(int(each)) if each else None for each in bounds)
    what: What = next((each for each in WHATS if each == form.get("what")), "move")
    id_ = CustomizationId(form.get("id").lower())
    number = int(days) if _NUMBER.fullmatch(days) else None
    return Wish(id_, int(revision), Window(opens, closes), what, number)


def _known(shop: Shop, wish: Wish) -> Customization:
    """As it was shown. Raises RevisionConflict, FaultyFields for a window that no pin of it has."""
    known = shop.snapshot.rules.customization(wish.id)
    if known is None or known.revision != wish.revision:
        raise RevisionConflict
    if not _pins(known, wish.window):
        raise FaultyFields("The form cannot be read", {"opens": ["No pin has this window"]})
    return known


def _pins(known: Customization, window: Window) -> list[int]:
    if window == Window():
        return []
    return [index for index, pin in enumerate(known.pins) if pin.window == window]


def _fields(wish: Wish, query: str) -> list[tuple[str, str]]:
    return [
        ("id", wish.id),
        ("revision", str(wish.revision)),
        ("opens", _bound(wish.window.opens)),
        ("closes", _bound(wish.window.closes)),
        ("query", query),
    ]


def _bound(at: Micros | None) -> str:
    return "" if at is None else str(at)


def _objection(fault: Problem) -> str:
    """In words of days, not of fields."""
    told = [each for messages in fault.details.values() for each in messages]
    if any("before active_to" in each for each in told):
        return "It would end before it begins"
    if any("9999" in each for each in told):
        return "It would leave the years that a calendar has"
    return told[0] if told else str(fault)


def _kept_query(query: Form) -> str:
    """Of the page that a link to the form stands on."""
    kept = ("view", "day", "model", "tag")
    return urlencode([(key, value) for key, value in query.pairs if key in kept])


def _back_url(shop: Shop, query: str) -> str:
    """The calendar as it was; more may be added to its query."""
    kept = _kept_query(Form(parse_qsl(query, max_num_fields=200)))
    return f"{base_of(shop.tracker)}/calendar?" + (f"{kept}&" if kept else "")


def _list_url(shop: Shop, models: tuple[str, ...], tags: tuple[str, ...]) -> str:
    asked = ListAsked(Question(models, tags), "closes", descending=False, page=1)
    return list_url(shop.tracker, query_of(asked))


def _with_chosen(counts: Mapping[str, int], chosen: tuple[str, ...]) -> Mapping[str, int]:
    return dict(sorted({**dict.fromkeys(chosen, 0), **counts}.items()))


def _title(view: View, period: Period) -> str:
    first, last = period.first, period.dates()[-1]
    if view == "month":
        return f"{first:%B %Y}"
    month = "" if first.month == last.month else f" {first:%b}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{first.day}{month}{year} – {last.day} {last:%b} {last.year}"


def _day(each: date, today: date) -> Day:
    return Day(
        each.day,
        f"{each:%a}"[:1],
        f"{each:%a}",
        f"{each:%A} {each.day} {each:%B %Y}",
        each.weekday() >= 5,
        each.weekday() == 0,
        each == today,
    )


def said(window: Window, zone: tzinfo) -> str:
    """`from 3 Nov 2026, 00:00 until 10 Nov 2026, 00:00`."""
    parts = []
    if window.opens is not None:
        parts.append(f"from {_moment(window.opens, zone)}")
    if window.closes is not None:
        parts.append(f"until {_moment(window.closes, zone)}")
    return " ".join(parts) or "always"


def _moment(at: Micros, zone: tzinfo) -> str:
    return f"{words.day_text(at, zone)}, {words.moment(at, zone):%H:%M}"


def brief(window: Window, zone: tzinfo, year: int) -> str:
    """The days that it covers: `3 – 9 Nov`, `28 Oct – 9 Nov`, `from 3 Nov`, `until 9 Nov 2027` in another year."""
    first = None if window.opens is None else times.day_of(window.opens, zone)
    last = None if window.closes is None else times.day_of(Micros(window.closes - 1), zone)
    if first is None:
        return f"until {_short(last, year)}" if last else "always"
    if last is None:
        return f"from {_short(first, year)}"
    if first == last:
        return _short(first, year)
    is_same = (first.year, first.month) == (last.year, last.month)
    return f"{first.day if is_same else _short(first, year)} – {_short(last, year)}"


def _short(day: date, year: int) -> str:
    return f"{day.day} {day:%b}" + ("" if day.year == year else f" {day.year}")


def _question(wish: Wish) -> str:
    days = wish.days or 0
    many = words.plural(abs(days), "day")
    match wish.what:
        case "end":
            return f"End {many} {'later' if days > 0 else 'earlier'}?"
        case "begin":
            return f"Begin {many} {'later' if days > 0 else 'earlier'}?"
        case _:
            return f"Move by {many}, {'later' if days > 0 else 'earlier'}?"


def _consequence(before: Window, after: Window, now: Micros) -> str:
    """What shoppers notice at once."""
    match before.contains(now), after.contains(now):
        case True, False:
            return (
                "It is on now, and shoppers see recommendations without it as soon as you say yes."
            )
        case False, True:
            return "It is not on now, and shoppers see it as soon as you say yes."
        case _:
            return "For shoppers nothing changes at this moment."
