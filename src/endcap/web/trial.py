"""
What a customization would do, before anybody saves it: one answer with it and one without, each slot and pin explained.

The engine is asked twice, with the customization laid into the snapshot and as things are; nothing is written. What
differs between the two answers is marked.
"""

import random
import re
from collections.abc import Mapping, Sequence
from typing import Literal, assert_never

from msgspec import Struct

from endcap.criteria import AnyOf
from endcap.domain import (
    IDENTITY_CHARACTERS_MAX,
    CriteriaTarget,
    Customization,
    CustomizationId,
    Definition,
    ItemId,
    ItemTarget,
    Micros,
    Target,
)
from endcap.engine.catalog import Catalog
from endcap.errors import FaultyFields, MalformedBody, Problem
from endcap.recommending import Recommending
from endcap.service import Service
from endcap.shops import Shop
from endcap.verdicts import meaning
from endcap.web import words
from endcap.web.conflicts import Conflict, Conflicts, company, conflicts
from endcap.web.counting import Count, counted
from endcap.web.one import SHOWN_VERDICTS, VERDICT_WORDS, Judged, one_url
from endcap.web.sheets import Sheet
from endcap.web.shown import Gallery, Thing
from endcap.web.writing import Written
from endcap.wire.customizations import read_definition
from endcap.wire.recommending import SIZE_DEFAULT, SIZE_MAX, Explanation, ItemShown, Request

_SEED = 19  # lots are drawn alike, so that what differs is the customization's doing
_PIN_NAME = re.compile(r"pin (\d+) of customization ([0-9a-z-]+)")
Mark = Literal["", "new", "moved", "gone"]


class Scene(Struct, frozen=True):
    """Who looks at what, where and when. `input` empty: what the target suggests."""

    widget: str = ""
    size: int = SIZE_DEFAULT
    input: str = ""
    shopper: str = ""
    at: Micros | None = None


class Card(Struct, frozen=True):
    """One slot of an answer. `pin` is the number in the form of the pin that put it there."""

    slot: int
    thing: Thing
    price: str
    source: str
    url: str
    pin: int | None
    mark: Mark
    told: str
    """What the mark means here."""


class Clash(Struct, frozen=True):
    """A conflict in words; `url` and `title` are the other customization's."""

    text: str
    when: str
    wins: bool
    url: str
    title: str


class Trial(Struct, frozen=True):
    """`input`, `at` as they were taken; `problem` where there is no answer, `notice` what to know about it."""

    input: str
    at: Micros
    after: Sequence[Card] = ()
    before: Sequence[Card] = ()
    verdicts: Mapping[int, Judged] = {}
    counts: Sequence[Count] = ()
    clashes: Sequence[Clash] = ()
    more_clashes: int = 0
    problem: str = ""
    notice: str = ""
    awake: frozenset[int] = frozenset()
    """The pins of the form that are awake in the scene."""
    left_out: frozenset[int] = frozenset()
    """Those that say too little to be tried."""


class Trying(Struct, frozen=True):
    """What a trial is made from."""

    service: Service
    recommending: Recommending
    shop: Shop
    id: CustomizationId
    created_at: Micros
    """Of the customization; ranks go by it."""
    sheet: Sheet
    written: Written
    scene: Scene
    now: Micros

    @property
    def at(self) -> Micros:
        return self.now if self.scene.at is None else self.scene.at

    @property
    def gallery(self) -> Gallery:
        return Gallery(self.shop.snapshot.catalog, self.at, self.service.settings)

    def candidate(self) -> Customization | None:
        """What the form says, as the engine takes it; None where it does not say enough."""
        if self.written.document is None:
            return None
        try:
            definition = read_definition(self.written.document)
        except (FaultyFields, MalformedBody):
            return None
        if self.service.objection(self.shop, definition) is not None:
            return None
        return _customization(self.id, definition, self.created_at, self.shop.revision)


def _customization(
    id_: CustomizationId, definition: Definition, created_at: Micros, revision: int
) -> Customization:
    return Customization(
        id_,
        definition.model,
        definition.target,
        definition.pins,
        created_at,
        revision,
        bool(definition.disabled),
    )


