"""
Lists of customizations: the arrays against the plain meaning, over random histories.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from endcap import criteria
from endcap.domain import (
    ALWAYS,
    BLOCKED,
    AllTarget,
    CatalogObject,
    CriteriaTarget,
    Customization,
    CustomizationId,
    ItemId,
    ItemTarget,
    Micros,
    Pin,
    Priority,
    Slot,
    Target,
    Window,
)
from endcap.engine.catalog import Catalog
from endcap.engine.persistent import PersistentMap
from endcap.engine.roster import (
    STATUSES,
    Order,
    Question,
    Roster,
    State,
    Status,
    Trouble,
    is_broken,
    state_of,
    trouble_of,
)
from endcap.engine.rules import Rules
from endcap.wire.labels import Label, label_of
from tests.engine.strategies import EXAMPLES

NOW = Micros(100)
IDENTITIES = [ItemId(each) for each in ("/a", "/b", "/c", "/d")]
TITLES = ["Red guitar", "blue Guitar", "Straße"]
IDS = [CustomizationId(f"{number:08x}-0000-4000-8000-000000000000") for number in range(8)]

instants = st.none() | st.sampled_from([Micros(each) for each in (50, 99, 100, 101, 200)])
windows = st.just(ALWAYS) | st.builds(Window, instants, instants)
places = st.sampled_from([Slot(1), Slot(2), BLOCKED])
RULE = criteria.read({"brand": "Fender", "price_amount": {"values": ["100|500"]}})
pins = st.one_of(
    st.builds(Pin, places, st.sampled_from(IDENTITIES), st.none(), windows),
    st.builds(Pin, places, st.none(), st.just(RULE), windows),
)
targets: st.SearchStrategy[Target] = st.one_of(
    st.just(AllTarget()),
    st.just(CriteriaTarget(RULE)),
    st.sampled_from(IDENTITIES).map(ItemTarget),
)
small = st.integers(0, 3).map(Micros)


@st.composite
def customizations(draw: st.DrawFn) -> Customization:
    return Customization(
        draw(st.sampled_from(IDS)),
        draw(st.sampled_from(["basket", "trends"])),
        draw(targets),
        tuple(draw(st.lists(pins, max_size=3))),
        draw(small),
        draw(st.integers(1, 9)),
        draw(st.booleans()),
        draw(st.sampled_from([False, False, True])),
        draw(small),
        draw(st.sampled_from(["api", "ann"])),
        tuple(draw(st.lists(st.sampled_from(["sale", "winter"]), unique=True))),
        draw(st.sampled_from([None, "Black Friday"])),
    )


@st.composite
def objects(draw: st.DrawFn) -> list[CatalogObject]:
    found = []
    for identity in draw(st.lists(st.sampled_from(IDENTITIES), unique=True)):
        type_ = draw(st.sampled_from(["item", "item", "category"]))
        body: dict[str, Any] = {
            "identity": identity,
            "type": type_,
            "fields": {
                "title": draw(st.sampled_from(TITLES)),
                "availability": draw(st.sampled_from([0, 1, 1])),
            },
        }
        if draw(st.booleans()):
            body["active_from"] = draw(
                st.sampled_from(["1970-01-01T00:00:00Z", "2099-01-01T00:00:00Z"])
            )
        document = msgspec.json.encode(body)
        found.append(CatalogObject(identity, type_, None, document))
    return found


statuses: st.SearchStrategy[Status | None] = st.none() | st.sampled_from(STATUSES)
questions = st.builds(
    Question,
    st.lists(st.sampled_from(["basket", "trends", "unknown"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(["sale", "winter", "unknown"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(list(Priority)), max_size=2).map(tuple),
    st.sampled_from(["", "", "/a", "/nowhere"]),
    st.sampled_from(["", "", "ann", "nobody"]),
    st.sampled_from(
        ["", "", "guitar", "BLUE guitar", "strasse", "fender 500", "friday", "/c", "%"]
    ),
    statuses,
)
histories = st.lists(
    st.tuples(
        st.lists(
            st.one_of(
                customizations().map(lambda each: (each.id, each)),
                st.sampled_from(IDS).map(lambda id_: (id_, None)),
            ),
            max_size=5,
        ).map(dict),
        st.none() | objects(),
    ),
    min_size=1,
    max_size=4,
)


def meets(each: Customization, question: Question, catalog: Catalog, *, but: str = "") -> bool:
    """The question asked of one customization, but for one part of it."""

    def title(identity: ItemId) -> str:
        number = catalog.number(identity)
        return "" if number is None else str(catalog.attributes(number)["title"])

    target = each.target
    own = [each.id, each.model, each.creator, each.title or "", *each.tags]
    for pin in each.pins:
        own += ["brand", "Fender", "price_amount", "100", "500"] if pin.item is None else [pin.item]
    named = [title(pin.item) for pin in each.pins if pin.item and pin.place != BLOCKED]
    if isinstance(target, ItemTarget):
        own.append(target.identity)
        named.append(title(target.identity))
    elif isinstance(target, CriteriaTarget):
        own += ["brand", "Fender", "price_amount", "100", "500"]
    held = "\n".join([*own, *named]).casefold()
    status = question.status
    return (
        (but == "models" or not question.models or each.model in question.models)
        and (but == "tags" or not question.tags or not set(question.tags).isdisjoint(each.tags))
        and (not question.targets or each.priority in question.targets)
        and (
            not question.item
            or (isinstance(target, ItemTarget) and target.identity == question.item)
        )
        and (but == "author" or not question.author or each.creator == question.author)
        and all(word in held for word in question.text.casefold().split())
        and (but == "status" or status is None or has(each, status, catalog))
    )


def has(each: Customization, status: Status, catalog: Catalog) -> bool:
    if status == "broken":
        return is_broken(each, catalog, NOW)
    return state_of(each, NOW) == status


@settings(max_examples=EXAMPLES * 3)
@given(histories, questions, st.sampled_from(get_args(Order)), st.booleans())
def test_a_roster_answers_as_the_plain_meaning_does(
    history: Sequence[Any], question: Question, order: Order, descending: bool
) -> None:
    """What is found, what is counted, and in which order, after any changes of customizations and catalog."""
    rules, catalog = Rules(), Catalog.of(())
    roster = Roster(rules, catalog)

    for changes, offered in history:
        rules = rules.changed(changes)
        if offered is not None:
            catalog = Catalog.of(offered)
        roster = roster.renewed(rules, catalog)
        held = list(rules.all())

        found = roster.find(question, NOW, order=order, descending=descending)

        listed = roster.customizations(found.rows)
        wanted = [each for each in held if meets(each, question, catalog)]
        assert Counter(each.id for each in listed) == Counter(each.id for each in wanted)
        assert listed == in_order(wanted, order, descending, roster)
        assert found.total == len(held)
        rest = [each for each in held if meets(each, question, catalog, but="models")]
        assert found.models == dict(sorted(Counter(each.model for each in rest).items()))
        rest = [each for each in held if meets(each, question, catalog, but="tags")]
        assert found.tags == dict(sorted(Counter(t for each in rest for t in each.tags).items()))
        rest = [each for each in held if meets(each, question, catalog, but="author")]
        assert found.authors == dict(sorted(Counter(each.creator for each in rest).items()))
        rest = [each for each in held if meets(each, question, catalog, but="status")]
        assert found.statuses == {
            status: sum(has(each, status, catalog) for each in rest) for status in STATUSES
        }


def in_order(
    wanted: list[Customization], order: Order, descending: bool, roster: Roster
) -> list[Customization]:
    keys: dict[Order, Any] = {
        "updated": lambda each: each.updated_at,
        "created": lambda each: each.created_at,
        "model": lambda each: each.model,
        "author": lambda each: each.creator,
        "target": lambda each: roster.target_name(each).casefold(),
        "closes": lambda each: min(
            (p.window.closes or 2**62 for p in each.pins if (p.window.closes or 2**62) > NOW),
            default=2**62,
        ),
    }
    wanted = sorted(wanted, key=lambda each: (-each.created_at, each.id))
    return sorted(wanted, key=keys[order], reverse=descending)


def item(identity: str, type: str = "item", **fields: Any) -> CatalogObject:
    body = {"identity": identity, "type": type, "fields": {"title": "T", **fields}}
    return CatalogObject(ItemId(identity), type, None, msgspec.json.encode(body))


def customization(*pins: Pin, **fields: Any) -> Customization:
    made = Customization(IDS[0], "basket", AllTarget(), pins, Micros(0), 1)
    return replace(made, **fields)


@pytest.mark.parametrize(
    ("windows", "state"),
    [
        ([], State.EMPTY),
        ([ALWAYS], State.ACTIVE),
        ([Window(NOW, None)], State.ACTIVE),
        ([Window(None, NOW)], State.EXPIRED),
        ([Window(Micros(101), None), Window(None, Micros(99))], State.SCHEDULED),
        ([Window(Micros(101), None), ALWAYS], State.ACTIVE),
    ],
)
def test_windows_decide_the_state(windows: list[Window], state: State) -> None:
    """A window opens at its first moment and is over at its last; one pin that is awake is enough."""
    made = customization(*(Pin(Slot(1), ItemId("/a"), window=each) for each in windows))

    assert state_of(made, NOW) == state
    assert state_of(replace(made, disabled=True), NOW) == State.DISABLED


@pytest.mark.parametrize(
    ("pin", "trouble"),
    [
        (Pin(Slot(1), ItemId("/there")), None),
        (Pin(Slot(1), ItemId("/sold")), Trouble.UNAVAILABLE),
        (Pin(Slot(1), ItemId("/category")), Trouble.UNAVAILABLE),
        (Pin(Slot(1), ItemId("/gone")), Trouble.MISSING),
        (Pin(Slot(1), ItemId("/gone"), window=Window(None, NOW)), None),
        (Pin(Slot(1), ItemId("/gone"), window=Window(Micros(101), None)), Trouble.MISSING),
        (Pin(BLOCKED, ItemId("/gone")), None),
        (Pin(Slot(1), rule=RULE), None),
    ],
)
def test_a_pin_has_trouble_when_its_item_cannot_be_shown(pin: Pin, trouble: Trouble | None) -> None:
    """Blocks, criteria and pins that are over have none."""
    catalog = Catalog.of(
        [item("/there"), item("/sold", availability=0), item("/category", "category")]
    )

    assert trouble_of(pin, catalog, NOW) == trouble
    assert is_broken(customization(pin), catalog, NOW) == (trouble is not None)


def test_a_fingerprint_tells_what_was_found() -> None:
    """The same whatever the order, another one when a customization was written again."""
    one, other = customization(), customization(id=IDS[1])
    rules = Rules.of([one, other])
    roster = Roster(rules, Catalog.of(()))
    up = roster.find(Question(), NOW, order="created", descending=False)
    down = roster.find(Question(), NOW, order="created", descending=True)

    rewritten = roster.renewed(rules.changed({IDS[1]: replace(other, revision=2)}), roster.catalog)
    after = rewritten.find(Question(), NOW, order="created", descending=False)

    assert roster.fingerprint(up.rows) == roster.fingerprint(down.rows)
    assert rewritten.fingerprint(after.rows) != roster.fingerprint(up.rows)


def test_rows_that_count_no_more_are_dropped_in_time() -> None:
    """A customization that is written again and again does not make the roster grow."""
    rules = Rules.of([customization()])
    roster = Roster(rules, Catalog.of(()))

    for revision in range(2, 2_500):
        rules = rules.changed({IDS[0]: customization(revision=revision)})
        roster = roster.renewed(rules, roster.catalog)

    assert len(roster.held) <= 1_010
    (found,) = roster.customizations(
        roster.find(Question(), NOW, order="created", descending=True).rows
    )
    assert found.revision == 2_499


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({"title": "Strap", "image_link": "/s.png"}, Label("Strap", "/s.png")),
        ({"title": ["Strap", "Belt"]}, Label("Strap", "")),
        ({"title": 5, "image_link": None}, Label()),
        ({}, Label()),
    ],
)
def test_labels_are_texts_or_nothing(fields: dict[str, Any], label: Label) -> None:
    """Of several the first."""
    assert label_of(msgspec.json.encode({"identity": "/a", "fields": fields})) == label


@settings(max_examples=EXAMPLES)
@given(
    st.dictionaries(st.integers(0, 5_000), st.integers(), max_size=30),
    st.dictionaries(st.integers(0, 5_000), st.none() | st.integers(), max_size=30),
    st.sampled_from([0, 3_000]),
)
def test_what_changed_in_a_map_makes_it_of_the_older(
    held: dict[int, int], changes: dict[int, int | None], more: int
) -> None:
    """Applied to the older map it gives the newer one, also where the shards are others."""
    older: PersistentMap[int, int] = PersistentMap(held)
    newer = older.changed(changes | {10_000 + number: number for number in range(more)})

    told = newer.changed_since(older)

    assert dict(older.changed(told).items()) == dict(newer.items())
    assert set(told) <= {*changes, *range(10_000, 10_000 + more)}


@settings(max_examples=EXAMPLES)
@given(st.lists(customizations(), unique_by=lambda each: each.id), instants, instants)
def test_who_has_a_window_in_a_span(
    made: list[Customization], since: Micros | None, until: Micros | None
) -> None:
    """Against the plain meaning: a bound on a side, and a moment in common; the silent ones apart."""
    span = Window(since or Micros(60), until or Micros(150))
    assert span.opens is not None
    assert span.closes is not None
    roster = Roster(Rules.of(made), Catalog.of([]))
    found = roster.find(Question(), NOW, order="created", descending=False)

    told = roster.windowed(found.rows, since=span.opens, until=span.closes)

    def touches(window: Window) -> bool:
        assert span.opens is not None
        assert span.closes is not None
        return (
            window != ALWAYS
            and (window.opens is None or window.opens < span.closes)
            and (window.closes is None or window.closes > span.opens)
        )

    loud = [each for each in made if not each.is_silent]
    expected = {each.id for each in loud if any(touches(pin.window) for pin in each.pins)}
    always = sum(all(pin.window == ALWAYS for pin in each.pins) for each in loud)
    rows = roster.customizations(told.rows)
    begins = [
        (
            each.model,
            min(pin.window.opens or -1 for pin in each.pins if touches(pin.window)),
        )
        for each in rows
    ]
    assert len(rows) == len(expected)
    assert {each.id for each in rows} == expected
    assert begins == sorted(begins)
    assert (told.always, told.silent) == (always, len(made) - len(loud))