def trial(asked: Trying) -> Trial:
    """All that the page tells of a sheet, whether or not it is whole. Blocks for some milliseconds."""
    catalog = asked.shop.snapshot.catalog
    counts = counted(asked.sheet, catalog, asked.gallery)
    candidate = asked.candidate()
    input_ = asked.scene.input or (
        _suggested(catalog, candidate.target) if candidate else asked.sheet.item
    )
    empty = Trial(input_, asked.at, counts=counts)
    model = asked.sheet.model
    if not model:
        return _told(empty, notice="Choose a recommender to see what shoppers get.")
    items = (ItemId(input_[:IDENTITY_CHARACTERS_MAX]),) if input_ else ()
    request = Request(
        model, asked.scene.widget or None, asked.scene.shopper or None, items, size=asked.scene.size
    )
    try:
        before = asked.recommending.explain(
            asked.shop, request, now=asked.at, chance=random.Random(_SEED)
        )
        after = before
        if candidate is not None:
            after = asked.recommending.explain(
                asked.shop,
                request,
                now=asked.at,
                candidate=candidate,
                chance=random.Random(_SEED),
            )
    except Problem:
        return _told(
            empty,
            problem=f"No recommender is called {model}. Its customizations act once it exists.",
        )
    return _answered(asked, request, candidate, before, after, counts)


def _suggested(catalog: Catalog, target: Target) -> str:
    """An item for which it would speak: its target, or the most popular that meets the criteria."""
    match target:
        case ItemTarget(identity):
            return identity
        case CriteriaTarget(AnyOf("identity", terms)):
            named = (str(value) for kind, value in terms if kind == "text")
            return next((each for each in named if catalog.number(each) is not None), "")
        case CriteriaTarget(rule):
            leaders = catalog.apart().matches(rule).leaders
            return catalog.identity(leaders[0]) if leaders else ""
        case _:
            return ""


def _told(trial: Trial, *, problem: str = "", notice: str = "") -> Trial:
    return Trial(trial.input, trial.at, counts=trial.counts, problem=problem, notice=notice)


def _answered(
    asked: Trying,
    request: Request,
    candidate: Customization | None,
    before: Explanation,
    after: Explanation,
    counts: Sequence[Count],
) -> Trial:
    gallery = asked.gallery
    was = {each.url: each.slot for each in before.items}
    will = {each.url: each.slot for each in after.items}
    found = Conflicts(())
    if candidate is not None and not candidate.disabled:
        found = _conflicts(asked, candidate, request)
    return Trial(
        request.items[0] if request.items else "",
        asked.at,
        [_card(asked, gallery, each, _come(each, was)) for each in after.items],
        [_card(asked, gallery, each, _went(each, will)) for each in before.items],
        _verdicts(asked, gallery, after),
        counts,
        [_clash(asked, gallery, each) for each in found.shown],
        found.more,
        notice=_notice(asked, candidate, after),
        awake=_awake(asked, candidate),
        left_out=frozenset(range(len(asked.sheet.pins))) - frozenset(asked.written.pins),
    )


def _notice(asked: Trying, candidate: Customization | None, after: Explanation) -> str:
    if candidate is None:
        return "What you type is not whole yet, so this is what shoppers get now."
    if candidate.disabled:
        return "It is disabled, so it changes nothing."
    if candidate.pins and not any(each.customization_id == asked.id for each in after.pins):
        return "It has no say here: its target is not met by the item that is looked at."
    if asked.shop.recommenders.external(candidate.model) is not None:
        return "This recommender asks a service elsewhere, which is not asked for a trial: its fallback is shown."
    return ""


def _awake(asked: Trying, candidate: Customization | None) -> frozenset[int]:
    """The pins that may act in the scene; where nothing is known yet, all."""
    if candidate is None:
        return frozenset(range(len(asked.sheet.pins)))
    widget = asked.scene.widget
    return frozenset(
        number
        for number, pin in zip(asked.written.pins, candidate.pins, strict=True)
        if pin.window.contains(asked.at) and (pin.widget is None or pin.widget == widget)
    )


# Slots


def _come(each: ItemShown, was: Mapping[str, int]) -> tuple[Mark, str]:
    slot = was.get(each.url)
    if slot is None:
        return "new", "not shown now"
    return ("", "") if slot == each.slot else ("moved", f"from slot {slot}")


def _went(each: ItemShown, will: Mapping[str, int]) -> tuple[Mark, str]:
    slot = will.get(each.url)
    if slot is None:
        return "gone", "no longer shown"
    return ("", "") if slot == each.slot else ("moved", f"moves to slot {slot}")


def _card(asked: Trying, gallery: Gallery, each: ItemShown, mark: tuple[Mark, str]) -> Card:
    is_own = each.customization_id == asked.id
    url = ""
    pin = None
    if each.pin is not None and each.customization_id is not None:
        number = each.pin
        if is_own and number < len(asked.written.pins):
            pin = number = asked.written.pins[number]
        source = f"pin {number + 1}"
        if not is_own:
            url = one_url(asked.shop, CustomizationId(each.customization_id))
            source += f" of {_title(asked, gallery, each.customization_id)}"
    elif each.from_ == "ranking":
        source = "recommender" if each.place is None else f"recommender, place {each.place}"
    else:
        source = "fallback: popular items"
    return Card(
        each.slot,
        gallery.item(each.url),
        price_of(asked.shop.snapshot.catalog, each.url),
        source,
        url,
        pin,
        *mark,
    )


def price_of(catalog: Catalog, identity: str) -> str:
    """As the shop writes it; empty where it does not say."""
    number = catalog.number(identity)
    if number is None:
        return ""
    attributes = catalog.attributes(number)
    price = attributes.get("price")
    if isinstance(price, list) and price:
        price = price[0]
    if not isinstance(price, str):
        price = attributes.get("price_amount")
    return f"{price:,.2f}" if isinstance(price, float) else str(price or "")


def _title(asked: Trying, gallery: Gallery, id_: str) -> str:
    known = asked.shop.snapshot.rules.customization(CustomizationId(id_))
    return "another customization" if known is None else f"“{gallery.target(known).title}”"


# Pins


def _verdicts(asked: Trying, gallery: Gallery, after: Explanation) -> dict[int, Judged]:
    """By the pin's number in the form, from 0."""
    numbers = asked.written.pins
    return {
        numbers[each.pin]: Judged(
            VERDICT_WORDS.get(each.verdict, each.verdict),
            _because(asked, gallery, meaning(each.verdict, each.because)),
            each.slot,
            each.verdict in SHOWN_VERDICTS,
        )
        for each in after.pins
        if each.customization_id == asked.id and each.pin < len(numbers)
    }


def _because(asked: Trying, gallery: Gallery, said: str) -> str:
    """With pins counted as people do, and customizations called as people do."""

    def called(match: re.Match[str]) -> str:
        number, id_ = int(match[1]), match[2]
        if id_ != asked.id:
            return f"pin {number + 1} of {_title(asked, gallery, id_)}"
        return f"pin {asked.written.pins[number] + 1}" if number < len(asked.written.pins) else ""

    return _PIN_NAME.sub(called, said)


# Conflicts


def _conflicts(asked: Trying, candidate: Customization, request: Request) -> Conflicts:
    """With those who speak in the scene, and on the page of its own target."""
    rules, catalog = asked.shop.snapshot.rules, asked.shop.snapshot.catalog
    pages = [request.items]
    if isinstance(candidate.target, ItemTarget):
        pages.append((candidate.target.identity,))
    elif isinstance(candidate.target, CriteriaTarget) and request.items:
        usual = _suggested(catalog, candidate.target)
        pages.append((ItemId(usual),) if usual else ())
    others = (
        each
        for items in dict.fromkeys(pages)
        for each in rules.speaking(catalog, model=candidate.model, items=items)
    )
    return conflicts(candidate, company(candidate, others), catalog, now=asked.at)


def _clash(asked: Trying, gallery: Gallery, found: Conflict) -> Clash:
    own = f"pin {asked.written.pins[found.pin] + 1}"
    place = words.place_text(found.other.pins[found.its].place)
    thing = gallery.item(found.item).title if found.item else ""
    match found.what:
        case "slot":
            text = f"wants {place} too, like {own}"
        case "item":
            text = f"pins {thing} too, to {place}, like {own}"
        case "blocks":
            text = f"pins {thing}, which {own} keeps out"
        case "blocked":
            text = f"keeps out {thing}, which is {own}"
        case _:
            assert_never(found.what)
    is_now = found.when.contains(asked.at)
    zone = asked.service.settings.zone
    return Clash(
        f"{text}; {found.because}.",
        "" if is_now else words.window_text(found.when, asked.at, zone),
        found.wins,
        one_url(asked.shop, found.other.id),
        gallery.target(found.other).title,
    )


def size_of(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 5 else SIZE_DEFAULT
    return max(1, min(number, SIZE_MAX))
